#include "src/app/mail_log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <vector>

#include "tests/unit/catch.h"
#include "tests/unit/log_rig.h"

namespace {

constexpr std::int64_t kNow = 1'795'334'400;  // 2026-11-22T08:00:00Z

class SetClock final : public base::Clock {
 public:
  [[nodiscard]] base::sys_seconds now() const override {
    return base::sys_seconds(std::chrono::seconds(kNow));
  }
  // Whoever looks twice has waited long enough for anything.
  [[nodiscard]] base::SteadyPoint steady() const override { return at_ += std::chrono::hours{1}; }

 private:
  mutable base::SteadyPoint at_{};
};

// A mail log that is followed, and what it made of the lines.
class Desk {
 public:
  Desk() { folder_.append(""); }
  // A failure that was written so many seconds ago.
  void write(std::int64_t seconds_ago) {
    const std::time_t written = kNow - seconds_ago;
    folder_.append(
        fmt::format("{:%Y-%m-%dT%H:%M:%S}+00:00 mail postfix/smtp[7]: 4ABC: to=<u@peer.test>, "
                    "relay=mx1.peer.test[192.0.2.10]:25, delay=0.4, delays=0.1/0.01/0.29/0, "
                    "dsn=4.7.5, status=deferred (Cannot start TLS: handshake failure)\n",
                    fmt::gmtime(written)));
  }
  void start() {
    log_.set_trust(true);
    log_.start();
    read();
  }
  std::vector<model::Evidence> read() {
    while (log_.read_some()) {
    }
    std::vector<model::Evidence> seen;
    queue_.flush(
        [&seen](std::string_view payload) {
          while (const auto one = wire::take_reported_evidence(payload)) {
            CHECK(one->seen_at == one->evidence.at);
            seen.push_back(one->evidence);
          }
          return true;
        },
        {});
    log_.save();
    return seen;
  }
  // Another process goes on, and finds another file in the place of the one that was read.
  wire::IngestStats restart_without_the_file() {
    std::filesystem::remove(folder_.path());
    folder_.append("new\n");
    wire::IngestStats stats;
    app::MailLog next(clock_, folder_.path(), folder_.path("state.db"), queue_, stats);
    next.start();
    for (int i = 0; i < 5; ++i) {
      while (next.read_some()) {
      }
    }
    return stats;
  }

 private:
  LogFolder folder_;
  SetClock clock_;
  app::EvidenceQueue queue_;
  wire::IngestStats stats_;
  app::MailLog log_{clock_, folder_.path(), folder_.path("state.db"), queue_, stats_};
};

}  // namespace

TEST_CASE("mail log: a line that is read late happened when it was written") {
  const auto seconds_ago = GENERATE(0, 1, 10, 11, 400, 3'589, -1, -10);
  Desk desk;
  desk.start();
  desk.write(seconds_ago);
  const auto seen = desk.read();
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].at == kNow - seconds_ago);
  CHECK(seen[0].is_trusted);
}

TEST_CASE("mail log: a stamp of another time zone, or of a clock that is ahead, says nothing") {
  const auto seconds_ago = GENERATE(3'590, 3'600, 3'605, 19'800, 86'400, -11, -3'600);
  Desk desk;
  desk.start();
  desk.write(seconds_ago);
  const auto seen = desk.read();
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].at == kNow);
  CHECK(seen[0].is_trusted);
}

TEST_CASE(
    "mail log: where what was read last is gone the next is read, and not said to be missing") {
  Desk desk;
  desk.start();
  desk.write(1);
  REQUIRE(desk.read().size() == 1);
  const auto stats = desk.restart_without_the_file();
  CHECK(stats.lines == 1);
  CHECK(stats.is_log_missing == 0);
}
