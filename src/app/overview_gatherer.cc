#include "src/app/overview_gatherer.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "src/app/version.h"

namespace app {
namespace {

using model::Overview;

std::string host_name() {
  std::array<char, 256> name{};
  // POSIX leaves open whether a name that was cut ends; the last byte stays zero.
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

Overview::Image describe(const image::Stamp& stamp) {
  return {fmt::format("{:016x}", stamp.digest),
          static_cast<std::int64_t>(stamp.built_at),
          stamp.rows,
          stamp.faulty_rows,
          stamp.profiles,
          stamp.inbound_rules,
          stamp.submission_rules};
}

void put_checks(Overview& overview, const std::optional<wire::NetStats>& stats) {
  if (!stats) return;
  Overview::Checks checks;
  checks.watched = stats->watched;
  checks.checks = stats->checks;
  checks.put_off = stats->put_off;
  checks.probes = stats->probes;
  checks.refused = stats->refused;
  overview.checks = checks;
  overview.drops.push_back({"net", stats->dropped});
}

// An admin's panic goes before what is configured.
std::string_view mode_in_force(const ControlDesk::Report& report, const wire::ModeMessage& panic,
                               std::int64_t now) {
  return panic.until > now ? model::to_word(static_cast<model::RowMode>(panic.mode))
                           : std::string_view(report.mode);
}

// Those that nothing but their TLS is known of are in memory of `answer` alone.
void put_settled(Overview& overview, const std::optional<wire::AnswerStats>& stats) {
  std::uint64_t away = 0;
  for (const auto& each : overview.phases) away += each.count;
  if (!stats) return;
  overview.phases.push_back({"normal", stats->known > away ? stats->known - away : 0});
}

}  // namespace

std::vector<std::string> OverviewGatherer::troubles(const ControlDesk::Report& report,
                                                    const wire::ModeMessage& panic) const {
  const auto now = clock_.now().time_since_epoch().count();
  return list_troubles(report, roles_, mode_in_force(report, panic, now));
}

Overview OverviewGatherer::gather(const ControlDesk::Report& report,
                                  const wire::ModeMessage& panic) {
  Overview overview;
  overview.at = clock_.now().time_since_epoch().count();
  overview.host = host_name();
  overview.version = kVersion;
  overview.mode = mode_in_force(report, panic, overview.at);
  if (panic.until > overview.at) overview.panic_until = panic.until;
  put_policy(overview, report);
  for (const auto& role : roles_) {
    overview.roles.push_back({role.name, role.pid, role.restarts});
  }
  if (report.answer) put_counters(overview, *report.answer);
  put_checks(overview, report.net);
  overview.drops.push_back({"store", report.dropped});
  rows_.put(overview);
  put_settled(overview, report.answer);
  auto troubles = list_troubles(report, roles_, overview.mode);
  if (troubles.size() > model::kMostShownTroubles) {
    overview.troubles_left_out = troubles.size() - model::kMostShownTroubles;
    troubles.resize(model::kMostShownTroubles);
  }
  overview.troubles = std::move(troubles);
  return overview;
}

void OverviewGatherer::put_policy(Overview& overview, const ControlDesk::Report& report) {
  const auto& status = *report.publisher;
  const auto since = status.since.time_since_epoch().count();
  overview.policy_state = to_word(status.state);
  if (status.in_force) overview.image = describe(*status.in_force);
  const bool lags =
      status.in_force && report.answer && report.answer->digest != status.in_force->digest;
  if (!lags) {
    lags_since_ = 0;
  } else if (lags_since_ == 0) {
    lags_since_ = overview.at;
  }
  overview.policy_waits_since = status.state == jobs::Publisher::State::Live ? lags_since_ : since;
}

}  // namespace app
