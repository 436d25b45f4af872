// What is written down of incoming mail. Data only.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace model {

// One message that a rule did not simply let pass.
struct InboundDecision {
  std::int64_t at = 0;    // seconds since the epoch
  std::int64_t rule = 0;  // id in table inbound
  std::string step;       // of the precedence
  std::string client;     // address
  std::string client_name;
  std::string sender;
  std::string protocol;  // empty: plaintext
  std::string required;
  std::string got;
  std::string action;  // reject, defer, tag, observe; learn: short of a rule that still learns;
                       // fault: the rule can't be used
  bool operator==(const InboundDecision&) const = default;
};

// Messages of one hour that one rule judged alike.
struct InboundTally {
  std::int64_t hour = 0;  // its first second
  std::int64_t rule = 0;
  std::string sender_domain;  // "<>" for bounces
  std::string network;        // of the client: its /24 or /48
  std::string required;       // empty: passed
  std::string got;
  std::string action;  // as above; empty: passed
  auto operator<=>(const InboundTally&) const = default;
};
struct InboundCount {
  InboundTally tally;
  std::int64_t count = 0;
  bool operator==(const InboundCount&) const = default;
};

// How many messages a sender's domain has sent over TLS from a network, for rules that learn.
struct InboundKnown {
  std::string sender_domain;
  std::string network;
  std::int64_t messages = 0;
  bool operator==(const InboundKnown&) const = default;
};

}  // namespace model
