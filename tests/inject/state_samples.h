// State, decisions and counters as the scenarios write them to state.db.
#pragma once

#include <string>

#include "src/store/state_db.h"

namespace inject {

// A downgrade of "dN.example", with the id "change N".
store::StateChange change_of(std::uint64_t number);
// What is wrong with what state.db has of that change, and whether it has it: both its parts, or
// none.
std::string find_change(store::StateDb& db, std::uint64_t number, bool& is_there);
// What is wrong with the file as a whole: pages, schema, ledger.
std::string find_state_damage(const std::string& path);

}  // namespace inject
