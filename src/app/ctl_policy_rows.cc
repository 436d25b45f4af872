#include "src/app/ctl_policy_rows.h"

#include <fmt/format.h>

#include "src/app/ctl_context.h"
#include "src/app/ctl_profile_fault.h"
#include "src/base/time_text.h"
#include "tlsmap/policy_text.h"

namespace app::ctl {

std::optional<PolicyDbRows::Loaded> PolicyDbRows::load(std::string_view destination) const {
  const auto row = db_.find_outbound(destination);
  if (!row) {
    trouble_ = row.error();
    return std::nullopt;
  }
  if (!*row) return std::nullopt;
  Loaded loaded;
  loaded.row = **row;
  const auto profile = db_.load_profile(loaded.row.profile);
  const auto match = loaded.row.match.value_or("");
  if (!profile) {
    loaded.fault = plain_sentence(profile.error());
    loaded.is_profile_at_fault = true;
  } else if (!*profile) {
    loaded.fault = fmt::format("there is no profile \"{}\"", loaded.row.profile);
  } else {
    loaded.profile = **profile;
    if (auto fault = find_profile_fault(**profile)) {
      loaded.fault = std::move(*fault);
      // The attributes of a fingerprint profile are judged with the pins of each row.
      loaded.is_profile_at_fault = (*profile)->level != model::Level::Fingerprint ||
                                   model::find_contradiction(**profile).has_value();
    } else if (auto match_fault = model::find_match_fault(**profile, match)) {
      loaded.fault = std::move(*match_fault);
    } else if (auto policy_fault = tlsmap::find_policy_fault(**profile, match)) {
      loaded.fault = std::move(*policy_fault);
    } else if (!model::parse_row_mode(loaded.row.mode)) {
      loaded.fault = fmt::format("mode \"{}\" is neither enforce nor observe", loaded.row.mode);
    }
  }
  // As the daemon has it: an end that can't be read ends nothing.
  auto& end = loaded.row.expires_at;
  if (end && (*end < 1 || *end > base::kLastTime)) {
    if (loaded.fault.empty()) loaded.fault = fmt::format("expires_at is {}", *end);
    end.reset();
  }
  return loaded;
}

std::optional<model::PolicyRow> PolicyDbRows::find(std::string_view destination) const {
  auto at = rows_.find(destination);
  if (at == rows_.end()) at = rows_.emplace(destination, load(destination)).first;
  if (!at->second) return std::nullopt;
  const Loaded& found = *at->second;
  model::PolicyRow row;
  row.destination = found.row.destination;
  row.profile = found.profile ? &*found.profile : nullptr;
  if (found.row.match) row.match = *found.row.match;
  row.mode = model::parse_row_mode(found.row.mode).value_or(model::RowMode::Enforce);
  row.expires_at = found.row.expires_at.value_or(0);
  row.fault = found.fault;
  return row;
}

const PolicyDbRows::Loaded* PolicyDbRows::loaded(std::string_view destination) const {
  const auto at = rows_.find(destination);
  return at == rows_.end() || !at->second ? nullptr : &*at->second;
}

}  // namespace app::ctl
