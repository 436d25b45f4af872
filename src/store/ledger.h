// The ledger of decisions in state.db: append-only, each row chained to the one before by its hash.
//
// hash = SHA-256, as 64 hexadecimal digits, of the compact JSON array
//   [prev_hash, seq, at, kind, view, destination, from_level, to_level, rule, fallback, evidence,
//    until, affected, why, id]
// in UTF-8, absent values as null, `evidence` as the text that stands in the column. The first
// row's prev_hash is 64 zeros. Whoever knows the newest hash from elsewhere (it is logged once a
// day) finds a tail that was cut off.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"
#include "src/model/decision.h"
#include "src/store/sqlite.h"

namespace store {

struct DecisionRow {
  std::int64_t seq = 0;
  std::int64_t at = 0;
  std::string kind;
  std::optional<std::string> destination;
  std::optional<std::string> from_level;
  std::optional<std::string> to_level;
  std::optional<std::string> rule;
  std::optional<std::string> fallback;
  std::string evidence;  // JSON array
  std::optional<std::int64_t> until;
  std::int64_t affected = 0;  // deliveries to the destination in the hour before
  std::string prev_hash;
  std::string hash;
  std::string view;
  std::string why;
  std::string id;  // of the proposal: the same one twice is one decision
};

std::string hash_of(const DecisionRow& row);

// A decision as a row that has no place in the chain yet.
DecisionRow row_of(const model::Decision& decision, std::int64_t at, std::string_view view,
                   std::string_view destination, std::string_view id);
// Its evidence as JSON: objects of at, source, trusted, cause, security, mx, text.
std::string evidence_json(const std::vector<model::Evidence>& evidence);

// Appends inside the caller's transaction and fills in seq, affected and the hashes; an id that
// stands there already is left as it is. SQLITE_CONSTRAINT is never expected.
Failure append(Database& db, DecisionRow& row);

struct Head {
  std::int64_t seq = 0;  // 0: the ledger is empty
  std::string hash;
};
std::pair<Head, Failure> read_head(Database& db);

struct Verification {
  std::int64_t rows = 0;
  std::int64_t first_broken = 0;  // seq; 0 = none
  std::string text;               // what is wrong, one sentence; empty where nothing is
};
// Walks the whole ledger. `head`: a hash known from elsewhere, which must be found; empty: none.
std::pair<Verification, Failure> verify(Database& db, std::string_view head);

// The columns of a SELECT that read_decision() takes a row from.
inline constexpr std::string_view kDecisionColumns =
    "seq, at, kind, destination, from_level, to_level, rule, fallback, evidence, until, affected, "
    "prev_hash, hash, view, why, id";
DecisionRow read_decision(const Statement& statement);

}  // namespace store
