// The part of PolicyDb that edits and lists table outbound.
#include <fmt/format.h>

#include "src/store/outbound_sql.h"
#include "src/store/policy_db_state.h"

namespace store {

OutboundRow read_outbound_row(const Statement& statement) {
  OutboundRow row;
  row.destination = statement.text(0);
  row.profile = statement.text(1);
  row.match = statement.optional_text(2);
  row.mode = statement.text(3);
  row.owner = statement.optional_text(4);
  row.reason = statement.optional_text(5);
  if (statement.type(6) != ColumnType::Null) row.expires_at = statement.integer(6);
  row.comment = statement.optional_text(7);
  return row;
}

void bind_outbound_row(Statement& statement, const OutboundRow& row) {
  statement.bind(1, std::string_view(row.destination));
  statement.bind(2, std::string_view(row.profile));
  statement.bind(3, row.match);
  statement.bind(4, std::string_view(row.mode));
  statement.bind(5, row.owner);
  statement.bind(6, row.reason);
  statement.bind(7, row.expires_at);
  statement.bind(8, row.comment);
}

base::Result<void> PolicyDb::set_outbound(const OutboundRow& row) {
  auto [statement, failure] = state_->db.prepare(kSetOutbound);
  if (failure.failed()) return state_->describe(failure);
  bind_outbound_row(statement, row);
  if (auto written = state_->write(statement); !written) return base::Error{written.error()};
  return {};
}

base::Result<bool> PolicyDb::remove_outbound(std::string_view destination) {
  auto [statement, failure] = state_->db.prepare("DELETE FROM outbound WHERE destination = ?1");
  if (failure.failed()) return state_->describe(failure);
  statement.bind(1, destination);
  auto removed = state_->write(statement);
  if (!removed) return base::Error{removed.error()};
  return *removed > 0;
}

base::Result<std::optional<OutboundRow>> PolicyDb::find_outbound(std::string_view destination) {
  auto [statement, failure] =
      state_->db.prepare(fmt::format("{}WHERE destination = ?1", kSelectOutbound));
  if (failure.failed()) return state_->describe(failure);
  statement.bind(1, destination);
  std::optional<OutboundRow> row;
  if (statement.step()) row = read_outbound_row(statement);
  if (statement.failure().failed()) return state_->describe(statement.failure());
  return row;
}

base::Result<std::vector<OutboundRow>> PolicyDb::list_outbound() {
  auto [statement, failure] =
      state_->db.prepare(fmt::format("{}ORDER BY destination", kSelectOutbound));
  if (failure.failed()) return state_->describe(failure);
  std::vector<OutboundRow> rows;
  while (statement.step()) rows.push_back(read_outbound_row(statement));
  if (statement.failure().failed()) return state_->describe(statement.failure());
  return rows;
}

}  // namespace store
