// What `report` sums up: lines by destination, the worst first, and the downgrades of a period.
#include <string>
#include <vector>

#include "src/app/report_decisions.h"
#include "src/app/report_sum.h"
#include "tests/unit/catch.h"

using namespace app::ctl;
using model::Cause;
using model::Security;
using model::Source;

namespace {

constexpr model::Outcome kInTls{Security::Encrypted, {}};
constexpr model::Outcome kInClear{Security::Clear, {}};
constexpr model::Outcome kHandshake{Security::Unknown, Cause::HandshakeFailure};
constexpr model::Outcome kNobodyKnows{Security::Unknown, {}};

model::HourOfMail hour(std::string destination, std::int64_t hour, model::Outcome outcome,
                       std::int64_t count, std::string view = {}) {
  return {std::move(view), std::move(destination), hour, {{Source::Outcome, outcome, true, count}}};
}

ReportSum sum_of(const std::vector<model::HourOfMail>& hours,
                 std::size_t most = ReportSum::kMostLines) {
  ReportSum sum(most);
  ReportLines lines([&sum](ReportLine&& line) { sum.add(std::move(line)); });
  for (const auto& each : hours) lines.add(each);
  lines.finish();
  sum.finish();
  return sum;
}

std::vector<std::string> names_of(const ReportSum& sum) {
  std::vector<std::string> names;
  for (const auto& line : sum.lines()) {
    names.push_back(line.view.empty() ? line.destination : line.destination + "@" + line.view);
  }
  return names;
}

store::DecisionRow row(std::int64_t seq, std::int64_t at, std::string kind,
                       std::optional<std::int64_t> until = {}, std::string why = "expiry",
                       std::optional<std::string> destination = "a.example") {
  store::DecisionRow one;
  one.seq = seq;
  one.at = at;
  one.kind = std::move(kind);
  one.destination = std::move(destination);
  one.until = until;
  one.why = std::move(why);
  one.evidence = "[{}]";
  return one;
}

// "seq", or "seq ended ENDED_AT by WHY", newest first.
std::vector<std::string> lowered(std::vector<store::DecisionRow> rows, std::int64_t since,
                                 std::size_t most = 100) {
  ReportDecisions decisions(since, most);
  for (auto& each : rows) decisions.add(std::move(each));
  std::vector<std::string> lines;
  for (const auto& each : decisions.finish()) {
    CHECK(each.decision.evidence.empty());
    lines.push_back(std::to_string(each.decision.seq));
    if (!each.ended_at) continue;
    lines.back() += " ended " + std::to_string(*each.ended_at) + " by " + each.ended_by;
  }
  return lines;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("report: hours of a destination make one line, views stay apart") {
  const auto sum =
      sum_of({hour("a.example", 10, kInTls, 1), hour("a.example", 11, kInTls, 2),
              hour("b.example", 10, kInTls, 1), hour("a.example", 10, kInTls, 9, "v")});
  CHECK(names_of(sum) == Names{"a.example@v", "a.example", "b.example"});
  CHECK(sum.lines().at(1).traffic.encrypted == 3);
  CHECK(sum.total().total() == 13);
  CHECK(sum.destinations() == 3);
  CHECK(sum.destinations_in_clear() == 0);
}

TEST_CASE("report: most in clear stands first, then most deferred, most unknown, most at all") {
  const auto sum = sum_of(
      {hour("all.example", 10, kInTls, 900), hour("calm.example", 10, kInTls, 5),
       hour("clear.example", 10, kInClear, 1), hour("deferred.example", 10, kHandshake, 7),
       hour("unknown.example", 10, kNobodyKnows, 3), hour("worst.example", 10, kInClear, 2)});
  CHECK(names_of(sum) == Names{"worst.example", "clear.example", "deferred.example",
                               "unknown.example", "all.example", "calm.example"});
  CHECK(sum.destinations_in_clear() == 2);
}

TEST_CASE("report: of too many destinations the worst are kept, and all are in the totals") {
  std::vector<model::HourOfMail> hours;
  for (int i = 0; i < 100; ++i) {
    hours.push_back(hour("d" + std::to_string(100 + i), 10, kInClear, i % 7 == 0 ? 50 + i : 1));
  }
  const auto sum = sum_of(hours, 3);
  CHECK(names_of(sum) == Names{"d198", "d191", "d184"});
  CHECK(sum.left_out() == 97);
  CHECK(sum.destinations() == 100);
  CHECK(sum.has("", "d191"));
  CHECK_FALSE(sum.has("", "d190"));
  CHECK_FALSE(sum.has("v", "d191"));
}

TEST_CASE("report: a downgrade carries its end, whatever ended it") {
  CHECK(lowered({row(1, 100, "downgrade", 400), row(2, 400, "restore")}, 50) ==
        Names{"1 ended 400 by expiry"});
  CHECK(lowered({row(1, 100, "reroute", 400), row(2, 200, "reset", {}, "admin")}, 50) ==
        Names{"1 ended 200 by admin"});
  CHECK(lowered({row(1, 100, "downgrade", 400)}, 50) == Names{"1"});
  CHECK(lowered({row(1, 100, "downgrade", 400), row(2, 150, "restore", 400)}, 50) == Names{"1"});
  CHECK(lowered({row(1, 100, "downgrade", 400), row(2, 300, "downgrade", 900, "failed again")},
                0) == Names{"2", "1 ended 300 by failed again"});
}

TEST_CASE("report: a downgrade from before the period counts while it was in force") {
  const auto since = 1000;
  CHECK(lowered({row(1, 100, "downgrade", 2000)}, since) == Names{"1"});
  CHECK(lowered({row(1, 100, "downgrade", 900)}, since).empty());
  CHECK(lowered({row(1, 100, "downgrade", 2000), row(2, 500, "restore")}, since).empty());
  CHECK(lowered({row(1, 100, "downgrade", 2000), row(2, 1500, "restore")}, since) ==
        Names{"1 ended 1500 by expiry"});
}

TEST_CASE("report: what an admin lowered for all is there, what lowered nothing is not") {
  CHECK(lowered({row(1, 100, "panic", 400, "mode observe for 300 s", {}),
                 row(2, 200, "panic", {}, "over: the configured mode holds", {})},
                50) == Names{"1 ended 200 by over: the configured mode holds"});
  CHECK(lowered({row(1, 100, "panic", 400, "mode enforce for 300 s", {})}, 50).empty());
  CHECK(lowered({row(1, 100, "accept", {}, "drops 300 rows", {})}, 50) == Names{"1"});
  CHECK(lowered(
            {row(1, 100, "freeze", {}, "many fail", {}), row(2, 101, "thaw", {}, "over", {}),
             row(3, 102, "starttls-vanished"), row(4, 103, "re-offered"), row(5, 104, "nonsense")},
            50)
            .empty());
}

TEST_CASE("report: of too many downgrades the newest are kept") {
  std::vector<store::DecisionRow> rows;
  for (std::int64_t i = 1; i <= 9; ++i) rows.push_back(row(i, 100 + i, "downgrade", 400));
  ReportDecisions decisions(50, 2);
  for (auto& each : rows) decisions.add(std::move(each));
  const auto kept = decisions.finish();
  REQUIRE(kept.size() == 2);
  CHECK(kept.front().decision.seq == 9);
  CHECK(decisions.left_out() == 7);
}
