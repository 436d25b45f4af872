// Rows of policy.db as data: the keys are the names of the columns, NULL is null.
#pragma once

#include <string>
#include <string_view>

#include "src/app/ctl_output.h"
#include "src/store/policy_db.h"

namespace app::ctl {

Json to_json(const store::OutboundRow& row);
Json to_json(const store::ProfileRow& row);

// A column of a profile; empty where it is NULL or unknown.
std::string text_of(const store::ProfileRow& row, std::string_view column);

// "min_protocol=TLSv1.2 attempts=3": what is set besides name, level, fallback and comment.
std::string settings_of(const store::ProfileRow& row);

}  // namespace app::ctl
