// What there is to see of the running service, put together in role `store`: what the publisher
// says, what the other roles counted, what stands in state.db. Nothing here is asked of `answer`:
// its last figures, at most 250 ms old, have to do.
#pragma once

#include <vector>

#include "src/app/control.h"
#include "src/app/overview_rows.h"
#include "src/model/overview.h"
#include "src/wire/http_message.h"

namespace app {

class OverviewGatherer {
 public:
  // The clock outlives it.
  OverviewGatherer(const base::Clock& clock, OverviewRows::FindDb find_db,
                   OverviewRows::FindImage find_image)
      : clock_(clock), rows_(clock, std::move(find_db), std::move(find_image)) {}

  void set_roles(std::vector<wire::RoleRecord> roles) { roles_ = std::move(roles); }

  [[nodiscard]] std::vector<std::string> troubles(const ControlDesk::Report& report,
                                                  const wire::ModeMessage& panic) const;
  model::Overview gather(const ControlDesk::Report& report, const wire::ModeMessage& panic);

 private:
  void put_policy(model::Overview& overview, const ControlDesk::Report& report);

  const base::Clock& clock_;
  OverviewRows rows_;
  std::vector<wire::RoleRecord> roles_;
  // Since when `answer` has another policy than the one published; 0: it does not.
  std::int64_t lags_since_ = 0;
};

// Parts of it, pure.
//
// What `answer` and `ingest` counted.
void put_counters(model::Overview& overview, const wire::AnswerStats& stats);
// What is not well, each as a sentence that says what to do, the gravest first. `mode` is that
// which holds, a panic's while there is one.
std::vector<std::string> list_troubles(const ControlDesk::Report& report,
                                       const std::vector<wire::RoleRecord>& roles,
                                       std::string_view mode);

}  // namespace app
