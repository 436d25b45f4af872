// When the certificates that a level depends on end, and what to say ahead of it. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/engine/watch_verdict.h"
#include "src/model/probe_record.h"

namespace engine {

inline constexpr std::int64_t kDay = 86'400;

struct CertificateEnd {
  std::int64_t at = 0;  // seconds since the epoch
  std::string host;
  // A host whose certificate lasts longer, and that would deliver too; empty: all end with it.
  std::string other_host;
};
// The first one to end of those with which a delivery works now; nothing where there is none.
std::optional<CertificateEnd> earliest_end(const AskedLevel& asked,
                                           const model::ProbeRecord& record);

// The warning that is due: the least of kWarningDays that holds what is left, 0 where more is left
// than any.
std::int64_t warning_due(std::int64_t end, std::int64_t now);

// One sentence with the days left, and what would stop.
std::string describe_end(const CertificateEnd& end, std::int64_t weekly_deliveries,
                         std::int64_t now);

// The organisation of a distinguished name in RFC 4514 order, which outlives the intermediate
// certificates that it issues from by turns; without one the whole name.
std::string issuing_organisation(std::string_view name);

}  // namespace engine
