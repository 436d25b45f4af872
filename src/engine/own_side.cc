#include "src/engine/own_side.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace engine {
namespace {

using model::Cause;
using model::ChainTrust;
using Weight = Remark::Weight;

constexpr const char* kLookIntoLog = "look into the mail log of that host for why";
constexpr const char* kNewCertificate =
    "have a certificate issued by a public authority for the names of the MX records, or publish "
    "TLSA records for this one (DANE)";
constexpr const char* kTighten =
    "set smtpd_tls_protocols = !SSLv2, !SSLv3, !TLSv1, !TLSv1.1 and smtpd_tls_exclude_ciphers = "
    "eNULL, EXP, LOW, DES, 3DES, RC2, RC4, IDEA, and their smtpd_tls_mandatory_ brothers likewise";

class Remarks {
 public:
  Remarks(const model::ProbedAddress& probed, const Expected& expected, std::int64_t now)
      : probed_(probed), expected_(expected), now_(now) {}

  std::vector<Remark> find() {
    if (probed_.outcome.cause) {
      add_failure(*probed_.outcome.cause);
    } else if (!probed_.tls || !probed_.trouble.empty()) {
      add_stranger();
    } else {
      add_chain(*probed_.tls);
      add_weaknesses(*probed_.tls);
    }
    add_plain_mail();
    return std::move(remarks_);
  }

 private:
  void object(std::string what, std::string action) {
    remarks_.push_back({Weight::Objection, std::move(what), std::move(action)});
  }

  void add_failure(Cause cause) {
    if (cause == Cause::StarttlsNotSupported && probed_.is_crossed_out) {
      return object(probed_.trouble,
                    "switch off what inspects SMTP on the way (Cisco: no inspect esmtp)");
    }
    if (cause == Cause::StarttlsNotSupported) {
      return object(probed_.trouble,
                    "set smtpd_tls_security_level = may, and smtpd_tls_chain_files to key and "
                    "certificates");
    }
    if (cause == Cause::PlaintextAfter220) {
      return object(probed_.trouble,
                    "find who is between: nobody can trust a session that begins like this");
    }
    object(fmt::format("TLS is offered and does not work: {}", probed_.trouble),
           fmt::format("{}; often the key can't be read, or doesn't belong to the certificate",
                       kLookIntoLog));
  }

  // Who has said nothing at all can't be reached; whoever has may have reasons that pass.
  void add_stranger() {
    const bool has_answered =
        std::any_of(probed_.steps.begin(), probed_.steps.end(),
                    [](const auto& step) { return step.kind == model::ProbeStep::Kind::Received; });
    if (has_answered) {
      remarks_.push_back({Weight::Unknown, probed_.trouble,
                          "try again later, or from an address that it does not put off"});
    } else {
      object(fmt::format("no mail gets in here: {}", probed_.trouble),
             "let the world reach this address, or take it out of DNS");
    }
  }

  void add_chain(const model::SeenTls& tls) {
    if (tls.chain.empty()) {
      return object("it shows no certificate", "set smtpd_tls_chain_files to key and certificates");
    }
    const auto& leaf = tls.chain.front();
    add_trust(tls);
    if (!model::is_named(leaf, expected_.host)) {
      object(fmt::format("the certificate is not for {}", expected_.host),
             fmt::format("have one issued that names {}", expected_.host));
    }
    const auto days = model::days_left(leaf, now_);
    if (leaf.not_after >= now_ && days <= kLateRenewal) {
      object(fmt::format("the certificate expires in {} {}", days, days == 1 ? "day" : "days"),
             "renew it now, and see why its renewal has not run");
    }
  }

  void add_trust(const model::SeenTls& tls) {
    switch (tls.trust) {
      case ChainTrust::Trusted:
        return;
      case ChainTrust::SelfSigned:
        return object("the certificate is self-signed: nobody vouches for it", kNewCertificate);
      case ChainTrust::UntrustedIssuer:
        return object("the certificate's authority is none that is trusted here", kNewCertificate);
      case ChainTrust::Incomplete:
        return object(
            fmt::format("the chain is incomplete: {}", tls.trust_text),
            "put the authority's intermediate certificates behind your own in the file of "
            "smtpd_tls_chain_files");
      case ChainTrust::Expired:
        return object("the certificate, or one of its chain, has expired",
                      "renew it, and let the server read it: postfix reload");
      case ChainTrust::NotYetValid:
        return object("the certificate is not valid yet", "see whether the host's clock is right");
      case ChainTrust::TooWeak:
      case ChainTrust::Faulty:
      case ChainTrust::NoCertificate:
        return object(fmt::format("the chain is not trusted: {}", tls.trust_text), kNewCertificate);
    }
  }

  void add_weaknesses(const model::SeenTls& tls) {
    for (auto& weak : find_session_weaknesses(tls)) object(std::move(weak), kTighten);
    for (auto& weak : find_taken_weaknesses(probed_)) object(std::move(weak), kTighten);
    for (auto& weak : find_certificate_weaknesses(tls)) {
      object(std::move(weak),
             "have one issued with an RSA key of 2048 bits or an EC key, and signed by SHA-256");
    }
  }

  void add_plain_mail() {
    if (probed_.plain_mail == model::PlainMail::Accepted) {
      remarks_.push_back({Weight::Fine,
                          "mail in clear is taken too, as a public MX should (RFC 3207 4): senders "
                          "without TLS can reach you",
                          {}});
    } else if (probed_.plain_mail == model::PlainMail::Refused) {
      remarks_.push_back(
          {Weight::Fine, "mail in clear is refused: senders without TLS can't reach you", {}});
    }
  }

  const model::ProbedAddress& probed_;
  const Expected& expected_;
  std::int64_t now_;
  std::vector<Remark> remarks_;
};

}  // namespace

std::string_view to_word(Remark::Weight weight) {
  switch (weight) {
    case Weight::Objection:
      return "objection";
    case Weight::Unknown:
      return "unknown";
    case Weight::Fine:
      return "fine";
  }
  return "";
}

std::vector<Remark> find_remarks(const model::ProbedAddress& probed, const Expected& expected,
                                 std::int64_t now) {
  return Remarks(probed, expected, now).find();
}

}  // namespace engine
