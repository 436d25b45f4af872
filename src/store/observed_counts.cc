// StateDb: what rows that are only observed would have asked of deliveries.
#include <fmt/format.h>

#include "src/store/state_db_impl.h"

namespace store {
namespace {

constexpr std::string_view kColumns =
    "destination, view, \"row\", profile, level, fallback, hour, source, cause, security, trusted, "
    "count";

Failure add(Database& db, const std::vector<ObservedCount>& counts) {
  auto [statement, failure] = db.prepare(
      fmt::format("INSERT INTO observed({}) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, "
                  "?12) ON CONFLICT DO UPDATE SET count = count + excluded.count",
                  kColumns));
  if (failure.failed()) return failure;
  for (const auto& [seen, asked] : counts) {
    statement.bind(1, std::string_view(seen.destination));
    statement.bind(2, std::string_view(seen.view));
    statement.bind(3, std::string_view(asked.row));
    statement.bind(4, std::string_view(asked.profile));
    statement.bind(5, asked.level ? model::to_word(*asked.level) : "");
    statement.bind(6, model::to_word(asked.fallback));
    statement.bind(7, seen.hour);
    statement.bind(8, model::to_word(seen.source));
    statement.bind(9, seen.outcome.cause ? model::to_word(*seen.outcome.cause) : "");
    statement.bind(10, model::to_word(seen.outcome.security));
    statement.bind(11, std::int64_t{seen.is_trusted ? 1 : 0});
    statement.bind(12, seen.count);
    if (auto failed = statement.run(); failed.failed()) return failed;
  }
  return {};
}

std::optional<ObservedCount> read(const Statement& statement) {
  ObservedCount one;
  one.seen.destination = statement.text(0);
  one.seen.view = statement.text(1);
  one.asked.row = statement.text(2);
  one.asked.profile = statement.text(3);
  one.asked.level = model::parse_level(statement.text(4));
  const auto fallback = model::parse_fallback(statement.text(5));
  one.seen.hour = statement.integer(6);
  const auto source = model::parse_source(statement.text(7));
  one.seen.outcome.cause = model::parse_cause(statement.text(8));
  const auto security = model::parse_security(statement.text(9));
  if (!fallback || !source || !security) return std::nullopt;
  one.asked.fallback = *fallback;
  one.seen.source = *source;
  one.seen.outcome.security = *security;
  one.seen.is_trusted = statement.integer(10) != 0;
  one.seen.count = statement.integer(11);
  return one;
}

}  // namespace

std::optional<StateDb::Refused> StateDb::add_observed(const std::vector<ObservedCount>& counts) {
  if (counts.empty()) return std::nullopt;
  auto [transaction, failure] = Transaction::begin(impl_->db, Transaction::Kind::Write);
  if (!failure.failed()) failure = add(impl_->db, counts);
  if (!failure.failed()) failure = transaction.commit();
  if (failure.failed()) return impl_->refuse(failure);
  impl_->added += static_cast<std::int64_t>(counts.size());
  return std::nullopt;
}

base::Result<void> StateDb::list_observed(std::string_view destination, std::int64_t since,
                                          const std::function<bool(ObservedCount)>& visit) {
  auto [statement, failure] = impl_->db.prepare(
      fmt::format("SELECT {} FROM observed WHERE (?1 = '' OR destination = ?1) AND hour >= ?2 "
                  "ORDER BY destination, view, \"row\", profile, level, fallback",
                  kColumns));
  if (failure.failed()) return base::Error{impl_->describe(failure)};
  statement.bind(1, destination);
  statement.bind(2, since);
  while (statement.step()) {
    auto one = read(statement);
    if (one && !visit(std::move(*one))) return {};
  }
  if (statement.failure().failed()) return base::Error{impl_->describe(statement.failure())};
  return {};
}

}  // namespace store
