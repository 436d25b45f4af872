// StateDb: what became of incoming mail.
#include <fmt/format.h>

#include "src/store/state_db_impl.h"
#include "src/store/submission_log.h"

namespace store {
namespace {

Failure add(Database& db, const std::vector<model::InboundDecision>& decisions) {
  auto [statement, failure] = db.prepare(
      "INSERT INTO inbound_decision(at, rule, step, client, client_name, sender, protocol, "
      "required, got, action) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");
  if (failure.failed()) return failure;
  for (const auto& one : decisions) {
    statement.bind(1, one.at);
    statement.bind(2, one.rule);
    int column = 2;
    for (const auto* text : {&one.step, &one.client, &one.client_name, &one.sender, &one.protocol,
                             &one.required, &one.got, &one.action}) {
      statement.bind(++column, std::string_view(*text));
    }
    if (auto failed = statement.run(); failed.failed()) return failed;
  }
  return {};
}

Failure add(Database& db, const std::vector<model::InboundCount>& counts) {
  auto [statement, failure] = db.prepare(
      "INSERT INTO inbound_count(rule, hour, sender_domain, network, required, got, action, count) "
      "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO UPDATE SET count = count + "
      "excluded.count");
  if (failure.failed()) return failure;
  for (const auto& one : counts) {
    const auto& tally = one.tally;
    statement.bind(1, tally.rule);
    statement.bind(2, tally.hour);
    int column = 2;
    for (const auto* text :
         {&tally.sender_domain, &tally.network, &tally.required, &tally.got, &tally.action}) {
      statement.bind(++column, std::string_view(*text));
    }
    statement.bind(8, one.count);
    if (auto failed = statement.run(); failed.failed()) return failed;
  }
  return {};
}

Failure add(Database& db, const std::vector<model::InboundKnown>& learnt, std::int64_t now) {
  auto [statement, failure] = db.prepare(
      "INSERT INTO inbound_known(sender_domain, network, messages, seen_at) VALUES(?1, ?2, ?3, ?4) "
      "ON CONFLICT DO UPDATE SET messages = max(messages, excluded.messages), seen_at = "
      "excluded.seen_at");
  if (failure.failed()) return failure;
  for (const auto& one : learnt) {
    statement.bind(1, std::string_view(one.sender_domain));
    statement.bind(2, std::string_view(one.network));
    statement.bind(3, one.messages);
    statement.bind(4, now);
    if (auto failed = statement.run(); failed.failed()) return failed;
  }
  return {};
}

// The newest decisions, the counters of kKeptSeconds, those known last; of each a bounded number.
Failure trim(Database& db, std::int64_t now) {
  auto failure = db.execute(fmt::format(
      "DELETE FROM inbound_decision WHERE seq <= (SELECT max(seq) FROM inbound_decision) - {}; "
      "DELETE FROM inbound_count WHERE hour < {}; DELETE FROM inbound_known WHERE seen_at < "
      "(SELECT "
      "seen_at FROM inbound_known ORDER BY seen_at DESC LIMIT 1 OFFSET {})",
      StateDb::kMostInbound, now - StateDb::kKeptSeconds, StateDb::kMostInbound));
  for (;;) {
    if (failure.failed()) return failure;
    const auto [rows, count_failure] = db.number("SELECT count(*) FROM inbound_count");
    if (count_failure.failed() || rows <= StateDb::kMostInboundCounts) return count_failure;
    failure =
        db.execute("DELETE FROM inbound_count WHERE hour = (SELECT min(hour) FROM inbound_count)");
  }
}

}  // namespace

std::optional<StateDb::Refused> StateDb::add_inbound(const InboundLog& log, std::int64_t now) {
  if (log.size() == 0) return std::nullopt;
  auto [transaction, failure] = Transaction::begin(impl_->db, Transaction::Kind::Write);
  if (!failure.failed()) failure = add(impl_->db, log.decisions);
  if (!failure.failed()) failure = add(impl_->db, log.counts);
  if (!failure.failed()) failure = add(impl_->db, log.learnt, now);
  if (!failure.failed()) failure = store::add(impl_->db, log.submissions);
  impl_->added_inbound += log.size();
  if (!failure.failed() && impl_->added_inbound >= kInboundTrimEvery) {
    impl_->added_inbound = 0;
    failure = trim(impl_->db, now);
    if (!failure.failed()) failure = trim_submissions(impl_->db, kMostInbound);
  }
  if (!failure.failed()) failure = transaction.commit();
  if (failure.failed()) return impl_->refuse(failure);
  return std::nullopt;
}

base::Result<std::vector<StateDb::InboundRow>> StateDb::list_inbound(std::int64_t since,
                                                                     std::int64_t limit) {
  auto [statement, failure] = impl_->db.prepare(
      "SELECT seq, at, rule, step, client, client_name, sender, protocol, required, got, action "
      "FROM inbound_decision WHERE at >= ?1 ORDER BY seq DESC LIMIT ?2");
  if (failure.failed()) return base::Error{impl_->describe(failure)};
  statement.bind(1, since);
  statement.bind(2, limit);
  std::vector<InboundRow> rows;
  while (statement.step()) {
    InboundRow row;
    row.seq = statement.integer(0);
    auto& one = row.decision;
    one.at = statement.integer(1);
    one.rule = statement.integer(2);
    int column = 2;
    for (auto* text : {&one.step, &one.client, &one.client_name, &one.sender, &one.protocol,
                       &one.required, &one.got, &one.action}) {
      *text = statement.text(++column);
    }
    rows.push_back(std::move(row));
  }
  if (statement.failure().failed()) return base::Error{impl_->describe(statement.failure())};
  return rows;
}

base::Result<std::vector<StateDb::InboundSum>> StateDb::sum_inbound(std::int64_t since) {
  auto [statement, failure] = impl_->db.prepare(
      "SELECT rule, sender_domain, network, required, got, action, sum(count), min(hour), "
      "max(hour) FROM inbound_count WHERE hour >= ?1 GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, "
      "6, 4, 5");
  if (failure.failed()) return base::Error{impl_->describe(failure)};
  statement.bind(1, since);
  std::vector<InboundSum> sums;
  while (statement.step()) {
    InboundSum sum;
    auto& tally = sum.count.tally;
    tally.rule = statement.integer(0);
    int column = 0;
    for (auto* text :
         {&tally.sender_domain, &tally.network, &tally.required, &tally.got, &tally.action}) {
      *text = statement.text(++column);
    }
    sum.count.count = statement.integer(6);
    tally.hour = statement.integer(7);
    sum.last_hour = statement.integer(8);
    sums.push_back(std::move(sum));
  }
  if (statement.failure().failed()) return base::Error{impl_->describe(statement.failure())};
  return sums;
}

base::Result<void> StateDb::load_known(
    std::int64_t most, const std::function<void(const model::InboundKnown&)>& visit) {
  auto [statement, failure] = impl_->db.prepare(
      "SELECT sender_domain, network, messages FROM inbound_known ORDER BY seen_at DESC LIMIT ?1");
  if (failure.failed()) return base::Error{impl_->describe(failure)};
  statement.bind(1, most);
  while (statement.step()) {
    visit({std::string(statement.text(0)), std::string(statement.text(1)), statement.integer(2)});
  }
  if (statement.failure().failed()) return base::Error{impl_->describe(statement.failure())};
  return {};
}

}  // namespace store
