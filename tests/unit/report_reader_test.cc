// What `ingest` reports before the state base is there.
#include "src/app/report_reader.h"

#include <string>

#include "tests/unit/catch.h"

namespace {

constexpr std::int64_t kNow = 1'800'000'000;

struct StillClock final : base::Clock {
  [[nodiscard]] base::sys_seconds now() const override {
    return base::sys_seconds(std::chrono::seconds(kNow));
  }
  [[nodiscard]] base::SteadyPoint steady() const override { return {}; }
};

struct NoRules final : jobs::RuleBook {
  std::optional<engine::Rules> rules_for(std::string_view /*view*/,
                                         const model::Key& /*key*/) override {
    return std::nullopt;
  }
};

struct NoOutlet final : jobs::Feedback::Outlet {
  bool propose(const wire::Proposal& /*proposal*/) override { return true; }
  void alarm(std::string_view /*what*/, std::string_view /*destination*/, std::string_view /*text*/,
             bool /*is_over*/) override {}
};

struct Desk {
  void report(std::uint64_t serial) {
    wire::ReportedEvidence reported;
    reported.serial = serial;
    reported.seen_at = kNow;
    reported.destination = "peer.example";
    reported.evidence.source = model::Source::Maillog;
    reported.evidence.is_trusted = true;
    reported.evidence.was_offered = true;
    reported.evidence.outcome.security = model::Security::Encrypted;
    reported.evidence.at = kNow;
    reported.evidence.text = std::string(1000, 'x');
    std::string payload;
    wire::append_reported_evidence(payload, reported);
    longest = std::max(longest, payload.size());
    reader.take(payload);
  }
  // Mail in clear to somebody at `domain`, over a connection that was there already.
  void report_reused(const std::string& domain) {
    wire::ReportedEvidence reported;
    reported.pid = 7;
    reported.seen_at = kNow;
    reported.is_reused = true;
    reported.destination = domain;
    reported.evidence.source = model::Source::Maillog;
    reported.evidence.outcome.security = model::Security::Clear;
    reported.evidence.at = kNow;
    std::string payload;
    wire::append_reported_evidence(payload, reported);
    reader.take(payload);
  }
  std::vector<std::string> counted_names() {
    std::vector<std::string> names;
    for (const auto& record : feedback.take_counts()) names.push_back(record.destination);
    return names;
  }
  void load_base() {
    REQUIRE(feedback.begin_base(jobs::Feedback::Base::Committed, {kNow, 1}));
    feedback.end_base();
    reader.release();
  }
  std::uint32_t counted() {
    std::uint32_t sum = 0;
    for (const auto& record : feedback.take_counts()) sum += record.count;
    return sum;
  }

  StillClock clock;
  NoRules rules;
  NoOutlet outlet;
  jobs::Feedback feedback{clock, rules, outlet};
  app::ReportReader reader{feedback};
  std::size_t longest = 0;
};

}  // namespace

TEST_CASE("report reader: what comes before the base waits, and teaches when it is there") {
  Desk desk;
  desk.report(1);
  desk.report(2);
  CHECK(desk.counted() == 0);
  desk.load_base();
  CHECK(desk.counted() == 2);
  CHECK(desk.feedback.knows("", model::normalise_key("peer.example")));
  // A line read again counts no more.
  desk.report(2);
  CHECK(desk.counted() == 0);
}

TEST_CASE("report reader: where too much waits the oldest is only counted, and nothing is lost") {
  Desk desk;
  desk.report(1);
  const std::uint64_t lines = 3 * app::ReportReader::kMostWaiting / desk.longest;
  for (std::uint64_t serial = 2; serial <= lines; ++serial) desk.report(serial);
  const auto early = desk.counted();
  CHECK(early > lines / 2);
  CHECK(early < lines);
  CHECK_FALSE(desk.feedback.knows("", model::normalise_key("peer.example")));
  desk.load_base();
  CHECK(early + desk.counted() == lines);
  CHECK(desk.feedback.knows("", model::normalise_key("peer.example")));
}

TEST_CASE("report reader: a connection used again says nothing of what its process asked about") {
  using Names = std::vector<std::string>;
  Desk desk;
  desk.reader.set_in_use(true);
  desk.load_base();
  desk.reader.asked(7, "", model::normalise_key("strict.example"), kNow - 5);
  desk.report_reused("other.example");
  CHECK(desk.counted_names() == Names{"other.example"});
  desk.report_reused("strict.example");
  CHECK(desk.counted_names() == Names{"strict.example"});
  // Behind a relay the recipient's domain is none either.
  desk.reader.asked(7, "", model::normalise_key("[relay.example]:587"), kNow - 3);
  desk.report_reused("other.example");
  CHECK(desk.counted_names().empty());
  CHECK(desk.reader.unplaced() == 1);
}
