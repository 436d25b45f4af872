// States, evidence and decisions as bytes, for the channels between the roles and the state base
// that a new `answer` begins with. Both ends are the same binary on the same host; the receiver
// still believes nothing that does not parse. Bytes in, values out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/model/decision.h"
#include "src/model/destination_state.h"
#include "src/model/observation.h"

namespace wire {

// Of a view, a destination, and every text of a record.
inline constexpr std::size_t kLongestRecordText = 1024;
inline constexpr std::size_t kMostRecordItems = 256;  // failures, pieces of evidence, decisions

struct StateRecord {
  std::string view;
  std::string destination;
  model::DestinationState state;
  bool operator==(const StateRecord&) const = default;
};
// Texts that are too long are cut; further items are left out.
void append_state_record(std::string& out, const StateRecord& record);
// Takes one off the front of `bytes`; nothing where they make none.
std::optional<StateRecord> take_state_record(std::string_view& bytes);

// What `answer` asks `store` to commit.
struct Proposal {
  std::uint64_t id = 0;
  std::int64_t at = 0;
  std::string view;
  std::string destination;  // empty: about the daemon as a whole
  std::optional<model::DestinationState> state;
  std::vector<model::Decision> decisions;
  bool operator==(const Proposal&) const = default;
};
std::string to_payload(const Proposal& proposal);
std::optional<Proposal> parse_proposal(std::string_view payload);

// Counted evidence of one destination, many in a message.
struct CountRecord {
  std::string view;
  std::string destination;
  std::int64_t hour = 0;
  model::Source source = model::Source::Outcome;
  model::Outcome outcome;
  bool is_trusted = false;
  std::uint32_t count = 0;
  bool operator==(const CountRecord&) const = default;
};
void append_count_record(std::string& out, const CountRecord& record);
std::optional<CountRecord> take_count_record(std::string_view& bytes);

// The same of deliveries for which a row was only observed, and what it would have asked.
struct ObservedRecord {
  CountRecord seen;
  model::Asked asked;
  bool operator==(const ObservedRecord&) const = default;
};
void append_observed_record(std::string& out, const ObservedRecord& record);
std::optional<ObservedRecord> take_observed_record(std::string_view& bytes);

// What `ingest` tells `answer` of one delivery.
struct ReportedEvidence {
  // Of the log line it is from: what comes with one that is not higher came before. 0: no line.
  std::uint64_t serial = 0;
  // The smtp(8) process, whose last question names the destination better; 0 = not known.
  std::int64_t pid = 0;
  std::int64_t seen_at = 0;    // when that process said so, seconds since the epoch
  bool is_next_hop = false;    // `destination` is the next-hop; else the recipient's domain
  bool is_pid_needed = false;  // the destination is known by the process alone
  // Over a connection of an earlier delivery, which Postfix looks for before it asks [F 2.2.4].
  bool is_reused = false;
  std::string destination;
  model::Evidence evidence;
  bool operator==(const ReportedEvidence&) const = default;
};
void append_reported_evidence(std::string& out, const ReportedEvidence& reported);
std::optional<ReportedEvidence> take_reported_evidence(std::string_view& bytes);

}  // namespace wire
