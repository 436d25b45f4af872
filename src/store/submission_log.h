// The table submission_decision of state.db. Private to store.
#pragma once

#include <cstdint>
#include <vector>

#include "src/model/submission_record.h"
#include "src/store/sqlite.h"

namespace store {

// Both inside the caller's transaction.
Failure add(Database& db, const std::vector<model::SubmissionDecision>& decisions);
// Leaves the newest `most`.
Failure trim_submissions(Database& db, std::int64_t most);

}  // namespace store
