// What the roles counted, in the form of an Overview.
#include <string_view>

#include "src/app/overview_gatherer.h"
#include "tlsmap/map_name.h"

namespace app {
namespace {

using model::Overview;

// The name of the contract (DESIGN section 5), without version and view.
std::string_view name_of(std::size_t table) {
  switch (static_cast<tlsmap::Table>(table)) {
    case tlsmap::Table::Policy:
      return "policy";
    case tlsmap::Table::Strict:
      return "strict";
    case tlsmap::Table::Outcome:
      return "outcome";
    case tlsmap::Table::Transport:
      return "transport";
    case tlsmap::Table::SenderTransport:
      return "sender-transport";
  }
  return "other";
}

// In the order of tlsmap::Status.
constexpr std::array<std::string_view, 4> kStatuses{"OK", "NOTFOUND", "TEMP", "PERM"};

void put_answers(Overview& overview, const wire::AnswerStats& stats) {
  for (std::size_t table = 0; table < stats.by_map.size(); ++table) {
    for (std::size_t status = 0; status < kStatuses.size(); ++status) {
      // A table answers PERM nothing: that is for names of no table.
      if (kStatuses.at(status) == "PERM") continue;
      overview.answers.push_back({std::string(name_of(table)), std::string(kStatuses.at(status)),
                                  stats.by_map.at(table).at(status)});
    }
  }
  overview.answers.push_back({"other", "PERM", stats.unknown_map});
}

}  // namespace

void put_counters(Overview& overview, const wire::AnswerStats& stats) {
  put_answers(overview, stats);
  overview.latency = stats.latency.buckets;
  overview.latency_sum = static_cast<double>(stats.latency.nanoseconds) / 1e9;
  overview.connections = stats.connections;
  overview.malformed = stats.malformed;
  overview.stalled = stats.stalled;
  overview.policyd_requests = stats.policyd;
  stats.evidence.for_each(
      [&overview](model::Source source, const model::Outcome& outcome, std::uint64_t count) {
        overview.evidence.push_back({source, outcome, count});
      });
  overview.orphans = stats.orphans;
  overview.untrusted = stats.untrusted;
  overview.drops = {{"answer", stats.dropped},
                    {"ingest", stats.ingest.dropped},
                    {"tlsrpt-tee", stats.ingest.tee_dropped}};
  overview.datagrams_refused = stats.ingest.datagrams_refused;
  overview.is_log_missing = stats.ingest.is_log_missing != 0;
  overview.is_frozen = stats.frozen != 0;
}

}  // namespace app
