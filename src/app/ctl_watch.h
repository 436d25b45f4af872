// What the parts of `watch` share: each destination with what its row asks for and what its last
// check found, from policy.db and state.db alone. The daemon may be down.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/app/ctl_context.h"
#include "src/app/ctl_verbs.h"
#include "src/base/result.h"
#include "src/engine/watch_verdict.h"
#include "src/store/state_db.h"

namespace app::ctl {

struct WatchLine {
  std::string destination;
  std::string row;  // that asks; empty: none
  model::RowMode mode = model::RowMode::Enforce;
  std::string fault;  // of the row: it can't be used
  std::optional<engine::AskedLevel> asked;
  std::optional<store::StoredProbe> probe;
  engine::WatchVerdict verdict;
};

// ctl_watch_lines: those that are named, or all that are watched, in order of destination.
base::Result<std::vector<WatchLine>> find_watched(const Context& context,
                                                  const std::vector<std::string>& destinations);

// True where mail would not go at the level that a row in force asks for.
[[nodiscard]] bool is_failing(const WatchLine& line);

// ctl_watch_text: the cells of the columns; the texts are filtered by whoever shows them.
std::string asked_of(const WatchLine& line);    // "required (encrypt)"
std::string does_of(const WatchLine& line);     // "TLSv1.3 trusted"
std::string verdict_of(const WatchLine& line);  // "ok", "fails: certificate expired"
// Since when the verdict has been like that, as far as it is known; the first end among the
// certificates that were seen. Seconds since the epoch.
std::optional<std::int64_t> since_of(const WatchLine& line);
std::optional<std::int64_t> expiry_of(const WatchLine& line);
Json to_json(const WatchLine& line);

// ctl_watch_changes: `watch --changes`.
Exit print_changes(const Context& context, const Arguments& arguments);

// ctl_watch_now: asks the daemon to check them before their turn.
Exit check_now(const Context& context, const Arguments& arguments);

}  // namespace app::ctl
