#include "src/wire/state_record.h"

#include <algorithm>
#include <array>

#include "src/base/bytes.h"
#include "src/wire/record_bytes.h"

namespace wire {
namespace {

using base::append_number;
using base::ByteReader;
using model::Decision;
using model::DestinationState;
using model::Evidence;

void append_cut(std::string& out, std::string_view text) {
  base::append_text(out, text.substr(0, kLongestRecordText));
}

std::string take_text(ByteReader& from) {
  const auto text = from.text();
  if (text.size() > kLongestRecordText) from.fail();
  return std::string(text);
}

template <class T, class Append>
void append_items(std::string& out, const std::vector<T>& items, Append append) {
  const auto count = std::min(items.size(), kMostRecordItems);
  append_number<std::uint16_t>(out, static_cast<std::uint16_t>(count));
  for (std::size_t i = 0; i < count; ++i) append(out, items[i]);
}

template <class T, class Take>
std::vector<T> take_items(ByteReader& from, Take take) {
  std::vector<T> items;
  const auto count = from.number<std::uint16_t>();
  if (count > kMostRecordItems) from.fail();
  for (std::size_t i = 0; i < count && from.ok(); ++i) items.push_back(take(from));
  return items;
}

void append_evidence(std::string& out, const Evidence& seen) {
  append_number<std::uint8_t>(out, static_cast<std::uint8_t>(seen.outcome.security));
  append_optional(out, seen.outcome.cause);
  append_number<std::uint8_t>(out, static_cast<std::uint8_t>(seen.source));
  append_number<std::uint8_t>(out, seen.is_trusted ? 1 : 0);
  append_number<std::uint8_t>(out, seen.was_offered ? 1 : 0);
  append_number<std::int64_t>(out, seen.at);
  append_cut(out, seen.mx);
  append_cut(out, seen.text);
}

Evidence take_evidence(ByteReader& from) {
  Evidence seen;
  seen.outcome.security = take_enum(from, model::kSecurities);
  seen.outcome.cause = take_optional(from, model::kCauses);
  seen.source = take_enum(from, model::kSources);
  seen.is_trusted = take_bool(from);
  seen.was_offered = take_bool(from);
  seen.at = from.number<std::int64_t>();
  seen.mx = take_text(from);
  seen.text = take_text(from);
  return seen;
}

void append_failure(std::string& out, const DestinationState::Failure& failure) {
  append_number<std::int64_t>(out, failure.at.wall);
  append_number<std::int64_t>(out, failure.at.lived);
  append_evidence(out, failure.evidence);
}

DestinationState::Failure take_failure(ByteReader& from) {
  DestinationState::Failure failure;
  failure.at.wall = from.number<std::int64_t>();
  failure.at.lived = from.number<std::int64_t>();
  failure.evidence = take_evidence(from);
  return failure;
}

void append_state(std::string& out, const DestinationState& state) {
  append_number<std::uint64_t>(out, state.version);
  for (const auto number : {state.offered_at, state.absent_at, state.worked_at, state.offered_lived,
                            state.thawed_lived, state.since, state.until, state.length}) {
    append_number<std::int64_t>(out, number);
  }
  append_number<std::uint8_t>(out, static_cast<std::uint8_t>(state.phase));
  append_number<std::uint8_t>(out, static_cast<std::uint8_t>(state.to));
  for (const bool flag : {state.is_confirmed, state.is_failing, state.has_vanished}) {
    append_number<std::uint8_t>(out, flag ? 1 : 0);
  }
  append_items(out, state.failures, append_failure);
}

DestinationState take_state(ByteReader& from) {
  DestinationState state;
  state.version = from.number<std::uint64_t>();
  for (auto* number : {&state.offered_at, &state.absent_at, &state.worked_at, &state.offered_lived,
                       &state.thawed_lived, &state.since, &state.until, &state.length}) {
    *number = from.number<std::int64_t>();
  }
  state.phase = take_enum(from, model::kPhases);
  state.to = take_enum(from, model::kLevels);
  for (auto* flag : {&state.is_confirmed, &state.is_failing, &state.has_vanished}) {
    *flag = take_bool(from);
  }
  state.failures = take_items<DestinationState::Failure>(from, take_failure);
  return state;
}

void append_decision(std::string& out, const Decision& decision) {
  append_number<std::uint8_t>(out, static_cast<std::uint8_t>(decision.kind));
  append_optional(out, decision.from);
  append_optional(out, decision.to);
  append_cut(out, decision.why);
  append_cut(out, decision.rule);
  append_cut(out, decision.fallback);
  append_number<std::int64_t>(out, decision.until);
  append_items(out, decision.evidence, append_evidence);
}

Decision take_decision(ByteReader& from) {
  Decision decision;
  decision.kind = take_enum(from, model::kDecisionKinds);
  decision.from = take_optional(from, model::kLevels);
  decision.to = take_optional(from, model::kLevels);
  decision.why = take_text(from);
  decision.rule = take_text(from);
  decision.fallback = take_text(from);
  decision.until = from.number<std::int64_t>();
  decision.evidence = take_items<Evidence>(from, take_evidence);
  return decision;
}

CountRecord take_count(ByteReader& from) {
  CountRecord record;
  record.view = take_text(from);
  record.destination = take_text(from);
  record.hour = from.number<std::int64_t>();
  record.source = take_enum(from, model::kSources);
  record.outcome.security = take_enum(from, model::kSecurities);
  record.outcome.cause = take_optional(from, model::kCauses);
  record.is_trusted = take_bool(from);
  record.count = from.number<std::uint32_t>();
  return record;
}

}  // namespace

void append_state_record(std::string& out, const StateRecord& record) {
  append_cut(out, record.view);
  append_cut(out, record.destination);
  append_state(out, record.state);
}

std::optional<StateRecord> take_state_record(std::string_view& bytes) {
  ByteReader from(bytes);
  StateRecord record;
  record.view = take_text(from);
  record.destination = take_text(from);
  record.state = take_state(from);
  if (!from.ok()) return std::nullopt;
  bytes.remove_prefix(from.at());
  return record;
}

std::string to_payload(const Proposal& proposal) {
  std::string out;
  append_number<std::uint64_t>(out, proposal.id);
  append_number<std::int64_t>(out, proposal.at);
  append_cut(out, proposal.view);
  append_cut(out, proposal.destination);
  append_number<std::uint8_t>(out, proposal.state ? 1 : 0);
  if (proposal.state) append_state(out, *proposal.state);
  append_items(out, proposal.decisions, append_decision);
  return out;
}

std::optional<Proposal> parse_proposal(std::string_view payload) {
  ByteReader from(payload);
  Proposal proposal;
  proposal.id = from.number<std::uint64_t>();
  proposal.at = from.number<std::int64_t>();
  proposal.view = take_text(from);
  proposal.destination = take_text(from);
  if (take_bool(from)) proposal.state = take_state(from);
  proposal.decisions = take_items<Decision>(from, take_decision);
  if (!from.ok() || from.at() != payload.size()) return std::nullopt;
  return proposal;
}

void append_count_record(std::string& out, const CountRecord& record) {
  append_cut(out, record.view);
  append_cut(out, record.destination);
  append_number<std::int64_t>(out, record.hour);
  append_number<std::uint8_t>(out, static_cast<std::uint8_t>(record.source));
  append_number<std::uint8_t>(out, static_cast<std::uint8_t>(record.outcome.security));
  append_optional(out, record.outcome.cause);
  append_number<std::uint8_t>(out, record.is_trusted ? 1 : 0);
  append_number<std::uint32_t>(out, record.count);
}

std::optional<CountRecord> take_count_record(std::string_view& bytes) {
  ByteReader from(bytes);
  auto record = take_count(from);
  if (!from.ok()) return std::nullopt;
  bytes.remove_prefix(from.at());
  return record;
}

void append_observed_record(std::string& out, const ObservedRecord& record) {
  append_count_record(out, record.seen);
  append_cut(out, record.asked.row);
  append_cut(out, record.asked.profile);
  append_optional(out, record.asked.level);
  append_number<std::uint8_t>(out, static_cast<std::uint8_t>(record.asked.fallback));
}

std::optional<ObservedRecord> take_observed_record(std::string_view& bytes) {
  ByteReader from(bytes);
  ObservedRecord record;
  record.seen = take_count(from);
  record.asked.row = take_text(from);
  record.asked.profile = take_text(from);
  record.asked.level = take_optional(from, model::kLevels);
  record.asked.fallback = take_enum(from, model::kFallbacks);
  if (!from.ok()) return std::nullopt;
  bytes.remove_prefix(from.at());
  return record;
}

void append_reported_evidence(std::string& out, const ReportedEvidence& reported) {
  append_number<std::uint64_t>(out, reported.serial);
  append_number<std::int64_t>(out, reported.pid);
  append_number<std::int64_t>(out, reported.seen_at);
  append_number<std::uint8_t>(out, reported.is_next_hop ? 1 : 0);
  append_number<std::uint8_t>(out, reported.is_pid_needed ? 1 : 0);
  append_number<std::uint8_t>(out, reported.is_reused ? 1 : 0);
  append_cut(out, reported.destination);
  append_evidence(out, reported.evidence);
}

std::optional<ReportedEvidence> take_reported_evidence(std::string_view& bytes) {
  ByteReader from(bytes);
  ReportedEvidence reported;
  reported.serial = from.number<std::uint64_t>();
  reported.pid = from.number<std::int64_t>();
  reported.seen_at = from.number<std::int64_t>();
  reported.is_next_hop = take_bool(from);
  reported.is_pid_needed = take_bool(from);
  reported.is_reused = take_bool(from);
  reported.destination = take_text(from);
  reported.evidence = take_evidence(from);
  if (!from.ok()) return std::nullopt;
  bytes.remove_prefix(from.at());
  return reported;
}

}  // namespace wire
