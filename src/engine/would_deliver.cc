#include "src/engine/would_deliver.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace engine {
namespace {

using model::Cause;
using model::Security;

constexpr int kShortestRsa = 2048;  // NIST SP 800-131A
constexpr int kFewestBits = 128;

// Whether TLS, to whomever it is, came to work.
std::optional<bool> encrypts(const model::ProbedAddress& probed) {
  switch (probed.outcome.security) {
    case Security::Encrypted:
    case Security::Authenticated:
      return true;
    case Security::Clear:
    case Security::Unknown:
      break;
  }
  if (!probed.outcome.cause) return std::nullopt;
  // smtp(8) may well go on over an injected reply; whose session that is nobody can tell.
  if (*probed.outcome.cause == Cause::PlaintextAfter220) return std::nullopt;
  return false;
}

std::optional<bool> takes_clear(const model::ProbedAddress& probed) {
  if (probed.plain_mail == model::PlainMail::Refused) return false;
  if (!probed.has_spoken) return std::nullopt;
  return true;
}

// Level may: TLS where it works; in clear at once where it is absent or refused, and later where
// the handshake fails [F 3.2.1, 3.2.5]; but for ever deferred where the peer is gone or silent
// instead of answering STARTTLS [F 3.2.4].
std::optional<bool> falls_back(const model::ProbedAddress& probed) {
  const bool is_unanswered = probed.was_offered && probed.starttls_code == 0;
  return is_unanswered ? std::optional(false) : takes_clear(probed);
}

bool is_named_any(const model::SeenCertificate& leaf, const std::vector<std::string>& names) {
  return std::any_of(names.begin(), names.end(),
                     [&](const auto& name) { return model::is_named(leaf, name); });
}

}  // namespace

WouldDeliver would_deliver(const model::ProbedAddress& probed, const Expected& expected) {
  WouldDeliver answer;
  const auto encrypted = encrypts(probed);
  answer.off = takes_clear(probed);
  answer.required = encrypted;
  answer.opportunistic = encrypted == false ? falls_back(probed) : encrypted;
  if (encrypted != true) {
    answer.verified = answer.secure = answer.pinned = encrypted;
    return answer;
  }
  const auto& tls = *probed.tls;
  const bool has_identity = tls.is_fit_to_authenticate && !tls.chain.empty();
  const bool is_trusted = has_identity && tls.trust == model::ChainTrust::Trusted;
  answer.verified = is_trusted && model::is_named(tls.chain.front(), expected.host);
  answer.secure = is_trusted && is_named_any(tls.chain.front(), expected.nexthop);
  answer.pinned = has_identity;
  return answer;
}

WouldDeliver any_of(const std::vector<WouldDeliver>& each) {
  WouldDeliver all;
  for (const auto& [profile, field] : kProfileAnswers) {
    bool is_unknown = each.empty();
    bool is_yes = false;
    for (const auto& one : each) {
      is_yes = is_yes || one.*field == true;
      is_unknown = is_unknown || !(one.*field);
    }
    all.*field = is_yes ? std::optional(true) : is_unknown ? std::nullopt : std::optional(false);
  }
  return all;
}

std::optional<std::string_view> strictest_for_all(const std::vector<WouldDeliver>& each) {
  const auto is_yes_for_all = [&](std::optional<bool> WouldDeliver::*field) {
    return !each.empty() && std::all_of(each.begin(), each.end(), [&](const WouldDeliver& one) {
      return one.*field == true;
    });
  };
  if (is_yes_for_all(&WouldDeliver::secure)) return "secure";
  if (is_yes_for_all(&WouldDeliver::verified)) return "verified";
  if (is_yes_for_all(&WouldDeliver::required)) return "required";
  if (is_yes_for_all(&WouldDeliver::opportunistic)) return "opportunistic";
  return std::nullopt;
}

namespace {

void judge_cipher(const model::SeenTls& tls, std::vector<std::string>& found) {
  if (tls.protocol != "TLSv1.3" && tls.protocol != "TLSv1.2") {
    found.push_back(fmt::format("the protocol {} is obsolete (RFC 8996)", tls.protocol));
  }
  for (const auto* broken : {"RC4", "DES", "NULL", "MD5", "RC2", "IDEA", "SEED"}) {
    if (tls.cipher.find(broken) != std::string::npos) {
      found.push_back(fmt::format("the cipher {} is broken", tls.cipher));
      break;
    }
  }
  if (tls.bits < kFewestBits) {
    found.push_back(fmt::format("the cipher has {} secret bits", tls.bits));
  }
  if (tls.chain.empty()) found.emplace_back("the peer shows no certificate (anonymous cipher)");
  if (tls.key_exchange == "RSA") {
    found.emplace_back("the key exchange is RSA, without forward secrecy");
  } else if (tls.key_exchange == "DH" && tls.key_exchange_bits < kShortestRsa) {
    found.push_back(fmt::format("the Diffie-Hellman group has {} bits", tls.key_exchange_bits));
  }
}

// The signature of a root is nobody's proof: it is trusted for itself.
bool is_root(const model::SeenCertificate& certificate) {
  return certificate.subject == certificate.issuer;
}

void judge_certificate(const model::SeenCertificate& certificate, std::size_t place,
                       std::vector<std::string>& found) {
  const auto which = place == 0 ? std::string("the certificate")
                                : fmt::format("certificate {} of the chain", place + 1);
  if (certificate.key_type.starts_with("RSA") && certificate.key_bits < kShortestRsa) {
    found.push_back(fmt::format("the RSA key of {} has {} bits", which, certificate.key_bits));
  }
  const bool is_weak = certificate.signature.find("sha1") != std::string::npos ||
                       certificate.signature.find("SHA1") != std::string::npos ||
                       certificate.signature.find("md5") != std::string::npos;
  if (is_weak && !is_root(certificate)) {
    found.push_back(fmt::format("{} is signed by {}", which, certificate.signature));
  }
}

}  // namespace

std::vector<std::string> find_session_weaknesses(const model::SeenTls& tls) {
  std::vector<std::string> found;
  judge_cipher(tls, found);
  return found;
}

std::vector<std::string> find_certificate_weaknesses(const model::SeenTls& tls) {
  std::vector<std::string> found;
  for (std::size_t i = 0; i < tls.chain.size(); ++i) judge_certificate(tls.chain[i], i, found);
  return found;
}

std::vector<std::string> find_weaknesses(const model::SeenTls& tls) {
  auto found = find_session_weaknesses(tls);
  for (auto& weak : find_certificate_weaknesses(tls)) found.push_back(std::move(weak));
  return found;
}

std::vector<std::string> find_taken_weaknesses(const model::ProbedAddress& probed) {
  using Answer = model::WeakTrial::Answer;
  std::vector<std::string> found;
  if (probed.old_protocols.answer == Answer::Taken) {
    found.push_back(fmt::format("the obsolete protocol {} is taken too (RFC 8996)",
                                probed.old_protocols.protocol));
  }
  if (probed.broken_ciphers.answer == Answer::Taken) {
    found.push_back(fmt::format("the broken cipher {} is taken too", probed.broken_ciphers.cipher));
  }
  return found;
}

std::vector<std::string> find_weaknesses(const model::ProbedAddress& probed) {
  std::vector<std::string> found;
  if (probed.tls) found = find_weaknesses(*probed.tls);
  for (auto& weak : find_taken_weaknesses(probed)) found.push_back(std::move(weak));
  return found;
}

}  // namespace engine
