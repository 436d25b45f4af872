#include "src/store/ledger.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "src/base/sha256.h"

namespace store {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kNoHash =
    "0000000000000000000000000000000000000000000000000000000000000000";

Json to_json(const std::optional<std::string>& text) {
  return text ? Json(*text) : Json();
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<std::string> unless_empty(std::string_view text) {
  return text.empty() ? std::nullopt : std::optional<std::string>(text);
}

std::optional<std::string> word_of(const std::optional<model::Level>& level) {
  return level ? std::optional<std::string>(model::to_word(*level)) : std::nullopt;
}

// Deliveries whose end was seen within the last hour, as far as whole hours of the clock tell: that
// which runs and the one before. Two sources report the same ones, so the one that saw most counts,
// and nobody can make it more by what is not believed.
std::pair<std::int64_t, Failure> count_affected(Database& db, const DecisionRow& row) {
  auto [statement, failure] = db.prepare(
      "SELECT ifnull(max(seen), 0) FROM (SELECT sum(count) AS seen FROM evidence "
      "WHERE view = ?1 AND destination = ?2 AND hour > ?3 AND trusted = 1 "
      "AND source IN ('outcome', 'maillog') GROUP BY source)");
  if (failure.failed()) return {0, failure};
  statement.bind(1, std::string_view(row.view));
  statement.bind(2, row.destination);
  statement.bind(3, row.at - 2 * 3600);
  const auto count = statement.step() ? statement.integer(0) : 0;
  return {count, statement.failure()};
}

Failure insert(Database& db, const DecisionRow& row) {
  auto [statement, failure] = db.prepare(
      fmt::format("INSERT INTO decision({}) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, "
                  "?12, ?13, ?14, ?15, ?16)",
                  kDecisionColumns));
  if (failure.failed()) return failure;
  statement.bind(1, row.seq);
  statement.bind(2, row.at);
  statement.bind(3, std::string_view(row.kind));
  statement.bind(4, row.destination);
  statement.bind(5, row.from_level);
  statement.bind(6, row.to_level);
  statement.bind(7, row.rule);
  statement.bind(8, row.fallback);
  statement.bind(9, std::string_view(row.evidence));
  statement.bind(10, row.until);
  statement.bind(11, row.affected);
  statement.bind(12, std::string_view(row.prev_hash));
  statement.bind(13, std::string_view(row.hash));
  statement.bind(14, std::string_view(row.view));
  statement.bind(15, std::string_view(row.why));
  statement.bind(16, std::string_view(row.id));
  return statement.run();
}

std::pair<bool, Failure> is_there(Database& db, const std::string& id) {
  auto [statement, failure] = db.prepare("SELECT 1 FROM decision WHERE id = ?1");
  if (failure.failed()) return {false, failure};
  statement.bind(1, std::string_view(id));
  const bool found = statement.step();
  return {found, statement.failure()};
}

}  // namespace

std::string hash_of(const DecisionRow& row) {
  const Json fields{row.prev_hash,
                    row.seq,
                    row.at,
                    row.kind,
                    row.view,
                    to_json(row.destination),
                    to_json(row.from_level),
                    to_json(row.to_level),
                    to_json(row.rule),
                    to_json(row.fallback),
                    row.evidence,
                    row.until ? Json(*row.until) : Json(),
                    row.affected,
                    row.why,
                    row.id};
  return base::sha256_hex(dump(fields));
}

std::string evidence_json(const std::vector<model::Evidence>& evidence) {
  Json all = Json::array();
  for (const auto& one : evidence) {
    all.push_back(
        {{"at", one.at},
         {"source", model::to_word(one.source)},
         {"trusted", one.is_trusted},
         {"cause",
          one.outcome.cause ? Json(std::string(model::to_word(*one.outcome.cause))) : Json()},
         {"security", model::to_word(one.outcome.security)},
         {"mx", one.mx},
         {"text", one.text}});
  }
  return dump(all);
}

DecisionRow row_of(const model::Decision& decision, std::int64_t at, std::string_view view,
                   std::string_view destination, std::string_view id) {
  DecisionRow row;
  row.at = at;
  row.kind = model::to_word(decision.kind);
  row.destination = unless_empty(destination);
  row.from_level = word_of(decision.from);
  row.to_level = word_of(decision.to);
  row.rule = unless_empty(decision.rule);
  row.fallback = unless_empty(decision.fallback);
  row.evidence = evidence_json(decision.evidence);
  if (decision.until != 0) row.until = decision.until;
  row.view = view;
  row.why = decision.why;
  row.id = id;
  return row;
}

Failure append(Database& db, DecisionRow& row) {
  const auto [exists, exists_failure] = is_there(db, row.id);
  if (exists_failure.failed() || exists) return exists_failure;
  const auto [head, head_failure] = read_head(db);
  if (head_failure.failed()) return head_failure;
  const auto [affected, count_failure] = count_affected(db, row);
  if (count_failure.failed()) return count_failure;
  row.seq = head.seq + 1;
  row.prev_hash = head.seq == 0 ? std::string(kNoHash) : head.hash;
  row.affected = affected;
  row.hash = hash_of(row);
  return insert(db, row);
}

std::pair<Head, Failure> read_head(Database& db) {
  auto [statement, failure] =
      db.prepare("SELECT seq, hash FROM decision ORDER BY seq DESC LIMIT 1");
  if (failure.failed()) return {Head{}, failure};
  Head head;
  if (statement.step()) head = {statement.integer(0), std::string(statement.text(1))};
  return {head, statement.failure()};
}

std::pair<Verification, Failure> verify(Database& db, std::string_view head) {
  auto [statement, failure] =
      db.prepare(fmt::format("SELECT {} FROM decision ORDER BY seq", kDecisionColumns));
  if (failure.failed()) return {Verification{}, failure};
  Verification found;
  std::string before(kNoHash);
  bool is_head_seen = head.empty();
  while (statement.step()) {
    const DecisionRow row = read_decision(statement);
    if (statement.failure().failed()) break;
    ++found.rows;
    if (row.seq != found.rows) {
      found.text =
          fmt::format("decision {} is missing: {} follows {}", found.rows, row.seq, found.rows - 1);
    } else if (row.prev_hash != before) {
      found.text = fmt::format("decision {} does not follow the one before it", row.seq);
    } else if (row.hash != hash_of(row)) {
      found.text = fmt::format("decision {} was changed after it was written", row.seq);
    }
    if (!found.text.empty()) {
      found.first_broken = found.rows;
      return {found, {}};
    }
    before = row.hash;
    is_head_seen = is_head_seen || row.hash == head;
  }
  if (!statement.failure().failed() && !is_head_seen) {
    found.first_broken = found.rows + 1;
    found.text = fmt::format(
        "no decision has the hash {}: the ledger was cut off after decision {}, or it is another",
        head, found.rows);
  }
  return {found, statement.failure()};
}

DecisionRow read_decision(const Statement& statement) {
  DecisionRow row;
  row.seq = statement.integer(0);
  row.at = statement.integer(1);
  row.kind = statement.text(2);
  row.destination = statement.optional_text(3);
  row.from_level = statement.optional_text(4);
  row.to_level = statement.optional_text(5);
  row.rule = statement.optional_text(6);
  row.fallback = statement.optional_text(7);
  row.evidence = statement.text(8);
  if (statement.type(9) == ColumnType::Integer) row.until = statement.integer(9);
  row.affected = statement.integer(10);
  row.prev_hash = statement.text(11);
  row.hash = statement.text(12);
  row.view = statement.text(13);
  row.why = statement.text(14);
  row.id = statement.text(15);
  return row;
}

}  // namespace store
