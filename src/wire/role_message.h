// What the roles say to each other over their channels: a type byte and a payload, descriptors
// beside it. Bytes in, values out; the receiver believes nothing that does not parse.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/model/evidence_totals.h"

namespace wire {

// One list for each direction, so that a receiver's switch names just what can come.
enum class FromParent : std::uint8_t {
  Config = 1,   // text of the config file; at start and at each reload
  Listeners,    // one letter for each descriptor: which protocol it serves (Listener below)
  Peer,         // one letter (PeerRole) and one descriptor: a new channel to that role
  Image,        // one descriptor: the policy image in force; kSavedImage, or nothing
  Go,           // everything is there: serve
  Stop,         // finish what is open, then end
  Ping,         // is your loop alive?
  StateBase,    // one descriptor: what was known of destinations when `store` last said so
  EvidenceUid,  // 8 bytes: one more than the uid whose outcomes are trusted; 0 = nobody's
  Roles,        // to `store`: RoleRecords (http_message.h), one behind the other
};

// It was saved by an earlier run: policy.db may have changed since.
constexpr std::string_view kSavedImage = "saved";

enum class ToParent : std::uint8_t {
  Ready = 1,  // serving
  Pong,       // yes
  Status,     // from `store`: one line for the service manager
  Image,      // one descriptor, from `answer`: the policy image that it has put in force
  Refused,    // from `answer`: the image that came from the parent is of no use
  StateBase,  // one descriptor, from `store`: what a new `answer` begins with
  Alarm,      // AlarmMessage, from `answer` and `store`: for alarm_command and alarm_mail
};

enum class StoreToAnswer : std::uint8_t {
  Image = 1,     // one descriptor: a new policy image
  NoPolicy,      // no newer one is to be had for now: serve with what you have, or without
  StateBase,     // one descriptor: all that was committed
  Committed,     // ids of proposals, 8 bytes each: they are on disk
  Reset,         // two texts: view and destination to forget
  Mode,          // ModeMessage: an admin's panic
  Follow,        // texts: the destinations whose exchanges an admin wants to see, all of them
  InboundKnown,  // one descriptor: InboundKnowns (inbound_record.h), what was learnt before
  OwnFault,      // 8 bytes, 1 or 0: whether checks say that our own network strips STARTTLS
  Told,          // what is known of destinations has been told, as far as state.db can be read
};

enum class AnswerToStore : std::uint8_t {
  InForce = 1,  // digest, 8 bytes: this image answers now
  Unusable,     // why the image was refused, text
  Stats,        // AnswerStats
  Proposal,     // Proposal (state_record.h), to be committed
  Counts,       // CountRecords, one behind the other
  Clock,        // two numbers: where the clocks of a Moment stand
  Followed,     // FollowedMessage
  Observed,     // ObservedRecords, one behind the other
  Inbound,      // InboundDecisions (inbound_record.h), one behind the other
  InboundCounts,
  InboundLearnt,  // InboundKnowns
  Submissions,    // SubmissionDecisions (inbound_record.h)
};

enum class IngestToAnswer : std::uint8_t {
  Evidence = 1,  // ReportedEvidence (state_record.h), one behind the other
  Stats,         // IngestStats
};

enum class PeerRole : char { Answer = 'a', Store = 's', Ingest = 'i', Net = 'n', Http = 'h' };
enum class Listener : char { Tlsmap = 't', Policyd = 'p', Control = 'c', Tlsrpt = 'r', Http = 'h' };

// What `ingest` counted since it started.
struct IngestStats {
  std::uint64_t pid = 0;  // 0: it does not run
  std::uint64_t lines = 0;
  std::uint64_t lines_too_long = 0;
  std::uint64_t evidence = 0;
  std::uint64_t dropped = 0;  // evidence for which there was no room on the way to `answer`
  std::uint64_t is_log_missing = 0;
  std::uint64_t datagrams = 0;
  std::uint64_t datagrams_refused = 0;
  std::uint64_t datagrams_untrusted = 0;  // not of evidence_uid
  std::uint64_t tee_dropped = 0;
  bool operator==(const IngestStats&) const = default;
};
std::string to_payload(const IngestStats& stats);
std::optional<IngestStats> parse_ingest_stats(std::string_view payload);

// Alarms that `answer` raised since it started; those that end are not counted again.
struct AlarmCounts {
  std::uint64_t downgrade = 0;
  std::uint64_t tls_failing = 0;
  std::uint64_t starttls_vanished = 0;
  std::uint64_t freeze = 0;
  bool operator==(const AlarmCounts&) const = default;
};

// How long answers took, of one request in 16 (net/server.h): not cumulative, the last bucket has
// what took longer than any bound (model::Overview::kLatencyBounds).
struct LatencyCounts {
  std::array<std::uint64_t, 10> buckets{};
  std::uint64_t nanoseconds = 0;  // of all together
  bool operator==(const LatencyCounts&) const = default;
};

// What `answer` counted since it started.
struct AnswerStats {
  std::int64_t pid = 0;
  std::uint64_t digest = 0;  // of the image in force; 0 = none
  std::uint64_t connections = 0;
  std::uint64_t ok = 0;
  std::uint64_t not_found = 0;
  std::uint64_t temp = 0;
  std::uint64_t perm = 0;
  // The same by table and status (tlsmap/map_name.h, tlsmap/session.h), and for names of no table.
  std::array<std::array<std::uint64_t, 4>, 5> by_map{};
  std::uint64_t unknown_map = 0;
  LatencyCounts latency;
  std::uint64_t malformed = 0;
  std::uint64_t stalled = 0;
  std::uint64_t policyd = 0;
  std::uint64_t outcomes = 0;
  std::uint64_t orphans = 0;
  std::uint64_t untrusted = 0;
  std::uint64_t kept = 0;
  std::uint64_t bounced = 0;
  std::uint64_t known = 0;  // destinations of which something is known
  std::uint64_t open = 0;   // proposals without an acknowledgement
  std::uint64_t dropped = 0;
  std::uint64_t frozen = 0;
  std::uint64_t unplaced = 0;  // evidence of `ingest` whose destination is none
  model::EvidenceTotals evidence;
  AlarmCounts alarms;
  IngestStats ingest;
  bool operator==(const AnswerStats&) const = default;
};
std::string to_payload(const AnswerStats& stats);
std::optional<AnswerStats> parse_answer_stats(std::string_view payload);

// For the admin's alarm_command.
struct AlarmMessage {
  std::string what;  // "downgrade", "freeze"
  std::string destination;
  std::string text;
  bool is_over = false;
};
std::string to_payload(const AlarmMessage& alarm);
std::optional<AlarmMessage> parse_alarm(std::string_view payload);

// Another mode than the configured one, until a time of day.
struct ModeMessage {
  std::uint8_t mode = 0;   // model::RowMode
  std::int64_t until = 0;  // seconds since the epoch; 0 = the configured mode holds again
};
std::string to_payload(const ModeMessage& mode);
std::optional<ModeMessage> parse_mode(std::string_view payload);

// One exchange with Postfix.
struct FollowedMessage {
  std::int64_t at = 0;
  std::string map;
  std::string key;
  std::string reply;
};
std::string to_payload(const FollowedMessage& exchange);
std::optional<FollowedMessage> parse_followed(std::string_view payload);

// Texts of at most 1 KiB, at most 256 of them.
std::string to_payload(const std::vector<std::string>& texts);
std::optional<std::vector<std::string>> parse_texts(std::string_view payload);

std::string to_payload(std::uint64_t number);
std::optional<std::uint64_t> parse_u64(std::string_view payload);

// Payload of EvidenceUid. Without a uid, and of a payload that is none: nobody's, -1.
std::string uid_payload(std::optional<std::uint32_t> uid);
std::int64_t parse_uid(std::string_view payload);

}  // namespace wire
