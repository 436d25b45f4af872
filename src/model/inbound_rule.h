// One row of table `inbound`: who is meant, what TLS is asked of him, and what happens where it is
// missing. Data only, and what holds inside one row.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/model/level.h"

namespace model {

enum class InboundRequire : std::uint8_t { None, Encrypt, Certificate };
enum class OnViolation : std::uint8_t { Reject, Defer, Tag, Observe };

// The exact words of the policy database.
std::string_view to_word(InboundRequire require);
std::string_view to_word(OnViolation action);
std::optional<InboundRequire> parse_inbound_require(std::string_view word);
std::optional<OnViolation> parse_on_violation(std::string_view word);

// What nearly every mail is judged by: small, so that many thousands lie near the processor.
struct InboundDemand {
  std::int64_t id = 0;
  std::int64_t expires_at = 0;   // seconds since the epoch; 0 = never
  std::int64_t learn_count = 0;  // 0: holds for everybody
  std::uint32_t min_bits = 0;    // 0: any
  std::optional<TlsVersion> min_protocol;
  InboundRequire require = InboundRequire::Encrypt;
  OnViolation on_violation = OnViolation::Reject;

  bool operator==(const InboundDemand&) const = default;
};

struct InboundRule : InboundDemand {
  // Not empty: why the rule can't be used. Mail that it would judge is deferred, never let pass as
  // if there were no rule; but a rule that only observes changes nothing, at fault or not.
  std::string fault;
  std::string ccert_name;  // of the certificate's CN, * for any characters
  std::string ccert_issuer;
  std::string ccert_fingerprint;  // as written: hexadecimal, blanks, commas or | between
  std::string client;             // empty: any
  std::string sender;             // empty: any; "<>": the empty one
  std::string text;

  bool operator==(const InboundRule&) const = default;
};

// Whether the rule can be used and asks for nothing but its demand: for no certificate.
[[nodiscard]] inline bool is_demand_alone(const InboundRule& rule) {
  return rule.fault.empty() && rule.require != InboundRequire::Certificate &&
         rule.ccert_name.empty() && rule.ccert_issuer.empty() && rule.ccert_fingerprint.empty();
}

inline constexpr std::size_t kMostFingerprints = 64;

// What is wrong with the rule, as one sentence that names the column, or nothing.
std::optional<std::string> find_fault(const InboundRule& rule);

}  // namespace model
