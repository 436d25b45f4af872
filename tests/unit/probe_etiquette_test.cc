// Laws of the probe schedule over random days: routes and probes that take their time, hosts that
// many share, failures, deliveries and downgrades in between. Each is made from its number alone.
#include <algorithm>
#include <map>
#include <queue>
#include <random>
#include <set>

#include "src/engine/probe_schedule.h"
#include "tests/unit/catch.h"

namespace {

using base::sys_seconds;
using engine::ProbeEnding;
using engine::ProbeSchedule;
using engine::ProbeTarget;
using std::chrono::seconds;
using Random = std::mt19937_64;

constexpr sys_seconds kStart{seconds{1'800'000'000}};
constexpr seconds kDay{86'400};

// Millions of times, so Catch2 is told of breaches alone.
void require(bool holds) {
  if (!holds) FAIL("the etiquette is broken");
}

// A world where everything takes time, and which watches the etiquette.
class Days {
 public:
  Days(std::uint64_t number, std::size_t destinations)
      : random_(number), schedule_({}, {}, number) {
    for (std::size_t i = 0; i < destinations; ++i) {
      names_.push_back("d" + std::to_string(i) + ".example");
      routes_.push_back(random_route(i));
      last_end_.push_back(kStart);
      schedule_.watch(names_.back(), std::nullopt, kStart);
    }
  }

  void run(seconds span) {
    const auto end = kStart + span;
    while (now_ < end) {
      finish_what_is_over();
      disturb();
      take_steps();
      const auto next_end = endings_.empty() ? end : endings_.top().at;
      const auto due = schedule_.next_due().value_or(end);
      now_ = std::max(now_ + seconds{1}, std::min({next_end, std::max(due, now_), end}));
    }
  }

  std::size_t most_open = 0;
  std::size_t checks = 0;
  std::size_t probes = 0;
  seconds longest_wait{0};

 private:
  struct Ending {
    sys_seconds at;
    std::size_t destination;            // of a route
    std::optional<ProbeTarget> target;  // of a probe
    bool operator<(const Ending& other) const { return at > other.at; }
  };

  std::vector<ProbeTarget> random_route(std::size_t number) {
    std::vector<ProbeTarget> route;
    const auto hosts = 1 + random_() % 3;
    for (std::size_t i = 0; i < hosts; ++i) {
      // Half of all hosts are one of five that everybody uses; three names have one address.
      const bool is_shared = random_() % 2 == 0;
      const auto host = is_shared ? random_() % 5 : 10 + number * 3 + i;
      const auto address = host / 3;
      const auto byte = static_cast<std::uint8_t>(address % 251);
      route.push_back({"mx" + std::to_string(host) + ".example",
                       {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 9, 9,
                        static_cast<std::uint8_t>(address / 251), byte},
                       25});
    }
    return route;
  }

  void take_steps() {
    auto steps = schedule_.take_steps(now_);
    for (const auto& name : steps.routes) {
      const auto number = std::stoul(name.substr(1));
      const auto before = last_start_.find(number);
      if (before != last_start_.end()) require(now_ - before->second >= seconds{600});
      last_start_[number] = now_;
      require(routing_.insert(number).second);
      endings_.push({now_ + seconds{random_() % 8}, number, std::nullopt});
    }
    for (const auto& target : steps.probes) {
      require(busy_.insert(target.address).second);
      ++probes;
      endings_.push({now_ + seconds{random_() % 31}, 0, target});
    }
    for (const auto& each : steps.checked) {
      ++checks;
      const auto number = std::stoul(each.destination.substr(1));
      longest_wait = std::max(longest_wait, std::chrono::seconds{now_ - last_end_[number]});
      last_end_[number] = now_;
    }
    require(busy_.size() <= 20);
    require(routing_.size() <= 20);
    require(schedule_.open_probes() == busy_.size());
    most_open = std::max(most_open, busy_.size());
  }

  void finish_what_is_over() {
    while (!endings_.empty() && endings_.top().at <= now_) {
      const Ending over = endings_.top();
      endings_.pop();
      if (over.target) {
        busy_.erase(over.target->address);
        schedule_.take_result(*over.target, ProbeEnding::Answered, now_);
      } else {
        routing_.erase(over.destination);
        schedule_.take_route(names_[over.destination], routes_[over.destination],
                             ProbeEnding::Answered, now_);
      }
    }
  }

  void disturb() {
    const auto& name = names_[random_() % names_.size()];
    switch (random_() % 40) {
      case 0:
        return schedule_.take_failure(name, now_, seconds{1 + random_() % 600});
      case 1:
        return schedule_.set_downgraded(name, random_() % 4 == 0, now_);
      case 2:
        return schedule_.ask_for(name, now_ + seconds{random_() % 5000});
      default:
        return;
    }
  }

  Random random_;
  ProbeSchedule schedule_;
  sys_seconds now_ = kStart;
  std::vector<std::string> names_;
  std::vector<std::vector<ProbeTarget>> routes_;
  std::vector<sys_seconds> last_end_;
  std::map<std::size_t, sys_seconds> last_start_;
  std::set<std::size_t> routing_;
  std::set<model::AddressBytes> busy_;
  std::priority_queue<Ending> endings_;
};

}  // namespace

TEST_CASE("Never more than twenty at once, never twice at one address, everybody once a day") {
  std::size_t most_open = 0;
  for (std::uint64_t number = 0; number < 10; ++number) {
    INFO("days " << number);
    Days days(number, 50 + number * 200);
    days.run(kDay * 3);
    CHECK(days.longest_wait <= kDay);
    CHECK(days.checks >= (50 + number * 200) * 3);
    CHECK(days.probes > 0);
    most_open = std::max(most_open, days.most_open);
  }
  CHECK(most_open == 20);  // or the bound was never put to the test
}

TEST_CASE("A hundred thousand destinations cost by what is done, not by what is watched") {
  // Counted, not timed: a step looks at those that are due and at nothing else, so that a schedule
  // where nothing is due gives nothing, however large it is.
  ProbeSchedule schedule({}, {}, 7);
  for (int i = 0; i < 100'000; ++i) {
    require(schedule.watch("d" + std::to_string(i) + ".example", kStart, kStart));
  }
  CHECK(*schedule.next_due() > kStart + seconds{16 * 3600});
  for (int second = 0; second < 16 * 3600; ++second) {
    const auto steps = schedule.take_steps(kStart + seconds{second});
    require(steps.routes.empty());
  }
  CHECK(schedule.take_steps(kStart + kDay).routes.size() == 20);
}
