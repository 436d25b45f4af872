// What enforcement would have done, summed by destination and row. Pure: counts come in, in the
// order of StateDb::list_observed(), lines come out.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "src/engine/foresee.h"
#include "src/store/state_db.h"

namespace app::ctl {

// What one source saw.
struct ObservedDeliveries {
  std::int64_t deliveries = 0;
  std::array<std::int64_t, 4> endings{};   // by engine::Ending
  std::array<std::int64_t, 4> foreseen{};  // by engine::Foreseen
  std::int64_t untrusted = 0;

  [[nodiscard]] std::int64_t count(engine::Ending ending) const {
    return endings.at(static_cast<std::size_t>(ending));
  }
  [[nodiscard]] std::int64_t count(engine::Foreseen what) const {
    return foreseen.at(static_cast<std::size_t>(what));
  }
};

struct ObservedLine {
  std::string destination;
  std::string view;
  std::string row;
  std::string profile;
  std::vector<std::string>
      levels;              // that would have been answered, "TEMP" where the row is at fault
  std::int64_t first = 0;  // the first second of the hour of the first delivery
  std::int64_t last = 0;
  model::Source source = model::Source::Outcome;
  ObservedDeliveries seen;  // by `source`
};

class ObservedSum {
 public:
  void add(const store::ObservedCount& count);
  // Call once, behind the last.
  std::vector<ObservedLine> finish();

 private:
  void close();

  std::vector<ObservedLine> lines_;
  // Of the last line, by source. The map and the log each see the same deliveries: one of them
  // is shown, never their sum.
  std::array<ObservedDeliveries, model::kSources.size()> open_{};
};

}  // namespace app::ctl
