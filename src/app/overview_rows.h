// The part of an Overview that stands in state.db. Read again when somebody asks, at most every
// other second, and the slower it was the more seldom: what a large database costs is spent once in
// twenty times that time, for the same loop follows policy.db and answers the admin.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "src/base/clock.h"
#include "src/image/reader.h"
#include "src/jobs/mail_day.h"
#include "src/model/overview.h"
#include "src/store/state_db.h"

namespace app {

class OverviewRows {
 public:
  using FindDb = std::function<store::StateDb*()>;
  using FindImage = std::function<const image::Image*()>;

  // The clock outlives it. Either may find nothing for now.
  OverviewRows(const base::Clock& clock, FindDb find_db, FindImage find_image)
      : clock_(clock), find_db_(std::move(find_db)), find_image_(std::move(find_image)) {}

  // Reads what is due, then fills in what is known; what can't be read stays as it was.
  void put(model::Overview& overview);

 private:
  void refresh(store::StateDb& db);
  void read_away(store::StateDb& db);
  void read_mail(store::StateDb& db);
  void read_partners(store::StateDb& db);
  void read_certificates(store::StateDb& db);
  void read_decisions(store::StateDb& db);
  [[nodiscard]] std::int64_t now() const { return clock_.now().time_since_epoch().count(); }

  const base::Clock& clock_;
  FindDb find_db_;
  FindImage find_image_;
  base::SteadyPoint due_{};
  jobs::MailDay mail_;
  model::Overview known_;  // the members that are filled in
  store::StateDb::CheckCounts checks_;
};

}  // namespace app
