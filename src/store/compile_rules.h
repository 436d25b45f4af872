// Reads inbound and submission once and hands every rule to the writer of the policy image.
//
// A row that can't be used is handed on with its fault: it stops its own rule only. What its client
// and sender mean is still known nearly always, and mail that it would judge is deferred.
#pragma once

#include <functional>
#include <string_view>

#include "src/image/writer.h"
#include "src/model/inbound_rule.h"
#include "src/model/submission_rule.h"
#include "src/store/compile_policy.h"
#include "src/store/sqlite.h"

namespace store {

using ListFault =
    std::function<void(std::string_view table, std::string_view key, std::string_view why)>;

// `db` must be inside a read transaction. Nothing where all went well; a table that an older schema
// lacks is empty.
std::optional<std::variant<Refusal, Disorder, Failure>> compile_rules(Database& db,
                                                                      image::Writer& writer,
                                                                      const ListFault& list_fault);

// The columns that the readers below expect, in order.
inline constexpr std::string_view kInboundColumns =
    "id, client, sender, require, min_protocol, min_bits, ccert_name, ccert_issuer, "
    "ccert_fingerprint, on_violation, learn_count, text, expires_at";
inline constexpr std::string_view kSubmissionColumns =
    "sender, require, otherwise, min_protocol, text, expires_at";

// The row that a statement stands on, its fault in `fault`.
model::InboundRule read_inbound_rule(const Statement& statement);
model::SubmissionRule read_submission_rule(const Statement& statement);

}  // namespace store
