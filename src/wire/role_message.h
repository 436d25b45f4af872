// What the roles say to each other over their channels: a type byte and a payload, descriptors
// beside it. Bytes in, values out; the receiver believes nothing that does not parse.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wire {

// One list for each direction, so that a receiver's switch names just what can come.
enum class FromParent : std::uint8_t {
  Config = 1,  // text of the config file; at start and at each reload
  Listeners,   // one letter for each descriptor: which protocol it serves (Listener below)
  Peer,        // one descriptor: a new channel to the other role
  Image,       // one descriptor: the policy image in force
  Go,          // everything is there: serve
  Stop,        // finish what is open, then end
  Ping,        // is your loop alive?
};

enum class ToParent : std::uint8_t {
  Ready = 1,  // serving
  Pong,       // yes
  Status,     // one line for the service manager
  Image,      // one descriptor: the policy image that `answer` has put in force
  Refused,    // the image that came from the parent is of no use
};

enum class StoreToAnswer : std::uint8_t {
  Image = 1,  // one descriptor: a new policy image
  NoPolicy,   // there is none to be had for now; serve without
};

enum class AnswerToStore : std::uint8_t {
  InForce = 1,  // digest, 8 bytes: this image answers now
  Unusable,     // why the image was refused, text
  Stats,        // AnswerStats
};

enum class Listener : char { Tlsmap = 't', Policyd = 'p', Control = 'c' };

// What `answer` counted since it started.
struct AnswerStats {
  std::int64_t pid = 0;
  std::uint64_t digest = 0;  // of the image in force; 0 = none
  std::uint64_t connections = 0;
  std::uint64_t ok = 0;
  std::uint64_t not_found = 0;
  std::uint64_t temp = 0;
  std::uint64_t perm = 0;
  std::uint64_t malformed = 0;
  std::uint64_t stalled = 0;
  std::uint64_t policyd = 0;
  bool operator==(const AnswerStats&) const = default;
};
std::string to_payload(const AnswerStats& stats);
std::optional<AnswerStats> parse_answer_stats(std::string_view payload);

std::string to_payload(std::uint64_t number);
std::optional<std::uint64_t> parse_u64(std::string_view payload);

}  // namespace wire
