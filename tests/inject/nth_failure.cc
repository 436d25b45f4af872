// nth_failure                                  every n of every fault in every scenario
// nth_failure --each COUNT --seed SEED         at most COUNT of each, from a place that SEED, or
// "any", chooses nth_failure ... --only SCENARIO              of one scenario nth_failure SCENARIO
// FAULT N once|sticky     one of them, with its log nth_failure --list the scenarios, and how often
// each calls what
//
// RELIABILITY.md section 6, row nth-failure. Exit status 0: nothing was wrong.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/inject/runner.h"

namespace {

using inject::Ending;
using inject::Fault;
using inject::Group;
using inject::Scenario;

std::vector<Scenario> all_scenarios() {
  std::vector<Scenario> all;
  for (const auto& some :
       {inject::policy_scenarios(), inject::policy_edit_scenarios(), inject::image_scenarios(),
        inject::state_scenarios(), inject::state_reading_scenarios(), inject::session_scenarios(),
        inject::channel_scenarios(), inject::intake_scenarios()}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

std::string_view to_word(Group group) {
  switch (group) {
    case Group::Memory:
      return "memory";
    case Group::Sqlite:
      return "sqlite";
    case Group::System:
      return "system";
  }
  return "";
}

struct Tally {
  std::uint64_t runs = 0;
  std::array<std::uint64_t, inject::kEndings> endings{};
  void add(Ending ending) {
    ++runs;
    ++endings.at(static_cast<std::size_t>(ending));
  }
};

// One line of the table is a scenario and a group; the last one is the sum.
class Table {
 public:
  static void show_head() {
    fmt::print("{:<20} {:<7} {:>10} {:>8} {:>8} {:>8} {:>6} {:>6}\n", "scenario", "class",
               "injections", "exact", "refused", "died", "ended", "wrong");
  }
  void add(std::string_view scenario, Group group, Ending ending) {
    rows_[{std::string(scenario), group}].add(ending);
    sum_.add(ending);
  }
  void show(std::string_view scenario) const {
    for (const Group group : {Group::Memory, Group::Sqlite, Group::System}) {
      const auto found = rows_.find({std::string(scenario), group});
      if (found != rows_.end()) show(scenario, to_word(group), found->second);
    }
    std::fflush(stdout);
  }
  void show_sum() const { show("all", "", sum_); }
  [[nodiscard]] const Tally& sum() const { return sum_; }

 private:
  static void show(std::string_view name, std::string_view group, const Tally& tally) {
    fmt::print("{:<20} {:<7} {:>10} {:>8} {:>8} {:>8} {:>6} {:>6}\n", name, group, tally.runs,
               tally.endings[0], tally.endings[1], tally.endings[2], tally.endings[3],
               tally.endings[4]);
  }

  std::map<std::pair<std::string, Group>, Tally> rows_;
  Tally sum_;
};

class Campaign {
 public:
  // Of each fault in each scenario, at most `most` injections; 0: all.
  Campaign(std::uint64_t most, std::uint64_t seed) : most_(most), random_(seed) {}

  void run(const Scenario& scenario) {
    runner_.prepare(scenario);
    const auto counted = runner_.run(scenario, inject::faults().front(), 0, false);
    if (counted.ending != Ending::Exact)
      note(scenario, inject::faults().front(), 0, false, counted);
    for (const Fault& fault : inject::faults()) {
      const auto calls = counted.calls.at(static_cast<std::size_t>(fault.call));
      if (calls == 0) continue;
      for (const bool is_sticky : {false, true}) {
        if (is_sticky && !fault.may_stick) continue;
        if (most_ == 0 || calls <= most_) {
          exhaust(scenario, fault, is_sticky);
        } else {
          sample(scenario, fault, is_sticky, calls);
        }
      }
    }
    table_.show(scenario.name);
  }

  int finish() {
    table_.show_sum();
    for (const auto& line : wrong_) fmt::print("WRONG {}\n", line);
    return table_.sum().endings.back() == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
  }

 private:
  // Printed; all are counted.
  static constexpr std::size_t kMostShown = 60;

  // n = 1, 2, ... until the scenario is over before anything failed.
  void exhaust(const Scenario& scenario, const Fault& fault, bool is_sticky) {
    for (std::uint64_t nth = 1; inject(scenario, fault, nth, is_sticky); ++nth) {
    }
  }

  void sample(const Scenario& scenario, const Fault& fault, bool is_sticky, std::uint64_t calls) {
    const std::uint64_t step = calls / most_;
    for (std::uint64_t nth = 1 + random_() % step; nth <= calls; nth += step) {
      inject(scenario, fault, nth, is_sticky);
    }
  }

  // False where nothing failed: there are fewer such calls.
  bool inject(const Scenario& scenario, const Fault& fault, std::uint64_t nth, bool is_sticky) {
    const auto result = runner_.run(scenario, fault, nth, is_sticky);
    if (result.fired == 0 && result.ending != Ending::Wrong) return false;
    note(scenario, fault, nth, is_sticky, result);
    return result.fired > 0;
  }

  void note(const Scenario& scenario, const Fault& fault, std::uint64_t nth, bool is_sticky,
            const inject::Result& result) {
    table_.add(scenario.name, group_of(fault.call), result.ending);
    if (result.ending != Ending::Wrong || wrong_.size() >= kMostShown) return;
    wrong_.push_back(fmt::format("nth_failure {} {} {} {}: {}", scenario.name, fault.name, nth,
                                 is_sticky ? "sticky" : "once", result.text));
  }

  std::uint64_t most_;
  std::mt19937_64 random_;
  inject::Runner runner_;
  Table table_;
  std::vector<std::string> wrong_;
};

int run_one(const std::vector<Scenario>& scenarios, const std::vector<std::string>& words) {
  const auto scenario = std::find_if(scenarios.begin(), scenarios.end(),
                                     [&](const Scenario& one) { return one.name == words[0]; });
  const auto fault = inject::find_fault(words[1]);
  if (scenario == scenarios.end() || !fault || (words[3] != "once" && words[3] != "sticky")) {
    fmt::print(stderr, "usage: nth_failure SCENARIO FAULT N once|sticky\n");
    return 2;
  }
  inject::Runner runner;
  runner.prepare(*scenario);
  const auto result =
      runner.run(*scenario, *fault, std::stoull(words[2]), words[3] == "sticky", true);
  constexpr std::array<std::string_view, inject::kEndings> kWords{"exact", "refused", "died",
                                                                  "ended", "WRONG"};
  fmt::print("{}: failed {} times; {}\n", kWords.at(static_cast<std::size_t>(result.ending)),
             result.fired, result.text);
  return result.ending == Ending::Wrong ? EXIT_FAILURE : EXIT_SUCCESS;
}

int list(const std::vector<Scenario>& scenarios) {
  inject::Runner runner;
  for (const Scenario& scenario : scenarios) {
    runner.prepare(scenario);
    const auto result = runner.run(scenario, inject::faults().front(), 0, false);
    fmt::print("{:<20} {}", scenario.name, result.ending == Ending::Exact ? "" : result.text + "!");
    std::string_view last;
    for (const Fault& fault : inject::faults()) {
      const auto word = fault.name.substr(0, fault.name.find('.'));
      const auto count = result.calls.at(static_cast<std::size_t>(fault.call));
      if (word != last && count > 0) fmt::print(" {}={}", word, count);
      last = word;
    }
    fmt::print("\n");
  }
  return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  inject::install_vfs();
  auto scenarios = all_scenarios();
  if (words.size() == 1 && words[0] == "--list") return list(scenarios);
  if (words.size() >= 2 && words[words.size() - 2] == "--only") {
    std::erase_if(scenarios, [&](const Scenario& one) { return one.name != words.back(); });
    words.resize(words.size() - 2);
  }
  std::uint64_t most = 0;
  std::uint64_t seed = 0;
  if (words.size() == 4 && words[0] == "--each" && words[2] == "--seed") {
    most = std::stoull(words[1]);
    seed = words[3] == "any" ? std::random_device()() : std::stoull(words[3]);
  } else if (words.size() == 4) {
    return run_one(scenarios, words);
  } else if (!words.empty()) {
    fmt::print(stderr,
               "usage: nth_failure [--each COUNT --seed SEED] [--only SCENARIO] | --list\n");
    return 2;
  }
  fmt::print("of each fault {}, seed {}\n", most == 0 ? "all" : std::to_string(most), seed);
  Table::show_head();
  Campaign campaign(most, seed);
  for (const Scenario& scenario : scenarios) campaign.run(scenario);
  return campaign.finish();
}
