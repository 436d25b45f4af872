// What state.db knows of one destination, for `explain`: read beside the daemon, which may be down.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/app/ctl_context.h"
#include "src/engine/level_for.h"
#include "src/model/destination_state.h"
#include "src/store/state_db.h"

namespace app::ctl {

// What was counted of one destination lately, by view, source, ending and trust; newest first.
struct Counted {
  std::int64_t last = 0;  // the hour it was last seen in
  std::string view;
  std::string source;
  std::string ending;  // a cause, else how safely the mail went
  bool is_trusted = false;
  std::int64_t count = 0;
};

class KnownStates {
 public:
  // Where there is no state.db yet, nothing is known of any destination. One that is there and
  // can't be read is a trouble, also where that shows in find() or count() alone.
  explicit KnownStates(const Context& context);

  [[nodiscard]] std::optional<model::DestinationState> find(std::string_view destination);
  // Of the last day.
  [[nodiscard]] std::vector<Counted> count(std::string_view destination);
  [[nodiscard]] model::Moment now() const { return now_; }
  // By which rows end for the daemon: never before the highest time of day that it has seen.
  [[nodiscard]] base::sys_seconds wall() const {
    return base::sys_seconds(std::chrono::seconds(now_.wall));
  }
  // What that means where this host's clock stands behind it; else empty.
  [[nodiscard]] std::string clock_note() const;
  // What holds for every row: the configured mode, or an admin's panic while that lasts.
  [[nodiscard]] model::RowMode mode() const { return mode_; }
  // A sentence about that panic, how long it lasts and what ends it; else empty.
  [[nodiscard]] std::string panic_note() const;
  // Missing: the daemon would not have it either, and answers no weaker than encrypt.
  [[nodiscard]] engine::Memory memory() const { return memory_; }
  [[nodiscard]] const std::string& trouble() const { return trouble_; }

 private:
  base::Result<void> open(const std::string& path);
  void give_up(const std::string& trouble);

  std::optional<store::StateDb> db_;
  base::sys_seconds clock_;
  model::Moment now_;
  model::RowMode mode_;
  std::int64_t panic_until_ = 0;
  engine::Memory memory_ = engine::Memory::Whole;
  std::string trouble_;
};

// What is known, as sentences with ages, and what changes next: in a freeze nothing is lowered.
// Empty where nothing is known.
std::vector<std::string> describe_state(const engine::Rules& rules,
                                        const model::DestinationState& state, model::Moment now,
                                        bool is_frozen);

}  // namespace app::ctl
