// Judges an incoming mail by the rules of `inbound`: pure, facts in, one admission out.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "src/base/clock.h"
#include "src/engine/inbound_book.h"
#include "src/model/mail_oracle.h"

namespace engine {

// What a rule asks and the connection lacks.
struct Shortfall {
  std::string required;  // "TLS", "TLSv1.2 or newer", "a trusted client certificate", ...
  std::string got;       // "plaintext", "TLSv1.1", "no client certificate", ...
  bool operator==(const Shortfall&) const = default;
};
// The first thing that is missing, or nothing. The SAN and the dates of a certificate are not told
// to a policy service: names are the CN of the subject and of the issuer.
std::optional<Shortfall> find_shortfall(const model::InboundRule& rule,
                                        const model::MailFacts& facts);

// Whether a text with * for any characters fits, ASCII letters of either case.
[[nodiscard]] bool matches_pattern(std::string_view pattern, std::string_view text);

struct Admission {
  enum class Kind : std::uint8_t {
    NoRule,
    Passed,
    Learning,  // short of the rule, whose learn_count this sender and network have not reached
    Violated,
    Faulty,  // the rule that would judge can't be used
  };
  Kind kind = Kind::NoRule;
  const model::InboundRule* rule = nullptr;  // null for NoRule
  // The rule's, where the book has it: nearer. Lives as long as the book.
  const model::InboundDemand* demand = nullptr;
  InboundStep step = InboundStep::Any;
  Shortfall shortfall;
};

// Whether the sender and the client of these facts are known to use TLS, by its learn_count.
using IsKnown = std::function<bool(const model::InboundDemand& demand)>;

// `bringer` is made of the same facts.
Admission admit(const InboundBook& book, const Bringer& bringer, const model::MailFacts& facts,
                base::sys_seconds now, const IsKnown& is_known);

// What smtpd is to be told; `tag` as if the message had not been tagged yet.
model::Ruling ruling_of(const Admission& admission, const model::MailFacts& facts);

// `$sender_domain $client $required $got` in a rule's text, replaced.
std::string expand_text(std::string_view text, const Shortfall& shortfall,
                        const model::MailFacts& facts);

// The header that `tag` adds.
inline constexpr std::string_view kTagHeader = "X-TLS-Policy";

}  // namespace engine
