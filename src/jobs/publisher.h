// Decides what becomes of what policy.db says: published, held for an admin, or refused while the
// policy in force stays. Runs in the store role; owns no socket, asks its Outlet to hand images on.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "src/base/clock.h"
#include "src/engine/publication.h"
#include "src/image/reader.h"
#include "src/store/policy_source.h"

namespace jobs {

class Publisher {
 public:
  // What a publisher wants of the world.
  class Outlet {
   public:
    virtual ~Outlet() = default;
    // Hand the sealed image to the answering role.
    virtual void publish(int image_fd) = 0;
    // There is no policy that the answering role hasn't, and none to be had for now.
    virtual void announce_no_policy() = 0;
  };

  enum class State { Starting, Live, Waiting, Trouble };

  struct Status {
    State state = State::Starting;
    std::string code;                      // of the trouble; "waiting" while held
    std::string text;                      // what happened and what to do
    base::sys_seconds since{};             // of the state
    std::optional<image::Stamp> in_force;  // what was published last
    // What waits for an admin takes away: each table, also one that alone would not have to wait.
    std::vector<engine::Difference> pending;
    std::vector<store::RowFault> faults;  // of the policy in force
    std::uint64_t fault_count = 0;
  };

  struct Accepted {
    bool published = false;
    std::vector<engine::Difference> differences;  // as of Status::pending
    // Why the database can't be read just now, so that nothing could be accepted.
    std::string trouble;
  };

  // One look at the database: store::PolicySource::poll in the daemon.
  using Look = std::function<std::variant<store::Unchanged, store::Compiled, store::Trouble>(
      base::sys_seconds now)>;

  // The outlet outlives the publisher.
  Publisher(Look look, Outlet& outlet) : look_(std::move(look)), outlet_(outlet) {}

  // The policy that the answering role has already, at start: what a new one is compared with.
  void adopt(base::UniqueFd image_fd);

  // Looks at the database once and acts. Call several times a second.
  void poll(base::sys_seconds now);

  // Publishes what waits for an admin; nothing waits, or trouble: published is false.
  Accepted accept(base::sys_seconds now);

  // The answering role is new: it needs the policy in force once more.
  void publish_again();

  // The image last published, or -1.
  [[nodiscard]] int image_fd() const { return in_force_.fd.get(); }
  // The same, to look things up in; null where there is none, or until the next one is published.
  [[nodiscard]] const image::Image* image() const { return in_force_.image.get(); }
  [[nodiscard]] const Status& status() const { return status_; }

 private:
  struct Policy {
    base::UniqueFd fd;
    std::unique_ptr<image::Image> image;
    std::vector<store::RowFault> faults;
    std::uint64_t fault_count = 0;
  };
  void take(store::Compiled compiled, base::sys_seconds now);
  void take(const store::Trouble& trouble, base::sys_seconds now);
  void put_in_force(Policy policy, base::sys_seconds now);
  void hold(Policy policy, std::vector<engine::Difference> differences, base::sys_seconds now);
  void change_state(State state, std::string code, std::string text, base::sys_seconds now);
  // Whether nothing was published yet: the answering role may be waiting for a word.
  [[nodiscard]] bool is_first_word_due() const { return !in_force_.image || is_adopted_; }

  Look look_;
  Outlet& outlet_;
  Policy in_force_;
  bool is_adopted_ = false;
  Policy pending_;
  std::optional<store::Compiled> unmapped_;  // to be tried again
  Status status_;
};

}  // namespace jobs
