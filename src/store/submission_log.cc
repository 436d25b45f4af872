#include "src/store/submission_log.h"

#include <fmt/format.h>

#include "src/store/state_db_impl.h"

namespace store {
namespace {

constexpr std::string_view kColumns =
    "at, rule, step, client, sasl_user, sender, recipient, protocol, required, got, action";

}  // namespace

Failure add(Database& db, const std::vector<model::SubmissionDecision>& decisions) {
  if (decisions.empty()) return {};
  auto [statement, failure] =
      db.prepare(fmt::format("INSERT INTO submission_decision({}) "
                             "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
                             kColumns));
  if (failure.failed()) return failure;
  for (const auto& one : decisions) {
    statement.bind(1, one.at);
    int column = 1;
    for (const auto* text : {&one.rule, &one.step, &one.client, &one.sasl_user, &one.sender,
                             &one.recipient, &one.protocol, &one.required, &one.got, &one.action}) {
      statement.bind(++column, std::string_view(*text));
    }
    if (auto failed = statement.run(); failed.failed()) return failed;
  }
  return {};
}

Failure trim_submissions(Database& db, std::int64_t most) {
  return db.execute(
      fmt::format("DELETE FROM submission_decision WHERE seq <= (SELECT max(seq) FROM "
                  "submission_decision) - {}",
                  most));
}

base::Result<std::vector<StateDb::SubmissionRow>> StateDb::list_submissions(std::int64_t since,
                                                                            std::int64_t limit) {
  auto [statement, failure] = impl_->db.prepare(fmt::format(
      "SELECT seq, {} FROM submission_decision WHERE at >= ?1 ORDER BY seq DESC LIMIT ?2",
      kColumns));
  if (failure.failed()) return base::Error{impl_->describe(failure)};
  statement.bind(1, since);
  statement.bind(2, limit);
  std::vector<SubmissionRow> rows;
  while (statement.step()) {
    SubmissionRow row;
    row.seq = statement.integer(0);
    auto& one = row.decision;
    one.at = statement.integer(1);
    int column = 1;
    for (auto* text : {&one.rule, &one.step, &one.client, &one.sasl_user, &one.sender,
                       &one.recipient, &one.protocol, &one.required, &one.got, &one.action}) {
      *text = statement.text(++column);
    }
    rows.push_back(std::move(row));
  }
  if (statement.failure().failed()) return base::Error{impl_->describe(statement.failure())};
  return rows;
}

}  // namespace store
