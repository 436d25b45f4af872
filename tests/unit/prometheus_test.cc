#include "src/show/prometheus.h"

#include <map>
#include <regex>
#include <set>

#include "src/base/text.h"
#include "src/show/metric_table.h"
#include "tests/unit/catch.h"
#include "tests/unit/overview_samples.h"

using Catch::Matchers::ContainsSubstring;
using samples::kNow;
using samples::Overview;

namespace {

// Every sample of a rendering; fails where a line isn't of the text format 0.0.4.
std::map<std::string, double> read(const std::string& text) {
  static const std::regex kComment("# (HELP|TYPE) (tlspolicyd_[a-z_]+) .+");
  static const std::regex kSample("(tlspolicyd_[a-z_]+)(\\{[^{}]*\\})? ([0-9.e+-]+)");
  std::map<std::string, double> samples;
  std::string family;
  for (const auto line : base::split(text, "\n")) {
    std::match_results<std::string_view::const_iterator> match;
    INFO(line);
    if (line.starts_with('#')) {
      REQUIRE(std::regex_match(line.begin(), line.end(), match, kComment));
      family = match[2];
      continue;
    }
    REQUIRE(std::regex_match(line.begin(), line.end(), match, kSample));
    REQUIRE(match[1].str().starts_with(family));
    const auto [place, is_new] =
        samples.emplace(match[1].str() + match[2].str(), std::stod(match[3]));
    REQUIRE(is_new);
  }
  return samples;
}

std::map<std::string, double> read(const Overview& overview) {
  return read(show::render_metrics(overview, kNow));
}

}  // namespace

TEST_CASE("metrics: every sample is one line of the format, and none comes twice") {
  for (const auto& overview : {Overview{}, samples::well(), samples::trouble(), samples::full()}) {
    CHECK(read(overview).size() > 50);
  }
}

TEST_CASE("metrics: each has a name of ours, a type that fits it, and a sentence") {
  std::set<std::string_view> names;
  for (const auto& metric : show::metrics()) {
    INFO(metric.name);
    CHECK(names.insert(metric.name).second);
    CHECK(metric.name.starts_with("tlspolicyd_"));
    CHECK(metric.name.ends_with("_total") == (metric.type == "counter"));
    CHECK(metric.help.ends_with('.'));
    CHECK(metric.help.find('\n') == std::string_view::npos);
  }
}

TEST_CASE("metrics: what they say of a service in trouble") {
  const auto samples = read(samples::trouble());
  const std::map<std::string, double> expected{
      {"tlspolicyd_answers_total{map=\"policy\",status=\"OK\"}", 48211},
      {"tlspolicyd_answers_total{map=\"strict\",status=\"TEMP\"}", 0},
      {"tlspolicyd_evidence_total{source=\"outcome\",security=\"unknown\",cause=\"handshake-"
       "failure\"}",
       44},
      {"tlspolicyd_evidence_total{source=\"maillog\",security=\"authenticated\",cause=\"none\"}",
       47018},
      {"tlspolicyd_destinations{phase=\"downgraded\"}", 2},
      {"tlspolicyd_downgrades", 3},
      {"tlspolicyd_partners_failing", 57},
      {"tlspolicyd_image_present", 1},
      {"tlspolicyd_image_age_seconds", 3 * 3600 + 12 * 60},
      {"tlspolicyd_image_faulty_rows", 1},
      {"tlspolicyd_policy_lag_seconds", 1500},
      {"tlspolicyd_policy_state{state=\"trouble\"}", 1},
      {"tlspolicyd_policy_state{state=\"live\"}", 0},
      {"tlspolicyd_dropped_total{where=\"ingest\"}", 1203},
      {"tlspolicyd_role_up{role=\"net\"}", 0},
      {"tlspolicyd_role_up{role=\"store\"}", 1},
      {"tlspolicyd_role_restarts_total{role=\"net\"}", 17},
      {"tlspolicyd_probe_results{result=\"failing\"}", 3},
      {"tlspolicyd_certificates{days=\"0\"}", 1},
      {"tlspolicyd_certificates{days=\"+Inf\"}", 8},
      {"tlspolicyd_troubles", 5},
      {"tlspolicyd_maillog_missing", 1},
      {"tlspolicyd_frozen", 0},
      {"tlspolicyd_panic", 0},
      {"tlspolicyd_mode{mode=\"enforce\"}", 1},
      {"tlspolicyd_overview_age_seconds", 2},
      {"tlspolicyd_build_info{version=\"0.1.0\"}", 1}};
  for (const auto& [name, value] : expected) {
    INFO(name);
    REQUIRE(samples.contains(name));
    CHECK(samples.at(name) == value);
  }
}

TEST_CASE("metrics: the buckets of the latency are cumulative and end with the count") {
  const auto overview = samples::trouble();
  const auto samples = read(overview);
  double so_far = 0;
  for (std::size_t i = 0; i < overview.latency.size(); ++i) {
    so_far += static_cast<double>(overview.latency[i]);
    const auto bound = i < Overview::kLatencyBounds.size()
                           ? fmt::format("{}", Overview::kLatencyBounds[i])
                           : "+Inf";
    const auto name = fmt::format("tlspolicyd_answer_duration_seconds_bucket{{le=\"{}\"}}", bound);
    REQUIRE(samples.contains(name));
    CHECK(samples.at(name) == so_far);
  }
  CHECK(samples.at("tlspolicyd_answer_duration_seconds_count") == so_far);
  CHECK(samples.at("tlspolicyd_answer_duration_seconds_sum") == 4.81);
}

TEST_CASE("metrics: without a policy there is no number of rows") {
  auto overview = samples::well();
  overview.image.reset();
  const auto samples = read(overview);
  CHECK(samples.at("tlspolicyd_image_present") == 0);
  CHECK(!samples.contains("tlspolicyd_image_rows"));
  CHECK(!samples.contains("tlspolicyd_image_age_seconds"));
}

TEST_CASE("metrics: no label holds a domain, and no text gets out of its label") {
  const auto text = show::render_metrics(samples::hostile(), kNow);
  for (const auto line : base::split(text, "\n")) {
    if (line.starts_with("tlspolicyd_build_info")) continue;
    CHECK(line.find("bank.example") == std::string_view::npos);
    CHECK(line.find("script") == std::string_view::npos);
  }
  CHECK_THAT(text, ContainsSubstring("tlspolicyd_answers_total{map=\"other\",status=\"OK\"} 13\n"));
  CHECK_THAT(text, ContainsSubstring("tlspolicyd_role_restarts_total{role=\"other\"} 3\n"));
  for (const char c : text) REQUIRE((c == '\n' || static_cast<unsigned char>(c) >= ' '));
}

TEST_CASE("metrics: what means something in a label is escaped") {
  auto overview = samples::well();
  overview.version = "a\\b\"c\nd\x1b";
  CHECK_THAT(show::render_metrics(overview, kNow),
             ContainsSubstring("tlspolicyd_build_info{version=\"a\\\\b\\\"c\\nd?\"} 1\n"));
}

TEST_CASE("metrics: a panic counts until its end, an age is never negative") {
  auto overview = samples::well();
  overview.panic_until = kNow + 1;
  overview.at = kNow + 5;
  overview.image->built_at = kNow + 100;
  auto samples = read(overview);
  CHECK(samples.at("tlspolicyd_panic") == 1);
  CHECK(samples.at("tlspolicyd_overview_age_seconds") == 0);
  CHECK(samples.at("tlspolicyd_image_age_seconds") == 0);
  overview.panic_until = kNow;
  CHECK(read(overview).at("tlspolicyd_panic") == 0);
}
