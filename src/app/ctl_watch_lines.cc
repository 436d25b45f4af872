// The destinations of `watch`: those with a row stricter than opportunistic, and all that were
// checked lately.
#include <map>
#include <utility>

#include "src/app/ctl_policy_rows.h"
#include "src/app/ctl_rows.h"
#include "src/app/ctl_watch.h"
#include "src/engine/judge.h"
#include "src/model/next_hop.h"

namespace app::ctl {
namespace {

using Lines = std::map<std::string, WatchLine, std::less<>>;

WatchLine& line_of(Lines& lines, const std::string& destination) {
  auto& line = lines[destination];
  line.destination = destination;
  return line;
}

base::Result<void> add_strict_rows(const Context& context, store::PolicyDb& db, Lines& lines) {
  const auto profiles = db.list_profiles();
  if (!profiles) return base::Error{profiles.error()};
  std::map<std::string, bool, std::less<>> is_strict;
  for (const auto& row : *profiles) {
    const auto name = text_of(row, "name");
    const auto profile = db.load_profile(name);
    // A profile that can't be used asks for nobody knows what.
    is_strict[name] = !profile || !*profile || engine::is_stricter_than_opportunistic(**profile);
  }
  const auto rows = db.list_outbound();
  if (!rows) return base::Error{rows.error()};
  const auto now = context.now.time_since_epoch().count();
  for (const auto& row : *rows) {
    const auto strict = is_strict.find(row.profile);
    const bool is_over = row.expires_at && *row.expires_at <= now;
    if (is_over || (strict != is_strict.end() && !strict->second)) continue;
    const auto key = model::normalise_key(row.destination);
    if (model::is_deliverable(key.kind)) line_of(lines, key.text);
  }
  return {};
}

base::Result<void> add_checked(store::StateDb& db, Lines& lines) {
  return db.load_probes([&lines](store::StoredProbe stored) {
    line_of(lines, stored.record.destination).probe = std::move(stored);
    return true;
  });
}

base::Result<void> add_named(store::StateDb& db, const std::vector<std::string>& destinations,
                             Lines& lines) {
  for (const auto& destination : destinations) {
    const auto key = model::normalise_key(destination);
    auto found = db.find_probe(key.text);
    if (!found) return base::Error{found.error()};
    line_of(lines, key.text).probe = std::move(*found);
  }
  return {};
}

// The nearest row that has not expired, whether or not it is enforced: who observes wants to know
// what would become of it.
void find_row(const PolicyDbRows& rows, base::sys_seconds now, WatchLine& line) {
  const auto key = model::normalise_key(line.destination);
  const model::Question question{key, {}, model::Transport::Usual};
  const auto verdict = engine::judge_observed(rows, question, model::RowMode::Observe, now);
  if (!verdict) return;
  line.row = verdict->row.destination;
  line.mode = verdict->row.mode;
  line.asked = engine::asked_by(verdict->row);
  if (!line.asked) line.fault = verdict->reason;
}

engine::WatchVerdict judge(const WatchLine& line) {
  if (!line.asked) return {std::nullopt, line.fault.empty() ? "" : "its row can't be used"};
  if (!line.probe) return {std::nullopt, "not checked yet"};
  return engine::judge_record(*line.asked, line.probe->record);
}

}  // namespace

base::Result<std::vector<WatchLine>> find_watched(const Context& context,
                                                  const std::vector<std::string>& destinations) {
  auto policy = open_policy_db(context, store::PolicyDb::Access::ReadOnly);
  if (!policy) return base::Error{policy.error()};
  auto state = store::StateDb::open_read_only(context.config.state_db);
  if (!state) return base::Error{state.error()};
  Lines lines;
  auto done =
      destinations.empty() ? add_checked(*state, lines) : add_named(*state, destinations, lines);
  if (done && destinations.empty()) done = add_strict_rows(context, *policy, lines);
  if (!done) return base::Error{plain_sentence(done.error())};
  const PolicyDbRows rows(*policy);
  std::vector<WatchLine> found;
  for (auto& [destination, line] : lines) {
    find_row(rows, context.now, line);
    line.verdict = judge(line);
    found.push_back(std::move(line));
  }
  if (!rows.trouble().empty()) return base::Error{plain_sentence(rows.trouble())};
  return found;
}

bool is_failing(const WatchLine& line) {
  return line.verdict.delivers == false && line.mode == model::RowMode::Enforce;
}

}  // namespace app::ctl
