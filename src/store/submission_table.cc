// The part of PolicyDb that edits and lists table submission.
#include <fmt/format.h>

#include "src/store/policy_db_state.h"

namespace store {
namespace {

constexpr std::string_view kColumns =
    "sender, require, otherwise, min_protocol, text, owner, reason, expires_at, comment";

// An upsert, not a REPLACE: a row that says the same as before leaves no trace in the change log.
constexpr std::string_view kSetSubmission =
    "INSERT INTO submission(sender, require, otherwise, min_protocol, text, owner, reason, "
    "expires_at, comment) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) "
    "ON CONFLICT(sender) DO UPDATE SET require = excluded.require, otherwise = excluded.otherwise, "
    "min_protocol = excluded.min_protocol, text = excluded.text, owner = excluded.owner, "
    "reason = excluded.reason, expires_at = excluded.expires_at, comment = excluded.comment";

SubmissionRow read_row(const Statement& statement) {
  SubmissionRow row;
  row.sender = statement.text(0);
  row.require = statement.text(1);
  row.otherwise = statement.text(2);
  row.min_protocol = statement.optional_text(3);
  row.text = statement.optional_text(4);
  row.owner = statement.optional_text(5);
  row.reason = statement.optional_text(6);
  if (statement.type(7) != ColumnType::Null) row.expires_at = statement.integer(7);
  row.comment = statement.optional_text(8);
  return row;
}

}  // namespace

base::Result<void> PolicyDb::set_submission(const SubmissionRow& row) {
  auto [statement, failure] = state_->db.prepare(kSetSubmission);
  if (failure.failed()) return state_->describe(failure);
  statement.bind(1, std::string_view(row.sender));
  statement.bind(2, std::string_view(row.require));
  statement.bind(3, std::string_view(row.otherwise));
  statement.bind(4, row.min_protocol);
  statement.bind(5, row.text);
  statement.bind(6, row.owner);
  statement.bind(7, row.reason);
  statement.bind(8, row.expires_at);
  statement.bind(9, row.comment);
  if (auto written = state_->write(statement); !written) return base::Error{written.error()};
  return {};
}

base::Result<bool> PolicyDb::remove_submission(std::string_view sender) {
  auto [statement, failure] = state_->db.prepare("DELETE FROM submission WHERE sender = ?1");
  if (failure.failed()) return state_->describe(failure);
  statement.bind(1, sender);
  auto removed = state_->write(statement);
  if (!removed) return base::Error{removed.error()};
  return *removed > 0;
}

base::Result<std::vector<SubmissionRow>> PolicyDb::list_submission() {
  auto [statement, failure] =
      state_->db.prepare(fmt::format("SELECT {} FROM submission ORDER BY sender", kColumns));
  if (failure.failed()) return state_->describe(failure);
  std::vector<SubmissionRow> rows;
  while (statement.step()) rows.push_back(read_row(statement));
  if (statement.failure().failed()) return state_->describe(statement.failure());
  return rows;
}

}  // namespace store
