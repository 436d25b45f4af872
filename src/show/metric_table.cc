#include "src/show/metric_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "src/base/text.h"

namespace show {
namespace {

using model::Overview;

constexpr std::size_t kLongestWord = 32;

// A word of ours, or "other": a name with a dot in it may be somebody's domain.
std::string_view word(std::string_view text) {
  const bool is_word = !text.empty() && text.size() <= kLongestWord &&
                       std::all_of(text.begin(), text.end(), [](char c) {
                         return base::is_alnum(c) || c == '-' || c == '_';
                       });
  return is_word ? text : "other";
}

double distance(std::int64_t from, std::int64_t to) {
  return std::max(static_cast<double>(to) - static_cast<double>(from), 0.0);
}

// What is there from the start: a counter that appears with its first event hides it from rate().
void read_answers(const Overview& overview, Samples& samples) {
  for (const auto* map : {"policy", "strict", "outcome"}) {
    for (const auto* status : {"OK", "NOTFOUND", "TEMP", "PERM"}) {
      samples.add(std::uint64_t{0}, {{"map", map}, {"status", status}});
    }
  }
  for (const auto& each : overview.answers) {
    samples.add(each.count, {{"map", word(each.map)}, {"status", word(each.status)}});
  }
}

void read_latency(const Overview& overview, Samples& samples) {
  double so_far = 0;
  for (std::size_t i = 0; i < overview.latency.size(); ++i) {
    so_far += static_cast<double>(overview.latency[i]);
    const bool is_last = i == Overview::kLatencyBounds.size();
    const auto bound = is_last ? "+Inf" : fmt::format("{}", Overview::kLatencyBounds[i]);
    samples.add(so_far, {{"le", bound}}, "_bucket");
  }
  samples.add(overview.latency_sum, {}, "_sum");
  samples.add(so_far, {}, "_count");
}

void read_evidence(const Overview& overview, Samples& samples) {
  for (const auto source : model::kSources) {
    for (const auto security : model::kSecurities) {
      samples.add(
          std::uint64_t{0},
          {{"source", to_word(source)}, {"security", to_word(security)}, {"cause", "none"}});
    }
  }
  for (const auto& each : overview.evidence) {
    samples.add(each.count,
                {{"source", to_word(each.source)},
                 {"security", to_word(each.outcome.security)},
                 {"cause", each.outcome.cause ? to_word(*each.outcome.cause) : "none"}});
  }
}

void read_phases(const Overview& overview, Samples& samples) {
  for (const auto* phase : {"normal", "downgraded", "rerouted", "probation", "trial"}) {
    samples.add(std::uint64_t{0}, {{"phase", phase}});
  }
  for (const auto& each : overview.phases) samples.add(each.count, {{"phase", word(each.phase)}});
}

void read_drops(const Overview& overview, Samples& samples) {
  for (const auto* where : {"answer", "ingest", "net", "tlsrpt-tee"}) {
    samples.add(std::uint64_t{0}, {{"where", where}});
  }
  for (const auto& each : overview.drops) samples.add(each.count, {{"where", word(each.where)}});
}

void read_certificates(const Overview& overview, Samples& samples) {
  for (std::size_t i = 0; i < overview.certificates_by_days.size(); ++i) {
    const bool is_last = i == Overview::kCertificateDays.size();
    const auto days = is_last ? "+Inf" : fmt::format("{}", Overview::kCertificateDays[i]);
    samples.add(overview.certificates_by_days[i], {{"days", days}});
  }
}

// 1 for the one that holds, 0 for the others.
void read_choice(std::string_view label, std::initializer_list<std::string_view> choices,
                 std::string_view chosen, Samples& samples) {
  for (const auto choice : choices) samples.add(choice == chosen, {{label, choice}});
}

void read_checked(const Overview& overview, Samples& samples) {
  const auto checks = overview.checks.value_or(Overview::Checks{});
  samples.add(checks.compliant, {{"result", "compliant"}});
  samples.add(checks.failing, {{"result", "failing"}});
  samples.add(checks.unknown, {{"result", "unknown"}});
}

void read_roles(const Overview& overview, Samples& samples, bool is_restarts) {
  for (const auto& role : overview.roles) {
    if (is_restarts) {
      samples.add(role.restarts, {{"role", word(role.name)}});
    } else {
      samples.add(role.pid > 0, {{"role", word(role.name)}});
    }
  }
}

// A count of `checks`, 0 where nothing is watched.
template <std::uint64_t Overview::Checks::*count>
void read_checks(const Overview& overview, std::int64_t /*now*/, Samples& samples) {
  samples.add(overview.checks ? (*overview.checks).*count : 0);
}

template <std::uint64_t Overview::*count>
void read_count(const Overview& overview, std::int64_t /*now*/, Samples& samples) {
  samples.add(overview.*count);
}

template <bool Overview::*flag>
void read_flag(const Overview& overview, std::int64_t /*now*/, Samples& samples) {
  samples.add(overview.*flag);
}

// Nothing where there is no image: 0 rows would be another thing.
template <std::uint64_t Overview::Image::*count>
void read_image(const Overview& overview, std::int64_t /*now*/, Samples& samples) {
  if (overview.image) samples.add((*overview.image).*count);
}

constexpr std::array kMetrics{
    Metric{"tlspolicyd_answers_total", "counter", "Answers given to Postfix, by map and status.",
           [](const Overview& o, std::int64_t, Samples& s) { read_answers(o, s); }},
    Metric{"tlspolicyd_answer_duration_seconds", "histogram",
           "From a request read to its reply handed to the kernel, of one request in 16.",
           [](const Overview& o, std::int64_t, Samples& s) { read_latency(o, s); }},
    Metric{"tlspolicyd_connections", "gauge", "Connections of Postfix that are open.",
           read_count<&Overview::connections>},
    Metric{"tlspolicyd_malformed_requests_total", "counter",
           "Requests that broke the protocol and lost their connection.",
           read_count<&Overview::malformed>},
    Metric{"tlspolicyd_stalled_connections_total", "counter",
           "Connections closed because the client stopped in the middle.",
           read_count<&Overview::stalled>},
    Metric{"tlspolicyd_policyd_requests_total", "counter",
           "Requests of check_policy_service answered.", read_count<&Overview::policyd_requests>},
    Metric{"tlspolicyd_evidence_total", "counter",
           "What deliveries and probes showed, by where it was seen, how safely the mail went and "
           "what TLS failed on.",
           [](const Overview& o, std::int64_t, Samples& s) { read_evidence(o, s); }},
    Metric{"tlspolicyd_outcome_orphans_total", "counter",
           "Outcomes that no question stood before; never used.", read_count<&Overview::orphans>},
    Metric{"tlspolicyd_evidence_untrusted_total", "counter",
           "Evidence that was counted and changed no answer, for where it came from.",
           read_count<&Overview::untrusted>},
    Metric{"tlspolicyd_datagrams_refused_total", "counter", "TLSRPT datagrams that were no report.",
           read_count<&Overview::datagrams_refused>},
    Metric{"tlspolicyd_destinations", "gauge",
           "Destinations of which something is remembered, by phase.",
           [](const Overview& o, std::int64_t, Samples& s) { read_phases(o, s); }},
    Metric{"tlspolicyd_downgrades", "gauge",
           "Destinations that are downgraded, rerouted, on probation or on trial.",
           read_count<&Overview::downgrades_total>},
    Metric{"tlspolicyd_partners_failing", "gauge",
           "Destinations that do not do the TLS asked of them.",
           read_count<&Overview::partners_total>},
    Metric{"tlspolicyd_image_present", "gauge",
           "1 where a policy is in force; without one each answer is TEMP.",
           [](const Overview& o, std::int64_t, Samples& s) { s.add(o.image.has_value()); }},
    Metric{"tlspolicyd_image_age_seconds", "gauge", "Since the policy in force was built.",
           [](const Overview& o, std::int64_t now, Samples& s) {
             if (o.image) s.add(distance(o.image->built_at, now));
           }},
    Metric{"tlspolicyd_image_rows", "gauge", "Outbound rows of the policy in force.",
           read_image<&Overview::Image::rows>},
    Metric{"tlspolicyd_image_faulty_rows", "gauge",
           "Rows of it that are faulty: their mail waits until they are mended.",
           read_image<&Overview::Image::faulty_rows>},
    Metric{"tlspolicyd_policy_lag_seconds", "gauge",
           "How long a change of policy.db that was noticed has not been in force.",
           [](const Overview& o, std::int64_t now, Samples& s) {
             s.add(o.policy_waits_since == 0 ? 0.0 : distance(o.policy_waits_since, now));
           }},
    Metric{"tlspolicyd_policy_state", "gauge", "1 for the state that policy.db is in.",
           [](const Overview& o, std::int64_t, Samples& s) {
             read_choice("state", {"starting", "live", "waiting", "trouble"}, o.policy_state, s);
           }},
    Metric{"tlspolicyd_dropped_total", "counter", "Evidence that had no room, by where.",
           [](const Overview& o, std::int64_t, Samples& s) { read_drops(o, s); }},
    Metric{"tlspolicyd_role_up", "gauge", "1 where the role runs.",
           [](const Overview& o, std::int64_t, Samples& s) { read_roles(o, s, false); }},
    Metric{"tlspolicyd_role_restarts_total", "counter", "How often the role was started again.",
           [](const Overview& o, std::int64_t, Samples& s) { read_roles(o, s, true); }},
    Metric{"tlspolicyd_watched_destinations", "gauge", "Destinations that are checked by probes.",
           read_checks<&Overview::Checks::watched>},
    Metric{"tlspolicyd_probe_results", "gauge",
           "Of them, by what the last check found against what the row asks.",
           [](const Overview& o, std::int64_t, Samples& s) { read_checked(o, s); }},
    Metric{"tlspolicyd_checks_total", "counter", "Checks of a destination.",
           read_checks<&Overview::Checks::checks>},
    Metric{"tlspolicyd_checks_put_off_total", "counter", "Checks that were put off.",
           read_checks<&Overview::Checks::put_off>},
    Metric{"tlspolicyd_probes_total", "counter", "Connections made to mail hosts to look at TLS.",
           read_checks<&Overview::Checks::probes>},
    Metric{"tlspolicyd_probes_refused_total", "counter",
           "Probes not made because the address may not be probed.",
           read_checks<&Overview::Checks::refused>},
    Metric{"tlspolicyd_certificates", "gauge",
           "Certificates of watched destinations that end within so many days and not within the "
           "number before; 0 are over.",
           [](const Overview& o, std::int64_t, Samples& s) { read_certificates(o, s); }},
    Metric{"tlspolicyd_troubles", "gauge", "What is not well; the page says what and what to do.",
           [](const Overview& o, std::int64_t, Samples& s) {
             s.add(static_cast<double>(o.troubles.size()) +
                   static_cast<double>(o.troubles_left_out));
           }},
    Metric{"tlspolicyd_frozen", "gauge",
           "1 while so many destinations fail at once that the fault is likely ours.",
           read_flag<&Overview::is_frozen>},
    Metric{"tlspolicyd_maillog_missing", "gauge", "1 while the mail log can't be read.",
           read_flag<&Overview::is_log_missing>},
    Metric{"tlspolicyd_panic", "gauge", "1 while an admin's panic sets the mode.",
           [](const Overview& o, std::int64_t now, Samples& s) { s.add(o.panic_until > now); }},
    Metric{"tlspolicyd_mode", "gauge", "1 for the mode that holds.",
           [](const Overview& o, std::int64_t, Samples& s) {
             read_choice("mode", {"enforce", "observe"}, o.mode, s);
           }},
    Metric{"tlspolicyd_overview_age_seconds", "gauge", "Since these figures were gathered.",
           [](const Overview& o, std::int64_t now, Samples& s) { s.add(distance(o.at, now)); }},
    Metric{"tlspolicyd_build_info", "gauge", "1; the version is a label.",
           [](const Overview& o, std::int64_t, Samples& s) {
             s.add(1.0, {{"version", o.version}});
           }},
};

}  // namespace

std::span<const Metric> metrics() {
  return kMetrics;
}

}  // namespace show
