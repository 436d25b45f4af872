// One line of `postqueue -j`, which is one message in the queue as a JSON object (postqueue(1),
// "JSON OBJECT FORMAT"). Bytes in, values out; no I/O.
//
// Addresses and reasons are what senders and peers wrote. Only the queue and its ID are checked
// beyond their type, because an ID goes into command lines.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wire {

struct QueuedRecipient {
  std::string address;
  std::string delay_reason;  // empty: not tried yet
};

struct QueuedMessage {
  std::string queue;  // "deferred", "active", "incoming", "maildrop", "hold": lower-case letters
  std::string id;     // letters and digits
  std::int64_t arrived = 0;  // seconds since the epoch
  bool is_expiry_forced =
      false;                    // postsuper -e or -f: returned with the next attempt [Postfix 3.5]
  bool is_sender_null = false;  // a bounce; shown as MAILER-DAEMON
  std::vector<QueuedRecipient> recipients;
};

// Of a queue's name and of an ID: long ones have 16 characters at most.
inline constexpr std::size_t kLongestQueueWord = 32;
// A recipient whose address is longer (RFC 5321 4.5.3.1 has 320) is left out.
inline constexpr std::size_t kLongestQueuedAddress = 1'000;
// 31 December 9999: no arrival is later.
inline constexpr std::int64_t kLatestArrival = 253'402'300'799;

// Nothing where the line is no such object. Members that are not named here are ignored. Bytes that
// are no UTF-8 become '?'.
std::optional<QueuedMessage> parse_queue_line(std::string_view line);

}  // namespace wire
