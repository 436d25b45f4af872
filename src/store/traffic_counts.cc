// StateDb: what the counters of evidence have of mail, gathered by destination and hour.
#include <fmt/format.h>

#include "src/store/state_db_impl.h"

namespace store {
namespace {

constexpr std::string_view kColumns =
    "view, destination, hour, source, cause, security, trusted, "
    "count";
constexpr std::string_view kOfMail =
    "source IN ('outcome', 'maillog') AND (?3 = '' OR destination = ?3)";

// Both orders are those of an index, so that nothing is sorted and nothing held but one hour of one
// destination. The plus signs keep SQLite from the index of hours where its order is not wanted.
std::string select_for(StateDb::MailOrder order) {
  switch (order) {
    case StateDb::MailOrder::ByHour:
      return fmt::format(
          "SELECT {} FROM evidence WHERE hour >= ?1 AND hour < ?2 AND {} "
          "ORDER BY hour, view, destination",
          kColumns, kOfMail);
    case StateDb::MailOrder::ByDestination:
      return fmt::format(
          "SELECT {} FROM evidence WHERE +hour >= ?1 AND +hour < ?2 AND {} "
          "ORDER BY view, destination, hour",
          kColumns, kOfMail);
  }
  return {};
}

std::optional<model::MailCount> read(const Statement& statement) {
  const auto source = model::parse_source(statement.text(3));
  const auto security = model::parse_security(statement.text(5));
  if (!source || !security) return std::nullopt;
  model::MailCount one;
  one.source = *source;
  one.outcome = {*security, model::parse_cause(statement.text(4))};
  one.is_trusted = statement.integer(6) != 0;
  one.count = statement.integer(7);
  return one;
}

bool is_of(const model::HourOfMail& open, const Statement& statement) {
  return open.hour == statement.integer(2) && open.destination == statement.text(1) &&
         open.view == statement.text(0);
}

}  // namespace

base::Result<void> StateDb::list_mail(std::string_view destination, std::int64_t since,
                                      std::int64_t until, MailOrder order,
                                      const std::function<bool(const model::HourOfMail&)>& visit) {
  auto [statement, failure] = impl_->db.prepare(select_for(order));
  if (failure.failed()) return base::Error{impl_->describe(failure)};
  statement.bind(1, since);
  statement.bind(2, until);
  statement.bind(3, destination);
  model::HourOfMail open;
  while (statement.step()) {
    const auto one = read(statement);
    if (!one) continue;
    if (!is_of(open, statement)) {
      if (!open.counts.empty() && !visit(open)) return {};
      open.view = statement.text(0);
      open.destination = statement.text(1);
      open.hour = statement.integer(2);
      open.counts.clear();
    }
    open.counts.push_back(*one);
  }
  if (statement.failure().failed()) return base::Error{impl_->describe(statement.failure())};
  if (!open.counts.empty()) visit(open);
  return {};
}

}  // namespace store
