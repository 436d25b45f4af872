// Reads profile and outbound once, looks at every value, and builds the policy image.
//
// A row that can't be used becomes a fault under its name. A profile that can't, or such a row that
// holds for a whole class of names (`*`, `[*]`, `.com`), refuses everything: nobody could say which
// names to answer TEMP.
#pragma once

#include <string>
#include <variant>

#include "src/base/clock.h"
#include "src/model/verdict.h"
#include "src/store/policy_source.h"
#include "src/store/sqlite.h"

namespace store {

// Why nothing was compiled, though every page could be read.
struct Refusal {
  std::string text;
};
// Rows out of order, or not as many as were counted: a page is not where it belongs.
struct Disorder {
  std::string text;
};
// The policy is in order, but there was no memory or no descriptor for its image.
struct NotBuilt {
  std::string text;
};

using CompileOutcome = std::variant<Compiled, Refusal, Disorder, NotBuilt, Failure>;

// `db` must be inside a read transaction, so that all is of one commit.
CompileOutcome compile_policy(Database& db, const model::PolicyCheck& check, base::sys_seconds now);

}  // namespace store
