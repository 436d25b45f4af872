#include "src/jobs/mail_day.h"

#include <map>
#include <utility>

#include "tests/unit/catch.h"

namespace {

using jobs::MailDay;
using model::Cause;
using model::Security;
using model::Source;

constexpr std::int64_t kHour = 3'600;
constexpr std::int64_t kNow = 1'795'334'400 + 300;  // five minutes into an hour
constexpr std::int64_t kRunning = kNow / kHour * kHour;

struct Rig {
  std::map<std::int64_t, std::vector<model::HourOfMail>> mail;
  std::vector<std::int64_t> read;  // hours, in the order of reading
  bool is_readable = true;
  MailDay day;

  void refresh(std::int64_t now = kNow, bool is_enough = false) {
    day.refresh(
        now,
        [this](std::int64_t hour, const MailDay::Visit& visit) {
          if (!is_readable) return false;
          read.push_back(hour);
          for (const auto& each : mail[hour]) visit(each);
          return true;
        },
        [is_enough] { return is_enough; });
  }
  void add(std::int64_t hour, const std::string& destination, std::vector<model::MailCount> counts,
           const std::string& view = {}) {
    mail[hour].push_back({view, destination, hour, std::move(counts)});
  }
};

model::MailCount tls(Source source, std::int64_t count) {
  return {source, {Security::Encrypted, {}}, true, count};
}
model::MailCount failed(Cause cause, std::int64_t count) {
  return {Source::Outcome, {Security::Unknown, cause}, true, count};
}

}  // namespace

TEST_CASE("mail of a day: 24 hours, the oldest first, the running one last") {
  Rig rig;
  rig.refresh();
  const auto hours = rig.day.hours();
  REQUIRE(hours.size() == 24);
  CHECK(hours.front().start == kRunning - 23 * kHour);
  CHECK(hours.back().start == kRunning);
  CHECK(rig.read.size() == 24);
  CHECK(rig.read.front() == kRunning);
}

TEST_CASE("mail of a day: a delivery that two sources report counts once") {
  Rig rig;
  rig.add(kRunning, "a.example", {tls(Source::Outcome, 3), tls(Source::Maillog, 3)});
  rig.add(kRunning, "b.example", {tls(Source::Maillog, 2)});
  rig.refresh();
  CHECK(rig.day.hours().back().encrypted == 5);
}

TEST_CASE("mail of a day: an hour that is over is read once, and once more while it settles") {
  Rig rig;
  rig.refresh();
  rig.read.clear();
  rig.add(kRunning, "a.example", {tls(Source::Outcome, 1)});
  rig.refresh(kNow + 2);
  CHECK(rig.read == std::vector{kRunning});
  CHECK(rig.day.hours().back().encrypted == 1);
  rig.read.clear();
  rig.refresh(kRunning + kHour + 10);
  rig.refresh(kRunning + kHour + 130);
  rig.refresh(kRunning + kHour + 132);
  CHECK(rig.read ==
        std::vector{kRunning + kHour, kRunning, kRunning + kHour, kRunning, kRunning + kHour});
  CHECK(rig.day.hours().size() == 24);
  CHECK(rig.day.hours().at(22).encrypted == 1);
}

TEST_CASE("mail of a day: what took long enough goes on the next time") {
  Rig rig;
  for (int i = 0; i < 24; ++i) rig.refresh(kNow, true);
  // The running hour again each time, and one hour that is over.
  CHECK(rig.read.size() == 24);
  rig.refresh();
  CHECK(rig.day.hours().size() == 24);
}

TEST_CASE("mail of a day: what can't be read leaves what was known") {
  Rig rig;
  rig.add(kRunning, "a.example", {tls(Source::Outcome, 7)});
  rig.refresh();
  rig.is_readable = false;
  rig.refresh(kNow + 5);
  CHECK(rig.day.hours().back().encrypted == 7);
}

TEST_CASE("mail of a day: whose mail was put off, with the cause that is newest, most mail first") {
  Rig rig;
  rig.add(kRunning - kHour, "a.example", {failed(Cause::HangUp, 2)});
  rig.add(kRunning, "a.example", {failed(Cause::Timeout, 1), failed(Cause::HandshakeFailure, 4)});
  rig.add(kRunning, "b.example", {failed(Cause::Timeout, 1)}, "tenant1");
  rig.add(kRunning, "ours.example", {failed(Cause::LocalFault, 9)});
  rig.add(kRunning, "clear.example", {failed(Cause::Plaintext, 9)});
  rig.refresh();
  const auto put_off = rig.day.put_off();
  REQUIRE(put_off.size() == 2);
  CHECK(put_off[0].destination == "a.example");
  CHECK(put_off[0].deferred == 7);
  CHECK(put_off[0].cause == Cause::HandshakeFailure);
  CHECK(put_off[0].first_hour == kRunning - kHour);
  CHECK(put_off[0].last_hour == kRunning);
  CHECK(put_off[1].view == "tenant1");
}

TEST_CASE("mail of a day: beyond the bound those with the least mail are left out") {
  Rig rig;
  for (std::size_t i = 0; i < 3 * MailDay::kMostPutOff; ++i) {
    rig.add(kRunning, "d" + std::to_string(i) + ".example",
            {failed(Cause::Timeout, static_cast<std::int64_t>(i) + 1)});
  }
  rig.refresh();
  const auto put_off = rig.day.put_off();
  CHECK(put_off.size() == MailDay::kMostPutOff);
  CHECK(put_off.front().deferred == 3 * MailDay::kMostPutOff);
  CHECK(put_off.back().deferred == 2 * MailDay::kMostPutOff + 1);
}
