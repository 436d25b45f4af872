// What `report` found of a period, before it becomes text, CSV or JSON.
//
// All from state.db and policy.db, read beside the daemon, which may be down. Evidence is counted
// by whole hours of UTC, so a period begins and ends with one.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/app/ctl_context.h"
#include "src/app/ctl_explain_state.h"
#include "src/app/report_decisions.h"
#include "src/app/report_sum.h"
#include "src/model/level.h"
#include "src/store/state_db.h"

namespace app::ctl {

// Seconds since the epoch: from `since` to before `until`. Where that is now, all that is there
// belongs to it: the daemon's clock, which never goes back, may be ahead of this host's.
struct Period {
  std::int64_t since = 0;
  std::int64_t until = 0;
  bool is_until_now = false;

  // What still belongs to it begins before that.
  [[nodiscard]] std::int64_t end() const {
    return is_until_now ? std::numeric_limits<std::int64_t>::max() : until;
  }
};

// Whether a row asks for more than mail in clear, by the policy as it stands now.
struct Asked {
  enum class Answer : std::uint8_t {
    Yes,       // TLS, or the mail waits
    Observed,  // the same, but the row, or the daemon, only observes
    No,        // the row lets mail go in clear
    NoRow,
    Unknown,  // the row is at fault, or policy.db can't be read
  };
  Answer answer = Answer::Unknown;
  std::string row;  // empty: none
  std::string profile;
  std::optional<model::Level> level;
  std::optional<model::Fallback> fallback;
};
// "yes", "observed", "no", "no row", "unknown".
std::string_view to_word(Asked::Answer answer);

// Asks policy.db about one destination after the other; its trouble is said once.
class AskedRows {
 public:
  explicit AskedRows(const Context& context);
  Asked ask(std::string_view destination);

 private:
  KnownStates states_;  // for the daemon's clock and mode
  std::optional<store::PolicyDb> db_;
};

struct Report {
  Period period;
  std::string destination;  // in normal form; empty: of all
  ReportSum sum;
  std::vector<Lowering> lowerings;  // newest first
  std::int64_t lowerings_left_out = 0;
};

// Every destination, also those that found no place in the report: those last, by name.
using Visit = std::function<void(const ReportLine&)>;
base::Result<void> for_each_line(const Report& report, store::StateDb& db, const Visit& visit);

// In percent, one digit behind the point; 0 of nothing.
[[nodiscard]] double percent(std::int64_t part, std::int64_t whole);

Exit print_as_text(const Report& report, const Context& context);
Exit print_as_json(const Report& report, const Context& context, store::StateDb& db);
Exit print_as_csv(const Report& report, const Context& context, store::StateDb& db);

}  // namespace app::ctl
