// A profile as settings, "column=value", and back: how a profile travels in a CSV file, and what is
// written for a new one. And which profiles every database has from the start.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"
#include "src/model/profile.h"
#include "src/store/policy_db.h"

namespace app::ctl {

// Every column that is set, in column order, but name and comment; level and fallback always are.
std::vector<store::PolicyDb::Setting> settings_of(const model::Profile& profile);
// "level=encrypt fallback=never ciphers=high".
std::string settings_text(const model::Profile& profile);

// The way back; the error names the setting and what is allowed. Says nothing of contradictions.
base::Result<model::Profile> parse_settings(std::string_view name, std::string_view text);

// The profile that init ships for what Postfix itself does at a level; empty where there is none.
std::string_view shipped_profile(model::Level level);
// Whether the profile is, name and all but its comment, one that init makes.
bool is_as_shipped(const model::Profile& profile);

}  // namespace app::ctl
