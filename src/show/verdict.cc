#include "src/show/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "src/base/text.h"
#include "src/base/time_text.h"
#include "src/show/html.h"

namespace show {
namespace {

using model::Overview;

constexpr int kEndingDays = 13;  // one of kCertificateDays; the warning of watched destinations

// What follows from the figures themselves, for an Overview that lists no trouble.
std::vector<std::string> find_troubles(const Overview& overview) {
  std::vector<std::string> found;
  for (const auto& role : overview.roles) {
    if (role.pid > 0) continue;
    found.push_back(fmt::format("Role {} does not run; the daemon's log says why.", role.name));
  }
  if (overview.policy_state != "live") {
    found.push_back(fmt::format("policy.db is in state {}: tlspolicyctl status says why.",
                                overview.policy_state.empty() ? "unknown" : overview.policy_state));
  }
  if (overview.image && overview.image->faulty_rows > 0) {
    found.push_back(fmt::format(
        "{} faulty; the mail for them waits until they are mended: tlspolicyctl doctor.",
        count_text(overview.image->faulty_rows, "row is", "rows are")));
  }
  if (overview.is_frozen) {
    found.emplace_back(
        "So many destinations fail at once that the fault is likely ours: nothing is downgraded "
        "until that is over. Look at our own network and TLS: tlspolicyctl doctor.");
  }
  if (overview.is_log_missing) {
    found.emplace_back("The mail log can't be read: see maillog in tlspolicyd.conf.");
  }
  return found;
}

// Certificates that have ended, or end within kEndingDays.
std::uint64_t count_ending(const Overview& overview) {
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < Overview::kCertificateDays.size(); ++i) {
    if (Overview::kCertificateDays[i] <= kEndingDays) count += overview.certificates_by_days[i];
  }
  return count;
}

// What holds on purpose, or at a partner's: nothing of the service itself is wrong.
std::vector<std::string> find_exceptions(const Overview& overview, std::int64_t now) {
  std::vector<std::string> found;
  if (overview.panic_until > now) {
    found.push_back(fmt::format("An admin's panic has the service {} until {} ({}).", overview.mode,
                                moment_text(overview.panic_until),
                                base::describe_distance(overview.panic_until, now)));
  } else if (overview.mode == "observe") {
    found.emplace_back("The service only observes: Postfix is answered as if there were no rows.");
  }
  if (overview.downgrades_total > 0) {
    found.push_back(
        fmt::format("{} downgraded.",
                    count_text(overview.downgrades_total, "destination is", "destinations are")));
  }
  if (overview.partners_total > 0) {
    found.push_back(fmt::format("TLS fails at {}.",
                                count_text(overview.partners_total, "partner", "partners")));
  }
  if (const auto ending = count_ending(overview); ending > 0) {
    found.push_back(fmt::format(
        "{} ended or will within {} days.",
        count_text(ending, "certificate of a partner has", "certificates of partners have"),
        kEndingDays));
  }
  return found;
}

std::string headline_of_troubles(const Overview& overview, std::size_t count) {
  if (!overview.image) return "No policy is in force: mail waits";
  return fmt::format("{} attention", count_text(count, "thing needs", "things need"));
}

Verdict old_figures(const Overview& overview, std::int64_t age) {
  if (overview.at <= 0) {
    return {Health::Trouble,
            "Nothing is known yet",
            "The service has not reported since it started. Postfix is answered all the same; this "
            "page has figures within seconds, or the daemon's log says why not.",
            {},
            {}};
  }
  return {Health::Trouble,
          fmt::format("These figures are {} old", base::describe_span(age)),
          fmt::format("Nothing was reported since {}: what stands below may have changed. Postfix "
                      "is answered all the same; the daemon's log says what happened.",
                      base::iso_time_of(overview.at)),
          {},
          {}};
}

}  // namespace

Verdict sum_up(const Overview& overview, std::int64_t now) {
  auto troubles = overview.troubles;
  if (overview.at > 0 && troubles.empty()) troubles = find_troubles(overview);
  const auto total = troubles.size() + overview.troubles_left_out;
  if (overview.at <= 0 || overview.at < now - kFresh) {
    auto verdict = old_figures(overview, now - overview.at);
    verdict.troubles = std::move(troubles);
    return verdict;
  }
  const auto exceptions = base::join(find_exceptions(overview, now), " ");
  if (total > 0 || !overview.image) {
    return {Health::Trouble, headline_of_troubles(overview, total), "", troubles, exceptions};
  }
  if (!exceptions.empty()) {
    return {Health::Exceptions, "The service is well, with exceptions", exceptions, {}, {}};
  }
  return {Health::Well,
          "All is well",
          fmt::format("{} in force, no destination is downgraded, no partner fails.",
                      count_text(overview.image->rows, "row is", "rows are")),
          {},
          {}};
}

}  // namespace show
