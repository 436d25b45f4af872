#include "src/app/report_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "src/model/next_hop.h"
#include "src/wire/net_message.h"

namespace app {

void ReportReader::take(std::string_view payload) {
  if (feedback_.has_base()) return take_all(payload);
  waiting_bytes_ += payload.size();
  waiting_.emplace_back(payload);
  // The oldest first: a line behind one that was taken is one that was read again.
  for (; waiting_bytes_ > kMostWaiting; waiting_.pop_front()) {
    waiting_bytes_ -= waiting_.front().size();
    take_all(waiting_.front());
  }
}

void ReportReader::release() {
  for (const auto& payload : std::exchange(waiting_, {})) take_all(payload);
  waiting_bytes_ = 0;
}

void ReportReader::take_all(std::string_view payload) {
  while (const auto reported = wire::take_reported_evidence(payload)) {
    // A restarted `ingest` may read its last lines again.
    if (reported->serial != 0 && reported->serial <= last_serial_) continue;
    if (reported->serial != 0) last_serial_ = reported->serial;
    take_one(*reported);
  }
}

void ReportReader::recall(const wire::StateRecord& record) {
  const auto& state = record.state;
  auto at = std::max({state.offered_at, state.absent_at, state.worked_at, state.since});
  for (const auto& failure : state.failures) at = std::max(at, failure.at.wall);
  views_.note(record.view, at);
}

void ReportReader::take_found(std::string_view payload) {
  if (!feedback_.has_base()) return;
  while (const auto found = wire::take_found_record(payload)) {
    const model::Key key = model::normalise_key(found->destination);
    if (!model::is_deliverable(key.kind)) continue;
    const engine::ProbeFinding finding{found->encrypted, found->verified, found->secure,
                                       found->was_offered, found->mx};
    const auto views = views_.all(feedback_.now().wall);
    bool is_known = false;
    for (const auto& view : views) {
      if (!feedback_.knows(view, key)) continue;
      is_known = true;
      feedback_.take_finding(view, key, finding, found->at);
    }
    if (!is_known)
      feedback_.take_finding(views_.only(feedback_.now().wall).value_or(""), key, finding,
                             found->at);
  }
}

void ReportReader::take_one(const wire::ReportedEvidence& reported) {
  model::Evidence evidence = reported.evidence;
  model::Key key = model::normalise_key(reported.destination);
  const auto asked = book_.find(reported.pid, reported.seen_at, key.text);
  // A line that names the next-hop itself is not contradicted; the process adds the view.
  const bool is_contradicted =
      reported.is_next_hop && (!asked.question || asked.question->key != key.text);
  // What the process asked about last may be an earlier delivery's; where that was a domain, this
  // one's was its own.
  const bool is_stale = reported.is_reused && asked.question && asked.question->key != key.text;
  const bool is_own_domain =
      is_stale && model::normalise_key(asked.question->key).kind == model::KeyKind::Domain;
  const bool is_of_process = asked.question && !is_contradicted && !is_stale;
  const bool is_elsewhere =
      !reported.is_next_hop && !is_own_domain && (asked.is_known || reported.is_pid_needed);
  auto view = views_.only(feedback_.now().wall);
  if (is_of_process) {
    view = asked.question->view;
    key = model::normalise_key(asked.question->key);
    evidence.text += fmt::format("; process {} had asked about it", reported.pid);
  } else {
    evidence.text +=
        reported.is_next_hop ? "; by the domain that TLSRPT names" : "; by the recipient's domain";
  }
  if (!view || (is_elsewhere && !is_of_process) || !model::is_deliverable(key.kind)) {
    ++unplaced_;
    return;
  }
  feedback_.take(*view, key, evidence);
}

}  // namespace app
