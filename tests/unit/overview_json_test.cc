#include "src/wire/overview_json.h"

#include <string>

#include "tests/unit/catch.h"

namespace {

using model::Overview;
using wire::parse_overview;
using wire::to_json;

Overview full_overview() {
  Overview overview;
  overview.at = 1'795'335'300;
  overview.host = "mail.example";
  overview.mode = "enforce";
  overview.troubles = {"policy.db can't be used: it is locked", "b"};
  overview.image = Overview::Image{"00c0ffee", 1'795'335'000, 12, 1, 10, 2, 3};
  overview.roles = {{"answer", 77, 0}, {"store", 0, 4}};
  overview.answers = {{"policy", "OK", 37}, {"other", "PERM", 1}};
  overview.latency[2] = 5;
  overview.latency_sum = 0.00125;
  overview.evidence = {
      {model::Source::Maillog, {model::Security::Clear, model::Cause::Plaintext}, 3},
      {model::Source::Outcome, {model::Security::Encrypted, std::nullopt}, 9}};
  overview.drops = {{"ingest", 2}};
  overview.is_frozen = true;
  overview.phases = {{"normal", 5}};
  overview.downgrades = {
      {"bank.example", "", "downgraded", "encrypt", "may", 1, 2, "2 failures \"300 s\" apart", 4}};
  overview.downgrades_total = 1;
  overview.partners = {{"a.example", "mx.a.example", "handshake-failure", "why", 3, 8}};
  overview.certificates = {{"b.example", "mx.b.example", 1'795'000'000, "CN=Some CA"}};
  overview.certificates_by_days[0] = 1;
  overview.traffic = {{1'795'334'400, 1, 2, 3, 4, 5}};
  overview.decisions = {{9, 1'795'335'200, "downgrade", "bank.example", "encrypt", "may", "w", 0}};
  overview.checks = Overview::Checks{1, 2, 3, 4, 5, 6, 7, 8};
  return overview;
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  const auto at = text.find(what);
  REQUIRE(at != text.npos);
  return text.replace(at, what.size(), by);
}

}  // namespace

TEST_CASE("an overview goes through JSON unchanged, full or empty") {
  for (const auto& overview : {full_overview(), Overview()}) {
    const auto text = to_json(overview);
    const auto again = parse_overview(text);
    REQUIRE(again);
    CHECK(to_json(*again) == text);
  }
  const auto again = parse_overview(to_json(full_overview()));
  REQUIRE(again);
  CHECK(again->image->rows == 12);
  CHECK(again->evidence[0].outcome.cause == model::Cause::Plaintext);
  CHECK_FALSE(again->evidence[1].outcome.cause);
  CHECK(again->latency_sum == 0.00125);
  CHECK(again->checks->failing == 7);
  CHECK(again->traffic[0].deferred == 5);
}

TEST_CASE("what is no overview is refused") {
  const auto text = to_json(full_overview());
  for (const std::string_view bad : {"", "{}", "[]", "null", "{\"at\":1}"}) {
    CHECK_FALSE(parse_overview(bad));
  }
  CHECK_FALSE(parse_overview(text.substr(0, text.size() - 1)));
  CHECK_FALSE(parse_overview(replaced(text, "\"host\"", "\"hist\"")));
  CHECK_FALSE(parse_overview(replaced(text, "\"is_frozen\":true", "\"is_frozen\":1")));
  CHECK_FALSE(parse_overview(replaced(text, "\"count\":37", "\"count\":-37")));
  CHECK_FALSE(parse_overview(replaced(text, "\"count\":37", "\"count\":37.5")));
  CHECK_FALSE(parse_overview(replaced(text, "\"cause\":\"plaintext\"", "\"cause\":\"bad luck\"")));
  CHECK_FALSE(parse_overview(replaced(text, "\"source\":\"maillog\"", "\"source\":\"rumour\"")));
  CHECK_FALSE(parse_overview(replaced(text, "0.00125", "-1")));
  CHECK_FALSE(parse_overview(replaced(text, "\"latency\":[0,", "\"latency\":[")));
  CHECK_FALSE(parse_overview(replaced(text, "\"at\":1795335300", "\"at\":9223372036854775808")));
}

TEST_CASE("lists and texts are bounded both ways") {
  auto overview = full_overview();
  overview.decisions.resize(model::kMostShownDecisions + 5);
  overview.host = std::string(5'000, 'x');
  const auto text = to_json(overview);
  const auto again = parse_overview(text);
  REQUIRE(again);
  CHECK(again->decisions.size() == model::kMostShownDecisions);
  CHECK(again->host.size() == wire::kLongestOverviewText);
  const std::string one_more = R"("drops":[)" + [] {
    std::string items;
    for (int i = 0; i < 16; ++i) items += R"({"where":"x","count":0},)";
    return items;
  }();
  CHECK_FALSE(parse_overview(replaced(text, R"("drops":[)", one_more)));
  CHECK_FALSE(parse_overview(replaced(text, "mail", std::string(5'000, 'y')) +
                             std::string(wire::kLargestOverview, ' ')));
}

TEST_CASE("a text is cut between characters, and bytes that are no UTF-8 are replaced") {
  Overview overview;
  overview.host = "x";
  for (int i = 0; i < 600; ++i) overview.host += "ä";
  overview.mode = std::string(wire::kLongestOverviewText, '\xFF');
  const auto again = parse_overview(to_json(overview));
  REQUIRE(again);
  CHECK(again->host.size() == wire::kLongestOverviewText - 1);
  CHECK(again->host.ends_with("ä"));
  CHECK(again->mode.starts_with("\xEF\xBF\xBD"));
}
