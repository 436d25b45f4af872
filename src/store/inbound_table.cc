// The part of PolicyDb that edits and lists table inbound.
#include <fmt/format.h>

#include <array>

#include "src/store/compile_rules.h"
#include "src/store/policy_db_state.h"

namespace store {
namespace {

std::optional<std::string> or_null(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

std::optional<std::int64_t> or_null(std::int64_t number) {
  return number == 0 ? std::nullopt : std::optional(number);
}

constexpr std::string_view kInsert =
    "INSERT INTO inbound(client, sender, require, min_protocol, min_bits, ccert_name, "
    "ccert_issuer, ccert_fingerprint, on_violation, learn_count, text, expires_at, owner, reason, "
    "comment) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) RETURNING "
    "id";

}  // namespace

base::Result<std::vector<InboundRow>> PolicyDb::list_inbound() {
  auto [statement, failure] = state_->db.prepare(
      fmt::format("SELECT {}, owner, reason, comment FROM inbound ORDER BY id", kInboundColumns));
  if (failure.failed()) return state_->describe(failure);
  std::vector<InboundRow> rows;
  while (statement.step()) {
    constexpr int kBehind = 13;
    InboundRow row;
    row.rule = read_inbound_rule(statement);
    row.owner = statement.optional_text(kBehind);
    row.reason = statement.optional_text(kBehind + 1);
    row.comment = statement.optional_text(kBehind + 2);
    rows.push_back(std::move(row));
  }
  if (statement.failure().failed()) return state_->describe(statement.failure());
  return rows;
}

base::Result<std::int64_t> PolicyDb::add_inbound(const InboundRow& row) {
  auto [transaction, begun] = Transaction::begin(state_->db, Transaction::Kind::Write);
  if (begun.failed()) return state_->describe(begun);
  auto [statement, failure] = state_->db.prepare(kInsert);
  if (failure.failed()) return state_->describe(failure);
  const auto& rule = row.rule;
  const std::string require(model::to_word(rule.require));
  const std::string on_violation(model::to_word(rule.on_violation));
  const auto version = rule.min_protocol
                           ? std::optional(std::string(model::to_word(*rule.min_protocol)))
                           : std::nullopt;
  const std::vector<std::optional<std::string>> texts{or_null(rule.client),
                                                      or_null(rule.sender),
                                                      require,
                                                      version,
                                                      or_null(rule.ccert_name),
                                                      or_null(rule.ccert_issuer),
                                                      or_null(rule.ccert_fingerprint),
                                                      on_violation,
                                                      or_null(rule.text),
                                                      row.owner,
                                                      row.reason,
                                                      row.comment};
  constexpr std::array kPlaces{1, 2, 3, 4, 6, 7, 8, 9, 11, 13, 14, 15};
  for (std::size_t i = 0; i < texts.size(); ++i) statement.bind(kPlaces.at(i), texts[i]);
  statement.bind(5, or_null(std::int64_t{rule.min_bits}));
  statement.bind(10, or_null(rule.learn_count));
  statement.bind(12, or_null(rule.expires_at));
  const std::int64_t id = statement.step() ? statement.integer(0) : 0;
  if (statement.failure().failed()) return state_->describe(statement.failure());
  statement.reset();
  if (auto committed = transaction.commit(); committed.failed()) return state_->describe(committed);
  return id;
}

base::Result<bool> PolicyDb::remove_inbound(std::int64_t id) {
  auto [statement, failure] = state_->db.prepare("DELETE FROM inbound WHERE id = ?1");
  if (failure.failed()) return state_->describe(failure);
  statement.bind(1, id);
  auto removed = state_->write(statement);
  if (!removed) return base::Error{removed.error()};
  return *removed > 0;
}

}  // namespace store
