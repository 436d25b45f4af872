// policy.db compiled and published.
#include <fcntl.h>
#include <fmt/format.h>

#include <array>

#include "src/image/sealed_file.h"
#include "src/jobs/publisher.h"
#include "tests/inject/policy_samples.h"
#include "tests/inject/scenario.h"

namespace inject {
namespace {

constexpr int kBefore = 20;
constexpr int kAfter = 23;

struct Expected {
  std::string before;
  std::string after;
};
Expected& expected() {
  static Expected one;
  return one;
}

// Sees what reaches the answering role.
class Watcher final : public jobs::Publisher::Outlet {
 public:
  void publish(int image_fd) override {
    const Calm ours;
    published = describe_image(image_fd);
    ++count;
  }
  void announce_no_policy() override { ++refusals; }
  std::string published;
  int count = 0;
  int refusals = 0;
};

void prepare(const World& world) {
  make_policy_db(world.path("old.db"), kBefore);
  make_policy_db(world.path("policy.db"), kAfter);
  expected() = {describe_policy_db(world.path("old.db")),
                describe_policy_db(world.path("policy.db"))};
  if (expected().after.find("d01.example secure secure mx.d01.example:.mx.d01.example") ==
      std::string::npos) {
    give_up("the sample policy is another: " + expected().after);
  }
  store::PolicySource source(world.path("old.db"), accept_all, std::chrono::nanoseconds{0});
  auto seen = source.poll(kNow);
  must(image::save_atomically(std::get<store::Compiled>(seen).image.get(), world.path("image")));
}

Outcome publish(const World& world, bool has_policy) {
  Watcher watcher;
  store::PolicySource source(world.path("policy.db"), accept_all, std::chrono::nanoseconds{0});
  jobs::Publisher publisher([&source](base::sys_seconds now) { return source.poll(now); }, watcher);
  if (has_policy) {
    const Calm ours;
    publisher.adopt(must(image::load_sealed(world.path("image"))));
  }
  publisher.poll(kNow);
  publisher.poll(kNow + std::chrono::seconds{2});
  disarm();
  const bool is_at_once = watcher.count > 0;
  if (is_at_once && watcher.published != expected().after) {
    return world.wrong("published was: " + watcher.published);
  }
  if (!is_at_once && has_policy && describe(*publisher.image()) != expected().before) {
    return world.wrong("the policy in force is another");
  }
  // What failed fails no more: it must come right by itself.
  const std::string said = publisher.status().text;
  publisher.poll(kNow + std::chrono::seconds{100});
  if (watcher.published != expected().after) {
    return world.wrong(fmt::format("it stays at: {} (before: {})", publisher.status().text, said));
  }
  return is_at_once ? Outcome::Exact : world.refused(said);
}

// The daemon never writes it.
std::string inspect(const World& world) {
  if (world.is_as_before("policy.db")) return {};
  auto damage = find_damage(world.path("policy.db"));
  if (!damage.empty()) return damage;
  return describe_policy_db(world.path("policy.db")) == expected().after ? "" : "another policy.db";
}

const std::array kScenarios{
    Scenario{"publish-first", prepare, [](const World& world) { return publish(world, false); },
             inspect},
    Scenario{"publish-change", prepare, [](const World& world) { return publish(world, true); },
             inspect},
};

}  // namespace

std::span<const Scenario> policy_scenarios() {
  return kScenarios;
}

}  // namespace inject
