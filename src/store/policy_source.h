// policy.db as the daemon sees it: watched, checked and compiled into a policy image. Read only.
//
// Notices every commit, and another file under the name, by what stat(2) says of the file and its
// -wal. It is connected only while it reads, and doesn't touch -wal and -shm where a look at the
// file alone will do: as long as any connection stays open, SQLite leaves commits in the -wal, and
// a file that an admin then moves over policy.db is silently overwritten with them by the next
// program that opens it.
//
// Trusts nothing: schema compared with what is expected, no foreign triggers on our tables, no
// virtual tables, quick_check whenever the file itself is new or was written to, ascending keys
// and equal counts on every reading. Never creates or writes a file; it removes a -wal and -shm
// that the file which policy.db was before has left behind.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "src/base/clock.h"
#include "src/base/handle.h"
#include "src/base/result.h"
#include "src/image/format.h"
#include "src/model/verdict.h"

namespace store {

// A row that can't be used: its name answers TEMP until it is mended.
struct RowFault {
  std::string table_name;
  std::string key;
  std::string why;
};

// A new policy, complete and consistent with one commit of the database.
struct Compiled {
  base::UniqueFd image;          // sealed memfd
  std::vector<RowFault> faults;  // at most kMostFaultsListed
  std::uint64_t fault_count = 0;
  // What an admin should mend though the policy is in order.
  std::vector<std::string> warnings;
};
inline constexpr std::size_t kMostFaultsListed = 1000;

// Why the database can't be used now. The image in force stays.
struct Trouble {
  // Short, stable, for status and tests: missing, empty, locked, corrupt, schema-newer,
  // schema-older, not-ours, hostile-schema, not-wal, wal-lost, refused, unreadable, not-built
  std::string code;
  std::string text;  // what is wrong and what to do, for the admin
};

struct Unchanged {};

class PolicySource {
 public:
  // The kernel stamps files with a clock that ticks each 1 to 10 ms (CONFIG_HZ). A write within
  // `tick` of the one before could hide behind its time, so a reading waits that long.
  static constexpr std::chrono::nanoseconds kTick = std::chrono::milliseconds{20};
  PolicySource(std::string path, model::PolicyCheck check, std::chrono::nanoseconds tick = kTick);
  ~PolicySource();
  PolicySource(const PolicySource&) = delete;
  PolicySource& operator=(const PolicySource&) = delete;

  // Looks once; cheap (microseconds) where nothing changed. Every change yields one Compiled or
  // Trouble; a Trouble is repeated only when its text changes, and looked at again at each poll or,
  // where looking is expensive, after a second.
  std::variant<Unchanged, Compiled, Trouble> poll(base::sys_seconds now);

  // The state of the files that the image with this digest was compiled from, as one line; nothing
  // where the last compiled image is another, or a later write could hide behind an equal line.
  [[nodiscard]] std::optional<std::string> mark_of(std::uint64_t digest) const;
  // Whether the files are in that state now. Cheap; before the first poll.
  [[nodiscard]] bool is_still_at(std::string_view mark) const;

  // Forgets what was seen, so that the next poll compiles again, and takes the file as it is.
  void forget();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace store
