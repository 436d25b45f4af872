// The columns of table outbound, in one order for whoever reads or writes a row. Private to store.
#pragma once

#include <string_view>

#include "src/store/policy_db.h"
#include "src/store/sqlite.h"

namespace store {

inline constexpr std::string_view kSelectOutbound =
    "SELECT destination, profile, match, mode, owner, reason, expires_at, comment FROM outbound ";

// An upsert, not a REPLACE: a row that says the same as before leaves no trace in the change log.
inline constexpr std::string_view kSetOutbound =
    "INSERT INTO outbound(destination, profile, match, mode, owner, reason, expires_at, comment) "
    "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) "
    "ON CONFLICT(destination) DO UPDATE SET profile = excluded.profile, match = excluded.match, "
    "mode = excluded.mode, owner = excluded.owner, reason = excluded.reason, "
    "expires_at = excluded.expires_at, comment = excluded.comment";

// The row that a statement of kSelectOutbound stands on.
OutboundRow read_outbound_row(const Statement& statement);

// The parameters of kSetOutbound; `row` must outlive the run.
void bind_outbound_row(Statement& statement, const OutboundRow& row);

}  // namespace store
