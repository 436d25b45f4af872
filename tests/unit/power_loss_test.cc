// RELIABILITY 4: the power fails between any two writes of state.db. What was acknowledged is
// there, what was not is there whole or not at all, and nothing is damaged.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "src/store/sqlite.h"
#include "src/store/state_db.h"
#include "tests/unit/catch.h"
#include "tests/unit/database_files.h"
#include "tests/unit/recorded_disk.h"

using namespace store;

namespace {

constexpr int kCheckpointEvery = 12;

#ifdef __SANITIZE_ADDRESS__
constexpr std::size_t kCommits = 40;
constexpr std::size_t kFewestPoints = 2'000;
#else
constexpr std::size_t kCommits = 200;
constexpr std::size_t kFewestPoints = 10'000;
#endif

std::string destination_of(std::size_t number) {
  return fmt::format("d{}.peer.example", number);
}

StateChange make_change(std::size_t number) {
  StateChange change;
  change.id = fmt::format("change {}", number);
  change.destination = destination_of(number);
  change.at = 1000 + static_cast<std::int64_t>(number);
  change.state.emplace();
  change.state->version = 1;
  change.state->phase = model::Phase::Downgraded;
  change.state->until = 5000;
  model::Decision decision;
  decision.from = model::Level::Encrypt;
  decision.to = model::Level::May;
  decision.why = std::string(number % 900, 'w');
  decision.rule = "*";
  decision.fallback = "after-retry";
  change.decisions.push_back(decision);
  return change;
}

EvidenceCount make_count(std::size_t number) {
  EvidenceCount count;
  count.destination = destination_of(number);
  count.hour = 3600;
  count.count = 1;
  return count;
}

// A life of state.db on the recorded disk, and when each of its commits came back.
struct Story {
  test::Folder folder;
  std::string path = folder.path("state.db");
  test::RecordedDisk disk;
  std::vector<std::size_t> acknowledged{};  // operations that had been done by then

  void live(std::size_t commits) {
    disk.start_recording();
    {
      auto db = StateDb::open_for_daemon(path);
      REQUIRE(db.ok());
      for (std::size_t number = 0; number < commits; ++number) {
        REQUIRE_FALSE(db->commit({make_change(number)}));
        acknowledged.push_back(disk.operations().size());
        REQUIRE_FALSE(db->add_counts({make_count(number)}, {2000, 2000}, 4000));
        if (number % kCheckpointEvery == 0) checkpoint();
      }
    }
    disk.stop_recording();
  }

  // As the thousandth page would bring it: pages go to the database, the log begins anew.
  void checkpoint() const {
    auto [db, failure] = Database::open(path, SQLITE_OPEN_READWRITE, 1000);
    REQUIRE_FALSE(failure.failed());
    REQUIRE_FALSE(db.execute("PRAGMA wal_checkpoint(FULL)").failed());
  }
  [[nodiscard]] std::size_t acknowledged_by(std::size_t operations) const {
    std::size_t count = 0;
    while (count < acknowledged.size() && acknowledged[count] <= operations) ++count;
    return count;
  }
};

// A daemon's start on what a power loss has left: empty, or what is wrong.
class Start {
 public:
  std::string find_fault(const test::Files& files, std::size_t acknowledged,
                         const std::string& original) {
    for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
      std::filesystem::remove(path_ + suffix);
    }
    for (const auto& [name, content] : files) {
      std::ofstream(path_ + name.substr(original.size()), std::ios::binary) << content;
    }
    auto db = StateDb::open_for_daemon(path_);
    if (!db) return db.error();
    const auto head = db->head();
    if (!head) return head.error();
    const auto found = static_cast<std::size_t>(head->seq);
    if (found < acknowledged || found > acknowledged + 1) {
      return fmt::format("{} decisions, {} were acknowledged", found, acknowledged);
    }
    const auto verified = db->verify_ledger({});
    if (!verified) return verified.error();
    if (!verified->text.empty()) return verified->text;
    if (found == 0) return {};
    const auto state = db->find_state("", destination_of(found - 1));
    if (!state || !state->has_value()) return "a decision without its state";
    return find_damage();
  }

 private:
  std::string find_damage() const {
    auto [db, failure] = Database::open(path_, SQLITE_OPEN_READWRITE, 1000);
    if (failure.failed()) return failure.text;
    auto [text, check_failure] = db.text("PRAGMA integrity_check");
    return check_failure.failed() ? check_failure.text : text == "ok" ? "" : text;
  }
  test::Folder folder_;
  std::string path_ = folder_.path("state.db");
};

}  // namespace

TEST_CASE("state.db: a power loss at any write loses nothing that was acknowledged") {
  Story story;
  story.live(kCommits);
  Start start;
  test::PowerLoss loss;
  std::mt19937_64 choice(4);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same points each time
  std::size_t points = 0;
  const auto& operations = story.disk.operations();
  const auto check = [&](const test::Files& files, std::size_t done, const char* what) {
    const auto fault = start.find_fault(files, story.acknowledged_by(done), story.path);
    ++points;
    if (fault.empty()) return;
    FAIL("power lost after operation " << done << " of " << operations.size() << ", " << what
                                       << ": " << fault);
  };
  check({}, 0, "before all");
  for (std::size_t done = 0; done < operations.size(); ++done) {
    loss.apply(operations[done]);
    check(loss.keep_synced(), done + 1, "only what was synced");
    check(loss.keep_all(), done + 1, "all");
    check(loss.keep_some(choice), done + 1, "some");
  }
  WARN(points << " points of power loss, " << story.acknowledged.size() << " commits");
  CHECK(points >= kFewestPoints);
}
