// What an import has to change: the rows of a file held against those of the database, destination
// by destination. Writes nothing.
//
// A CSV file says whole rows; columns that it lacks stay as they are. A Postfix table says less
// than a row holds, so a line that says what its row tells Postfix already leaves all of the row
// alone: its profile with the fallback, owner, reason, end and comment. Rows that no such line
// could stand for (`*`, `[*]`, mode observe, expired) aren't removed for the want of one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "src/app/import_file.h"
#include "src/app/profile_book.h"
#include "src/base/clock.h"
#include "src/model/postfix_version.h"
#include "src/store/policy_db.h"

namespace app::ctl {

struct RowChange {
  enum class Op : std::uint8_t { Add, Change, Remove };
  Op op = Op::Add;
  std::uint32_t row = 0;                       // index into ImportFile::rows; not of Remove
  std::unique_ptr<store::OutboundRow> before;  // not of Add
};

struct ImportPlan {
  std::vector<RowChange> changes;  // in order of destination
  std::size_t added = 0;
  std::size_t changed = 0;
  std::size_t removed = 0;
  std::size_t unchanged = 0;   // rows that the file names and that stay as they are
  std::size_t left_alone = 0;  // rows that the file lacks, but couldn't name
};

struct PlanOptions {
  bool removes_absent = false;  // --sync
  base::sys_seconds now;
  model::PostfixVersion version;  // whose attributes a table of this host can hold
};

// Whether the row counts now: neither expired nor in mode observe.
bool is_in_force(const store::OutboundRow& row, base::sys_seconds now);

class ImportPlanner {
 public:
  // Rows of the file that can't be taken beside what is in the database are added to its `refused`.
  // Both outlive the planner.
  ImportPlanner(ImportFile& file, ProfileBook& profiles, const PlanOptions& options);

  // A row of the database, in order of destination.
  void meet(store::OutboundRow&& present);
  // After the last one: every changed row of the file has its profile now.
  ImportPlan finish();

 private:
  void add(std::uint32_t index);
  void settle(std::uint32_t index, store::OutboundRow&& present);
  void settle_by_policy(std::uint32_t index, store::OutboundRow&& present);
  void settle_by_columns(std::uint32_t index, store::OutboundRow&& present);
  void miss(store::OutboundRow&& present);
  void change(std::uint32_t index, store::OutboundRow&& present);
  [[nodiscard]] bool is_sound(const FileRow& row);
  [[nodiscard]] bool says_what_holds(const FileRow& row, const store::OutboundRow& present);
  const std::string& key_of_policy(std::uint32_t policy);
  void name_profiles();

  // What a profile tells Postfix, in full and to the configured version.
  struct ProfileKeys {
    std::string full;
    std::string known;
  };
  const ProfileKeys* keys_of(const std::string& profile);

  ImportFile& file_;
  ProfileBook& profiles_;
  PlanOptions options_;
  ImportPlan plan_;
  std::uint32_t next_ = 0;  // row of the file
  std::vector<std::string> policy_keys_;
  std::unordered_map<std::string, ProfileKeys> profile_keys_;
  std::unordered_map<std::string, std::optional<std::string>> known_faults_;  // profile and match
};

}  // namespace app::ctl
