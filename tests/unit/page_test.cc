#include "src/show/page.h"

#include <functional>
#include <map>
#include <random>
#include <regex>
#include <set>

#include "src/base/text.h"
#include "src/base/utf8.h"
#include "src/show/chart.h"
#include "src/show/html.h"
#include "src/show/verdict.h"
#include "tests/unit/catch.h"
#include "tests/unit/overview_samples.h"

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;
using samples::kNow;
using samples::Overview;

namespace {

std::vector<std::string> all_matches(const std::string& text, const std::string& pattern,
                                     int group = 0) {
  const std::regex regex(pattern);
  std::vector<std::string> found;
  for (std::sregex_iterator it(text.begin(), text.end(), regex), end; it != end; ++it) {
    found.push_back(it->str(static_cast<std::size_t>(group)));
  }
  return found;
}

std::vector<std::string> tags_of(const std::string& page) {
  // The texts of the tables are short of the regex engine's recursion; the style is not.
  const auto style = page.find("<style>");
  const auto end = page.find("</style>");
  return all_matches(page.substr(0, style) + page.substr(end), "<[^>]*>");
}

std::size_t count_of(const std::string& text, std::string_view part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

bool is_clean(std::string_view page) {
  while (!page.empty()) {
    const auto [value, length] = base::read_code_point(page);
    if (length == 0 || (value != '\n' && !base::is_harmless(value))) return false;
    page.remove_prefix(length);
  }
  return true;
}

}  // namespace

TEST_CASE("page: a text changes no tag and no attribute, whatever is in it") {
  const auto calm = show::render_page(samples::made_of("x"), kNow);
  const auto attacked = show::render_page(samples::hostile(), kNow);
  CHECK(tags_of(attacked) == tags_of(calm));
  CHECK(count_of(attacked, "&lt;script&gt;") > 20);
  CHECK(attacked.find("<script") == std::string::npos);
}

TEST_CASE("page: it is UTF-8 without control bytes, whatever the texts are") {
  CHECK(is_clean(show::render_page(samples::hostile(), kNow)));
}

TEST_CASE("page: the same for bytes as chance has them") {
  const auto calm = tags_of(show::render_page(samples::made_of("x"), kNow));
  std::mt19937 random(7);  // NOLINT: the same bytes each time
  for (int round = 0; round < 40; ++round) {
    std::string text(1 + random() % 60, '\0');
    constexpr std::string_view kTelling = "<>\"'&;/=-!\n\xE2\x80\xAE\xC3";
    for (char& c : text) {
      c = random() % 2 == 0 ? kTelling[random() % kTelling.size()]
                            : static_cast<char>(random() % 256);
    }
    const auto page = show::render_page(samples::made_of(text), kNow);
    REQUIRE(is_clean(page));
    REQUIRE(tags_of(page) == calm);
  }
}

TEST_CASE("escape: each character that means something") {
  CHECK(show::escape("<a href=\"'&\">") == "&lt;a href=&quot;&#39;&amp;&quot;&gt;");
  CHECK(show::escape("a\nb\tc\r") == "a b c ");
  CHECK(show::escape(std::string_view("\0\x1b", 2)) == "\xEF\xBF\xBD\xEF\xBF\xBD");
  CHECK(show::escape("\xC3") == "\xEF\xBF\xBD");
  CHECK(show::escape("\xE2\x80\xAEgpj") == "\xEF\xBF\xBDgpj");
  CHECK(show::escape("M\xC3\xBCller") == "M\xC3\xBCller");
}

TEST_CASE("page: before anything was reported it says so, and shows no list") {
  const auto page = show::render_page(Overview{}, kNow);
  CHECK_THAT(page, ContainsSubstring("<h2 id=\"verdict\">Nothing is known yet</h2>"));
  CHECK(count_of(page, "<section") == 1);
  CHECK(page.find("All is well") == std::string::npos);
}

TEST_CASE("page: all is well") {
  const auto page = show::render_page(samples::well(), kNow);
  CHECK_THAT(page, ContainsSubstring("<title>All is well: mail.example.com</title>"));
  CHECK_THAT(page, ContainsSubstring("1,204 rows are in force, no destination is downgraded"));
  CHECK_THAT(page, ContainsSubstring("No destination is downgraded.</p>"));
  CHECK_THAT(page, ContainsSubstring("Every partner does the TLS asked of it"));
}

TEST_CASE("page: all is not well where one part isn't") {
  const std::map<std::string, std::function<void(Overview&)>> breaks{
      {"trouble", [](Overview& o) { o.troubles = {"something"}; }},
      {"trouble not shown", [](Overview& o) { o.troubles_left_out = 1; }},
      {"no image", [](Overview& o) { o.image.reset(); }},
      {"role", [](Overview& o) { o.roles[1].pid = 0; }},
      {"state", [](Overview& o) { o.policy_state = "waiting"; }},
      {"no state", [](Overview& o) { o.policy_state.clear(); }},
      {"faulty row", [](Overview& o) { o.image->faulty_rows = 1; }},
      {"frozen", [](Overview& o) { o.is_frozen = true; }},
      {"log", [](Overview& o) { o.is_log_missing = true; }},
      {"old", [](Overview& o) { o.at = kNow - 11; }}};
  for (const auto& [name, damage] : breaks) {
    auto overview = samples::well();
    damage(overview);
    INFO(name);
    const auto verdict = show::sum_up(overview, kNow);
    CHECK(verdict.health == show::Health::Trouble);
    CHECK(!verdict.headline.empty());
    CHECK_THAT(show::render_page(overview, kNow), ContainsSubstring("class=\"verdict trouble\""));
  }
}

TEST_CASE("page: what is so on purpose, or at a partner's, is no trouble of the service") {
  const std::map<std::string, std::function<void(Overview&)>> exceptions{
      {"only observes", [](Overview& o) { o.mode = "observe"; }},
      {"panic", [](Overview& o) { o.panic_until = kNow + 40 * 60; }},
      {"1 destination is downgraded", [](Overview& o) { o.downgrades_total = 1; }},
      {"2 certificates of partners have ended or will within 13 days",
       [](Overview& o) { o.certificates_by_days = {1, 0, 1, 0, 0, 0, 0}; }},
      {"fails at 2 partners", [](Overview& o) { o.partners_total = 2; }}};
  for (const auto& [words, change] : exceptions) {
    auto overview = samples::well();
    change(overview);
    const auto verdict = show::sum_up(overview, kNow);
    CHECK(verdict.health == show::Health::Exceptions);
    CHECK_THAT(verdict.sentence, ContainsSubstring(words));
  }
}

TEST_CASE("page: old figures are said to be old at the top, with the troubles they had") {
  auto overview = samples::trouble();
  overview.at = kNow - 10;
  CHECK_THAT(show::render_page(overview, kNow), ContainsSubstring("5 things need attention"));
  overview.at = kNow - 42;
  const auto page = show::render_page(overview, kNow);
  CHECK_THAT(page, ContainsSubstring("These figures are 42 s old"));
  CHECK_THAT(page, ContainsSubstring("policy.db can&#39;t be used"));
}

TEST_CASE("page: a downgrade shows what, why, since and until when") {
  const auto page = show::render_page(samples::trouble(), kNow);
  CHECK_THAT(page, ContainsSubstring("Downgraded<small>encrypt \u2192 may</small>"));
  CHECK_THAT(page, ContainsSubstring("2 failures 300 s apart: handshake failure"));
  CHECK_THAT(page, ContainsSubstring("<time datetime=\"2026-11-22T19:08:30Z\">in 48 min"
                                     "<small>2026-11-22 19:08 UTC</small></time>"));
  CHECK_THAT(page, ContainsSubstring("3 of 57 are shown; all: tlspolicyctl watch"));
  CHECK_THAT(page, ContainsSubstring("<span class=\"bad\">ended 3 d ago</span>"));
  CHECK_THAT(page, ContainsSubstring("<span class=\"warn\">in 6 d</span>"));
}

TEST_CASE("page: a map that nobody asks is left out") {
  auto overview = samples::well();
  overview.answers.push_back({"transport", "OK", 0});
  const auto page = show::render_page(overview, kNow);
  CHECK(page.find(">transport<") == std::string::npos);
  CHECK_THAT(page, ContainsSubstring(">strict<"));
}

TEST_CASE("page: full lists are whole, what they leave out is counted") {
  const auto page = show::render_page(samples::full(), kNow);
  CHECK_THAT(page,
             ContainsSubstring("100 of 18,446,744,073,709,551,615 are shown; all: tlspolicyctl"));
  CHECK(count_of(page, "<tr role=\"row\"><th role=\"rowheader\"") >=
        model::kMostShownDowngrades + model::kMostShownPartners + model::kMostShownCertificates +
            model::kMostShownDecisions + Overview::kTrafficHours);
  CHECK(count_of(page, "<li>") == model::kMostShownTroubles);
  CHECK(page.size() < 600'000);
}

TEST_CASE("page: landmarks, headings in order, names for tables, nothing from elsewhere") {
  for (const auto& overview : {samples::well(), samples::trouble(), samples::full()}) {
    const auto page = show::render_page(overview, kNow);
    CHECK_THAT(page, ContainsSubstring("<html lang=\"en\">"));
    for (const auto* landmark : {"<header>", "<main>", "<footer>", "<h1>"}) {
      CHECK(count_of(page, landmark) == 1);
    }
    int level = 0;
    for (const auto& heading : all_matches(page, "<h([1-6])", 1)) {
      CHECK(heading[0] - '0' <= level + 1);
      level = heading[0] - '0';
    }
    CHECK(count_of(page, "<table") == count_of(page, "<caption"));
    CHECK(count_of(page, "<section") ==
          count_of(page, "<section class=\"verdict") + count_of(page, "<section aria-labelledby"));
    const auto ids = all_matches(page, " id=\"([^\"]*)\"", 1);
    CHECK(std::set<std::string>(ids.begin(), ids.end()).size() == ids.size());
    for (const auto& id : all_matches(page, "aria-labelledby=\"([^\"]*)\"", 1)) {
      for (const auto part : base::split(id, " ")) {
        CHECK(std::count(ids.begin(), ids.end(), std::string(part)) == 1);
      }
    }
    CHECK(page.find(" src=") == std::string::npos);
    CHECK(page.find("url(") == std::string::npos);
    CHECK(page.find("style=\"") == std::string::npos);
  }
}

TEST_CASE("page: it reloads by itself, or not where that is asked") {
  const auto page = show::render_page(samples::well(), kNow);
  CHECK_THAT(page, ContainsSubstring("<meta http-equiv=\"refresh\" content=\"30\">"));
  CHECK_THAT(page, ContainsSubstring("<a href=\"/still\">Stop reloading</a>"));
  const auto still = show::render_page(samples::well(), kNow, show::Reload::Never);
  CHECK(still.find("refresh") == std::string::npos);
  CHECK_THAT(still, ContainsSubstring("<a href=\"/\">Reload by itself</a>"));
}

TEST_CASE("chart: the bars add up to the figures") {
  const auto traffic = samples::day(64, 90);
  std::map<std::string, double> expected;
  double most = 0;
  for (const auto& hour : traffic) {
    const std::map<std::string, std::uint64_t> counts{{"authenticated", hour.authenticated},
                                                      {"encrypted", hour.encrypted},
                                                      {"unknown", hour.unknown},
                                                      {"clear", hour.clear},
                                                      {"deferred", hour.deferred}};
    double total = 0;
    for (const auto& [kind, count] : counts) {
      expected[kind] += static_cast<double>(count);
      total += static_cast<double>(count);
    }
    most = std::max(most, total);
  }
  const auto html = show::traffic_html(traffic);
  const double top = show::scale_for(most);
  std::map<std::string, double> drawn;
  std::map<std::string, double> column_heights;
  const std::regex rect(
      "<rect class=\"(\\w+)\" x=\"(\\d+)\" y=\"([0-9.]+)\" width=\"8\" "
      "height=\"([0-9.]+)\"/>");
  for (std::sregex_iterator it(html.begin(), html.end(), rect), end; it != end; ++it) {
    const auto height = std::stod((*it)[4]);
    drawn[(*it)[1]] += height * top / 1000;
    column_heights[(*it)[2]] += height;
    // Each part stands on the one below it.
    CHECK_THAT(std::stod((*it)[3]), WithinAbs(1000 - column_heights[(*it)[2]], 0.01));
  }
  for (const auto& [kind, sum] : expected) CHECK_THAT(drawn[kind], WithinRel(sum, 0.001));
  CHECK(column_heights.size() == traffic.size());
  for (const auto& [place, height] : column_heights) CHECK(height <= 1000.001);
  CHECK_THAT(html, ContainsSubstring(fmt::format("{:.0f} deferred", expected["deferred"])));
}

TEST_CASE("chart: a day without mail draws nothing") {
  CHECK(show::traffic_html({}).empty());
  CHECK(show::traffic_html({Overview::Hour{}}).empty());
  CHECK_THAT(show::render_page(
                 [] {
                   auto o = samples::well();
                   o.traffic.clear();
                   return o;
                 }(),
                 kNow),
             ContainsSubstring("No delivery was seen in the last day"));
}

TEST_CASE("chart: the scale is round, has a whole half, and room for the tallest bar") {
  double most = 1;
  while (most < 1e20) {
    const double top = show::scale_for(most);
    CHECK(top >= most);
    CHECK(top <= most * 2 + 1);
    if (top < 1e15) CHECK(static_cast<std::uint64_t>(top) % 2 == 0);
    most *= 1.37;
  }
}

TEST_CASE("page: what Postfix is told without a policy goes by the mode") {
  auto overview = samples::well();
  overview.image.reset();
  overview.mode = "enforce";
  CHECK_THAT(show::render_page(overview, kNow), ContainsSubstring("every answer is TEMP"));
  overview.mode = "observe";
  CHECK_THAT(show::render_page(overview, kNow), ContainsSubstring("every answer is NOTFOUND"));
}
