// kill_rounds ROUNDS LEAST [SEED]: role `store` killed at any moment, RELIABILITY.md section 6, row
// crash. A child commits to state.db and says through a pipe what is committed; it is killed with
// SIGKILL after a time that the seed gives; what it said must be there, whole, and the file in
// order; the next child goes on with the same file. A round goes on until it has been told of its
// share of LEAST acknowledged writes. Exit status 0: none was lost, nothing is damaged.
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "src/base/handle.h"
#include "tests/inject/policy_samples.h"
#include "tests/inject/scenario.h"
#include "tests/inject/state_samples.h"

namespace {

using store::StateDb;
constexpr std::uint64_t kBatch = 50;  // changes in one commit, as proposals come in bursts

// The numbers of one commit become `count` writes: each is a state, and every tenth a decision too,
// which holds the chain of hashes together.
std::vector<store::StateChange> batch_from(std::uint64_t first) {
  std::vector<store::StateChange> changes;
  for (std::uint64_t number = first; number < first + kBatch; ++number) {
    auto change = inject::change_of(number);
    change.destination = fmt::format("d{}.example", number % 5000);
    if (number % 10 != 0) change.decisions.clear();
    changes.push_back(std::move(change));
  }
  return changes;
}

[[noreturn]] void write_for_ever(const std::string& path, std::uint64_t next, int pipe) {
  auto db = inject::must(StateDb::open_for_daemon(path));
  for (;; next += kBatch) {
    if (const auto refused = db.commit(batch_from(next))) inject::give_up(refused->text);
    const std::uint64_t told = next + kBatch;
    if (::write(pipe, &told, sizeof told) != static_cast<ssize_t>(sizeof told)) std::_Exit(1);
  }
}

struct Rounds {
  std::string path;
  std::mt19937_64 random;
  std::uint64_t acknowledged = 0;  // every number below was said to be committed

  // Lets a child write until `least` more are acknowledged and some time more, then kills it.
  void run(std::uint64_t least) {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) inject::give_up("pipe");
    const base::UniqueFd told(ends[0]);
    base::UniqueFd tells(ends[1]);
    const pid_t child = ::fork();
    if (child < 0) inject::give_up("fork");
    if (child == 0) write_for_ever(path, acknowledged, tells.get());
    tells.reset();
    const std::uint64_t goal = acknowledged + least;
    while (acknowledged < goal && hear(told.get())) {
    }
    ::usleep(static_cast<useconds_t>(random() % 20'000));
    ::kill(child, SIGKILL);
    while (hear(told.get())) {
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    if (!WIFSIGNALED(status)) inject::give_up("the writer ended by itself");
  }

  bool hear(int pipe) {
    std::uint64_t number = 0;
    if (::read(pipe, &number, sizeof number) != static_cast<ssize_t>(sizeof number)) return false;
    acknowledged = number;
    return true;
  }

  // What is wrong with the file, or nothing; goes on behind what it holds.
  std::string check(bool is_thorough) {
    auto db = StateDb::open_for_daemon(path);
    if (!db) return db.error();
    std::uint64_t held = 0;  // one more than the newest number
    std::vector<std::uint64_t> newest(5000, 0);
    inject::must(db->load_states([&](const store::StoredState& stored) {
      const std::uint64_t slot = std::stoull(stored.destination.substr(1));
      newest.at(slot) = stored.state.version;  // one more than the number that wrote it
      held = std::max(held, stored.state.version);
      return true;
    }));
    if (held < acknowledged) return fmt::format("{} of {} acknowledged", held, acknowledged);
    if (held % kBatch != 0) return fmt::format("half of a commit: it ends at {}", held);
    for (std::uint64_t slot = 0; slot < newest.size(); ++slot) {
      const std::uint64_t last = held == 0 || slot >= held
                                     ? 0
                                     : (held - 1 - slot) / newest.size() * newest.size() + slot + 1;
      if (newest[slot] != last)
        return fmt::format("d{} is at {}, not {}", slot, newest[slot], last);
    }
    const auto head = inject::must(db->head());
    if (head.seq != static_cast<std::int64_t>((held + 9) / 10)) return "decisions are lost";
    if (is_thorough) {
      if (const auto found = inject::must(db->verify_ledger("")); !found.text.empty()) {
        return found.text;
      }
    }
    acknowledged = held;
    return inject::find_damage(path);
  }
};

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() < 2) {
    fmt::print(stderr, "usage: kill_rounds ROUNDS LEAST [SEED]\n");
    return 2;
  }
  const std::uint64_t rounds = std::stoull(words[0]);
  const std::uint64_t share = std::stoull(words[1]) / rounds;
  const std::uint64_t seed = words.size() > 2 ? std::stoull(words[2]) : std::random_device()();
  std::string folder = std::filesystem::temp_directory_path() / "tlspolicyd-kill-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) inject::give_up("mkdtemp");
  Rounds all{folder + "/state.db", std::mt19937_64(seed)};
  fmt::print("seed {}\n", seed);
  std::string fault;
  std::uint64_t done = 0;
  for (; done < rounds && fault.empty(); ++done) {
    all.run(share);
    fault = all.check(done % 20 == 0 || done + 1 == rounds);
  }
  fmt::print("{} rounds of kill -9, {} acknowledged writes, {}\n", done, all.acknowledged,
             fault.empty() ? "0 lost, 0 corrupt" : "WRONG: " + fault);
  std::error_code ignored;
  if (fault.empty()) std::filesystem::remove_all(folder, ignored);
  return fault.empty() ? EXIT_SUCCESS : EXIT_FAILURE;
}
