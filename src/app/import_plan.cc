#include "src/app/import_plan.h"

#include <fmt/format.h>

#include <map>

#include "src/base/text.h"
#include "tlsmap/policy_text.h"

namespace app::ctl {
namespace {

using store::OutboundRow;

constexpr std::size_t kMostFaultsRemembered = 10'000;

}  // namespace

bool is_in_force(const OutboundRow& row, base::sys_seconds now) {
  return row.mode == "enforce" &&
         (!row.expires_at || *row.expires_at > now.time_since_epoch().count());
}

ImportPlanner::ImportPlanner(ImportFile& file, ProfileBook& profiles, const PlanOptions& options)
    : file_(file), profiles_(profiles), options_(options), policy_keys_(file.policies.size()) {
  // What the rows of a CSV file say of their profiles comes before the rows themselves.
  std::map<std::string, std::string, std::less<>> faults;
  for (const auto& [name, settings] : file_.profile_settings) {
    if (const auto known = profiles_.demand(name, settings); !known) {
      faults.emplace(name, known.error());
    }
  }
  if (faults.empty()) return;
  for (auto& row : file_.rows) {
    const auto fault = faults.find(row.row.profile);
    if (row.is_refused || fault == faults.end()) continue;
    file_.refused.add(row.line, fmt::format("{}: {}", row.row.destination, fault->second));
    row.is_refused = true;
  }
}

void ImportPlanner::meet(OutboundRow&& present) {
  const auto count = file_.rows.size();
  while (next_ < count && file_.rows[next_].row.destination < present.destination) add(next_++);
  if (next_ < count && file_.rows[next_].row.destination == present.destination) {
    settle(next_++, std::move(present));
  } else {
    miss(std::move(present));
  }
}

ImportPlan ImportPlanner::finish() {
  while (next_ < file_.rows.size()) add(next_++);
  if (file_.format == FileFormat::TlsPolicy) name_profiles();
  return std::move(plan_);
}

void ImportPlanner::add(std::uint32_t index) {
  const auto& row = file_.rows[index];
  if (row.is_refused || !is_sound(row)) return;
  ++plan_.added;
  plan_.changes.push_back({RowChange::Op::Add, index, nullptr});
}

void ImportPlanner::change(std::uint32_t index, OutboundRow&& present) {
  ++plan_.changed;
  plan_.changes.push_back(
      {RowChange::Op::Change, index, std::make_unique<OutboundRow>(std::move(present))});
}

void ImportPlanner::miss(OutboundRow&& present) {
  if (!options_.removes_absent) return;
  const bool is_any = present.destination == "*" || present.destination == "[*]";
  if (file_.format == FileFormat::TlsPolicy && (is_any || !is_in_force(present, options_.now))) {
    ++plan_.left_alone;
    return;
  }
  ++plan_.removed;
  plan_.changes.push_back(
      {RowChange::Op::Remove, 0, std::make_unique<OutboundRow>(std::move(present))});
}

void ImportPlanner::settle(std::uint32_t index, OutboundRow&& present) {
  if (file_.rows[index].is_refused) return;
  if (file_.format == FileFormat::TlsPolicy) {
    settle_by_policy(index, std::move(present));
  } else {
    settle_by_columns(index, std::move(present));
  }
}

void ImportPlanner::settle_by_policy(std::uint32_t index, OutboundRow&& present) {
  auto& row = file_.rows[index];
  if (says_what_holds(row, present)) {
    if (is_in_force(present, options_.now)) {
      ++plan_.unchanged;
      return;
    }
    row.row = present;
    row.row.mode = "enforce";
    row.row.expires_at.reset();
  }
  change(index, std::move(present));
}

void ImportPlanner::settle_by_columns(std::uint32_t index, OutboundRow&& present) {
  auto& row = file_.rows[index].row;
  const auto is_given = [&](std::string_view column) { return file_.columns.contains(column); };
  if (!is_given("match")) row.match = present.match;
  if (!is_given("mode")) row.mode = present.mode;
  if (!is_given("owner")) row.owner = present.owner;
  if (!is_given("reason")) row.reason = present.reason;
  if (!is_given("expires_at")) row.expires_at = present.expires_at;
  if (!is_given("comment")) row.comment = present.comment;
  if (row == present) {
    ++plan_.unchanged;
  } else if (is_sound(file_.rows[index])) {
    change(index, std::move(present));
  }
}

// Of a Postfix table, the parser has asked all of this already.
bool ImportPlanner::is_sound(const FileRow& row) {
  if (file_.format == FileFormat::TlsPolicy) return true;
  const auto& name = row.row.profile;
  const auto match = row.row.match.value_or("");
  const auto key = fmt::format("{}\n{}", name, match);
  auto known = known_faults_.find(key);
  if (known == known_faults_.end()) {
    std::optional<std::string> fault;
    if (const auto* profile = profiles_.find(name)) {
      fault = model::find_match_fault(*profile, match);
      if (!fault) fault = tlsmap::find_policy_fault(*profile, match);
    } else {
      fault =
          fmt::format("there is no profile \"{}\"; `tlspolicyctl profile list` shows all", name);
    }
    if (known_faults_.size() >= kMostFaultsRemembered) known_faults_.clear();
    known = known_faults_.emplace(key, std::move(fault)).first;
  }
  if (!known->second) return true;
  file_.refused.add(row.line, fmt::format("{}: {}", row.row.destination, *known->second));
  return false;
}

const std::string& ImportPlanner::key_of_policy(std::uint32_t policy) {
  auto& key = policy_keys_.at(policy);
  if (key.empty()) key = tlsmap::attribute_key(file_.policies[policy].profile);
  return key;
}

const ImportPlanner::ProfileKeys* ImportPlanner::keys_of(const std::string& profile) {
  auto known = profile_keys_.find(profile);
  if (known == profile_keys_.end()) {
    const auto* found = profiles_.find(profile);
    if (found == nullptr) return nullptr;
    ProfileKeys keys{
        tlsmap::attribute_key(*found),
        tlsmap::attribute_key(tlsmap::without_unknown_attributes(*found, options_.version))};
    known = profile_keys_.emplace(profile, std::move(keys)).first;
  }
  return &known->second;
}

// A table for an older Postfix can't hold every attribute of a profile; what it leaves out for that
// reason is no wish to be rid of it.
bool ImportPlanner::says_what_holds(const FileRow& row, const OutboundRow& present) {
  if (row.row.match != present.match) return false;
  const auto* keys = keys_of(present.profile);
  if (keys == nullptr) return false;
  const auto& key = key_of_policy(row.policy);
  return key == keys->full || key == keys->known;
}

// In order of the attributes, so that the names don't depend on the order of the lines.
void ImportPlanner::name_profiles() {
  std::map<std::string, const model::Profile*> wanted;
  const auto needs_name = [&](const RowChange& change) {
    return change.op != RowChange::Op::Remove && file_.rows[change.row].row.profile.empty();
  };
  for (const auto& change : plan_.changes) {
    if (!needs_name(change)) continue;
    const auto policy = file_.rows[change.row].policy;
    wanted.emplace(key_of_policy(policy), &file_.policies[policy].profile);
  }
  std::map<std::string, std::string> names;
  for (const auto& [key, profile] : wanted) names.emplace(key, profiles_.share(*profile));
  for (const auto& change : plan_.changes) {
    if (!needs_name(change)) continue;
    auto& row = file_.rows[change.row];
    row.row.profile = names.at(key_of_policy(row.policy));
  }
}

}  // namespace app::ctl
