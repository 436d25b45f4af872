// policy.db as the daemon sees it: watched, checked and compiled into a policy image. Read only.
//
// Notices a commit (PRAGMA data_version) or another file under the name (device and inode). Trusts
// nothing: schema compared with what is expected, no foreign triggers or virtual tables on our tables,
// integrity_check whenever the file is first opened or replaced, ascending keys and equal counts on
// every reading. Never creates a file, never writes one.
#pragma once

#include <cstdint>
#include <memory>
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
};
inline constexpr std::size_t kMostFaultsListed = 1000;

// Why the database can't be used now. The image in force stays.
struct Trouble {
  // Short, stable, for status and tests: missing, empty, locked, corrupt, schema-newer, schema-older,
  // not-ours, hostile-schema, not-wal, wal-lost, refused, unreadable
  std::string code;
  std::string text;  // what is wrong and what to do, for the admin
};

struct Unchanged {};

class PolicySource {
 public:
  PolicySource(std::string path, model::PolicyCheck check);
  ~PolicySource();
  PolicySource(const PolicySource&) = delete;
  PolicySource& operator=(const PolicySource&) = delete;

  // Looks once; cheap (microseconds) where nothing changed. Every change yields one Compiled or
  // Trouble; a Trouble is repeated only when its text changes, and looked at again at each poll or,
  // where looking is expensive, after a second.
  std::variant<Unchanged, Compiled, Trouble> poll(base::sys_seconds now);

  // Forgets what was seen, so that the next poll compiles again.
  void forget();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace store
