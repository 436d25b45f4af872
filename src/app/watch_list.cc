#include "src/app/watch_list.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

#include "src/engine/judge.h"
#include "src/model/next_hop.h"

namespace app {
namespace {

using wire::WatchedRecord;

class List {
 public:
  List(const image::Image* image, std::int64_t now) : image_(image), now_(now) {}

  void add_rows() {
    if (image_ == nullptr) return;
    auto rows = image_->rows();
    while (const auto row = rows.next()) {
      const bool is_over = row->expires_at != 0 && row->expires_at <= now_;
      if (row->profile == nullptr || !row->fault.empty() || is_over) continue;
      if (engine::is_stricter_than_opportunistic(*row->profile)) add(row->destination);
    }
  }

  void add_state(const store::StoredState& stored) {
    const auto& state = stored.state;
    // How old the others are says nothing of mail: probes refresh them.
    const bool is_settled = state.phase == model::Phase::Normal && state.failures.empty();
    WatchedRecord* record = is_settled ? find(stored.destination) : add(stored.destination);
    if (record == nullptr) return;
    record->checked_at = std::max(record->checked_at, state.worked_at);
    record->is_downgraded = record->is_downgraded || is_away(state);
    record->failed_at = std::max(record->failed_at, last_mail_failure(state));
  }

  void add_mail(std::string_view destination) { add(destination); }

  void note_check(const store::StoredProbe& probe) {
    if (WatchedRecord* record = find(probe.record.destination)) {
      record->checked_at = std::max(record->checked_at, probe.record.at);
    }
  }

  std::vector<WatchedRecord> finish() {
    std::vector<WatchedRecord> all;
    all.reserve(records_.size());
    for (auto& [destination, record] : records_) {
      record.destination = destination;
      if (record.failed_at != 0) {
        record.retry_after = find_retry_after(image_, destination, now_);
        // A check that came after it has said what there is to say.
        if (record.checked_at >= record.failed_at + record.retry_after) record.failed_at = 0;
      }
      all.push_back(std::move(record));
    }
    return all;
  }

 private:
  // Null where nobody could connect to it, or the list is full.
  WatchedRecord* add(std::string_view destination) {
    std::string name(destination);
    if (const auto known = records_.find(name); known != records_.end()) return &known->second;
    if (records_.size() >= kMostWatched) return nullptr;
    if (!model::is_deliverable(model::normalise_key(name).kind)) return nullptr;
    return &records_[std::move(name)];
  }
  WatchedRecord* find(const std::string& destination) {
    const auto known = records_.find(destination);
    return known == records_.end() ? nullptr : &known->second;
  }

  const image::Image* image_;
  std::int64_t now_;
  std::unordered_map<std::string, WatchedRecord> records_;
};

base::sys_seconds at_second(std::int64_t since_epoch) {
  return base::sys_seconds(std::chrono::seconds(since_epoch));
}

}  // namespace

base::Result<std::vector<WatchedRecord>> make_watch_list(const image::Image* image,
                                                         store::StateDb& db, std::int64_t now) {
  List list(image, now);
  list.add_rows();
  const auto mail = db.load_recent_mail(
      now - kWatchedAfterMail, [&](std::string_view destination) { list.add_mail(destination); });
  if (!mail) return base::Error{mail.error()};
  const auto states = db.load_states([&](const store::StoredState& stored) {
    list.add_state(stored);
    return true;
  });
  if (!states) return base::Error{states.error()};
  const auto probes = db.load_probes([&](const store::StoredProbe& probe) {
    list.note_check(probe);
    return true;
  });
  if (!probes) return base::Error{probes.error()};
  return list.finish();
}

std::int64_t find_retry_after(const image::Image* image, std::string_view destination,
                              std::int64_t now) {
  if (image == nullptr) return model::kDefaultRetryAfter;
  const auto key = model::normalise_key(destination);
  const auto verdict = engine::judge(*image, {key, {}}, model::RowMode::Enforce, at_second(now));
  if (verdict.kind != model::Verdict::Kind::Policy) return model::kDefaultRetryAfter;
  return engine::rules_of(verdict.row, verdict.step, key.kind).retry_after;
}

std::optional<engine::AskedLevel> find_asked(const image::Image* image,
                                             std::string_view destination, std::int64_t now) {
  if (image == nullptr) return std::nullopt;
  const auto key = model::normalise_key(destination);
  const auto enforce = model::RowMode::Enforce;
  if (const auto observed = engine::judge_observed(*image, {key, {}}, enforce, at_second(now))) {
    return engine::asked_by(observed->row);
  }
  const auto verdict = engine::judge(*image, {key, {}}, enforce, at_second(now));
  if (verdict.kind != model::Verdict::Kind::Policy) return std::nullopt;
  return engine::asked_by(verdict.row);
}

std::int64_t last_mail_failure(const model::DestinationState& state) {
  std::int64_t last = 0;
  for (const auto& failure : state.failures) {
    if (model::is_mail(failure.evidence.source)) last = std::max(last, failure.at.wall);
  }
  return last;
}

}  // namespace app
