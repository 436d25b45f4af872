#include "src/model/probed_address.h"

namespace model {

std::string_view to_word(ProbeStage stage) {
  switch (stage) {
    case ProbeStage::Connect:
      return "connect";
    case ProbeStage::Banner:
      return "banner";
    case ProbeStage::Ehlo:
      return "ehlo";
    case ProbeStage::Starttls:
      return "starttls";
    case ProbeStage::Handshake:
      return "handshake";
    case ProbeStage::EhloInTls:
      return "ehlo-in-tls";
    case ProbeStage::MailFrom:
      return "mail-from";
    case ProbeStage::Quit:
      return "quit";
  }
  return "";
}

std::string_view to_word(ProbeStep::Kind kind) {
  switch (kind) {
    case ProbeStep::Kind::Sent:
      return "sent";
    case ProbeStep::Kind::Received:
      return "received";
    case ProbeStep::Kind::Note:
      return "note";
  }
  return "";
}

std::string_view to_word(ChainTrust trust) {
  switch (trust) {
    case ChainTrust::Trusted:
      return "trusted";
    case ChainTrust::SelfSigned:
      return "self-signed";
    case ChainTrust::UntrustedIssuer:
      return "untrusted-issuer";
    case ChainTrust::Incomplete:
      return "incomplete";
    case ChainTrust::Expired:
      return "expired";
    case ChainTrust::NotYetValid:
      return "not-yet-valid";
    case ChainTrust::TooWeak:
      return "too-weak";
    case ChainTrust::Faulty:
      return "faulty";
    case ChainTrust::NoCertificate:
      return "no-certificate";
  }
  return "";
}

std::optional<ChainTrust> parse_chain_trust(std::string_view word) {
  for (const ChainTrust each : kChainTrusts) {
    if (to_word(each) == word) return each;
  }
  return std::nullopt;
}

std::string_view to_word(PlainMail answer) {
  switch (answer) {
    case PlainMail::NotAsked:
      return "not-asked";
    case PlainMail::Accepted:
      return "accepted";
    case PlainMail::Refused:
      return "refused";
    case PlainMail::Unclear:
      return "unclear";
  }
  return "";
}

std::string_view to_word(WeakTrial::Answer answer) {
  switch (answer) {
    case WeakTrial::Answer::NotTried:
      return "not-tried";
    case WeakTrial::Answer::Taken:
      return "taken";
    case WeakTrial::Answer::Refused:
      return "refused";
    case WeakTrial::Answer::Unclear:
      return "unclear";
  }
  return "";
}

}  // namespace model
