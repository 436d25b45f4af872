#include "src/app/ctl_time.h"

#include <limits>

#include "src/model/profile.h"
#include "tests/unit/catch.h"

namespace {

using app::ctl::describe_distance;
using app::ctl::describe_span;
using app::ctl::parse_duration;
using app::ctl::parse_expiry;

// 2026-11-22T08:15:00Z
constexpr base::sys_seconds kNow{std::chrono::seconds{1'795'335'300}};

std::int64_t expiry_of(std::string_view text) {
  const auto at = parse_expiry(text, kNow);
  REQUIRE(at.ok());
  return at->time_since_epoch().count();
}

}  // namespace

TEST_CASE("durations: a number and one unit") {
  CHECK(parse_duration("45") == 45);
  CHECK(parse_duration("45s") == 45);
  CHECK(parse_duration("30m") == 1'800);
  CHECK(parse_duration("4h") == 14'400);
  CHECK(parse_duration("7d") == 604'800);
  CHECK(parse_duration("2w") == 1'209'600);
}

TEST_CASE("durations: nothing else is one") {
  const auto text = GENERATE("", "h", "0", "0h", "-4h", "+4h", "4 h", "4y", "1d12h", "1.5h", "4H",
                             "99999999999999999999", "9223372036854775807w", " 4h");
  CAPTURE(text);
  CHECK_FALSE(parse_duration(text).has_value());
}

TEST_CASE("durations: ten years at most, in any unit") {
  CHECK(parse_duration("315360000") == model::kLongestDuration);
  CHECK_FALSE(parse_duration("315360001").has_value());
  CHECK(parse_duration("3650d") == model::kLongestDuration);
  CHECK_FALSE(parse_duration("3651d").has_value());
}

TEST_CASE("expiry: a duration counts from now") {
  CHECK(expiry_of("4h") == kNow.time_since_epoch().count() + 14'400);
}

TEST_CASE("expiry: dates and times are UTC") {
  CHECK(expiry_of("2026-11-22") == 1'795'305'600);
  CHECK(expiry_of("2026-11-22T08:15") == 1'795'335'300);
  CHECK(expiry_of("2026-11-22 08:15:30") == 1'795'335'330);
  CHECK(expiry_of("2026-11-22T08:15:30Z") == 1'795'335'330);
  CHECK(expiry_of("2028-02-29") == 1'835'395'200);
  CHECK(expiry_of("1970-01-01") == 0);
}

TEST_CASE("expiry: a number too large for a duration is a time since the epoch") {
  CHECK(expiry_of("1795335300") == 1'795'335'300);
  CHECK(expiry_of("1000000000") == 1'000'000'000);
}

TEST_CASE("expiry: what is no time is refused, with what is allowed") {
  const auto text =
      GENERATE("", "tomorrow", "2026-13-01", "2026-02-29", "2026-11-22T24:00", "2026-11-22T08:60",
               "2026-11-22T08:15+02:00", "26-11-22", "2026-11-22Z", "2026-11-2", "1969-12-31",
               "999999999", "999999999999999", "2026-11-22T08", "2026/11/22");
  CAPTURE(text);
  const auto at = parse_expiry(text, kNow);
  REQUIRE_FALSE(at.ok());
  CHECK(at.error().find("7d") != std::string::npos);
}

TEST_CASE("spans: the two largest units that matter") {
  CHECK(describe_span(59) == "59 s");
  CHECK(describe_span(60) == "1 min");
  CHECK(describe_span(3'600) == "1 h");
  CHECK(describe_span(15'600) == "4 h 20 min");
  CHECK(describe_span(86'400) == "1 d");
  CHECK(describe_span(1'047'600) == "12 d 3 h");
}

TEST_CASE("distances: before, after and now") {
  const auto now = kNow.time_since_epoch().count();
  CHECK(describe_distance(now, kNow) == "now");
  CHECK(describe_distance(now + 61, kNow) == "in 1 min");
  CHECK(describe_distance(now - 3'600, kNow) == "1 h ago");
}

TEST_CASE("distances and times: whatever a database holds") {
  using Limits = std::numeric_limits<std::int64_t>;
  for (const auto at : {Limits::min(), Limits::max(), std::int64_t{-1}}) {
    CHECK_FALSE(describe_distance(at, kNow).empty());
    CHECK(app::ctl::iso_time_of(at) == "second " + std::to_string(at));
  }
  CHECK(app::ctl::iso_time_of(1'795'335'300) == "2026-11-22T08:15:00Z");
}

TEST_CASE("expiry cell: over at its very second; nothing is a dash") {
  const auto now = kNow.time_since_epoch().count();
  CHECK(app::ctl::expiry_cell(std::nullopt, kNow) == "-");
  CHECK(app::ctl::expiry_cell(now + 1, kNow) == app::ctl::iso_time_of(now + 1));
  CHECK(app::ctl::expiry_cell(now, kNow) == app::ctl::iso_time_of(now) + " expired");
}
