// Table profile as a list of columns, and its rows as the engine sees them. Shared by the admin's
// tools and by the compiler of the policy image, so that both understand a row alike.
#pragma once

#include <string>
#include <vector>

#include "src/base/result.h"
#include "src/model/profile.h"
#include "src/store/policy_db.h"
#include "src/store/sqlite.h"

namespace store {

// "name, level, ...": the columns of profile in order, for a SELECT.
std::string profile_column_list();

// The row `statement` stands on, which must have been selected by that list. The error names the
// column whose value isn't one of ours.
base::Result<model::Profile> read_profile(const Statement& statement);

// The same as text, for listings.
ProfileRow read_profile_columns(const Statement& statement);

}  // namespace store
