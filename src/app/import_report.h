// What `import` says: which lines can't be taken, what would change, what was done, how far it got.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "src/app/ctl_context.h"
#include "src/app/import_plan.h"

namespace app::ctl {

// On standard error, a line for each, in order: those refused, at most kMostShown, then how many
// more; the notes likewise.
inline constexpr std::size_t kMostShown = 100;
void say_refused(std::string_view file_name, const LineNotes& refused);
void say_notes(std::string_view file_name, const LineNotes& notes);

struct ImportReport {
  const ImportFile& file;
  const ImportPlan& plan;
  const ProfileBook& profiles;
  bool is_dry_run = false;
};
// "+ a.example  profile required" for each change, "~" with before and after, "-"; profiles first.
void print_diff(const ImportReport& report);
// "3 added, 1 changed, ...".
std::string summary_of(const ImportReport& report);
// One object with the counts and the names of the new profiles; of a dry run also the differences
// and the lines refused.
void print_json_report(const ImportReport& report);

// Says on standard error how far a long import got, every kStep rows; not at all where `is_shown`
// is false.
class Progress {
 public:
  static constexpr std::size_t kStep = 100'000;
  Progress(bool is_shown, std::size_t of) : is_shown_(is_shown), of_(of) {}
  void count_one();

 private:
  bool is_shown_;
  std::size_t of_;
  std::size_t done_ = 0;
};

}  // namespace app::ctl
