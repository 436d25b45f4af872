// The downgrades of a period, out of the ledger, for `report`. Pure: decisions come in from the
// oldest on, what lowered something comes out, with its end.
//
// A downgrade from before the period belongs to it while it was in force. Besides those of a
// destination there are what an admin lowered for all: a panic in mode observe, and an accept.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "src/store/ledger.h"

namespace app::ctl {

struct Lowering {
  store::DecisionRow decision;           // its evidence left out
  std::optional<std::int64_t> ended_at;  // seconds since the epoch; none: it runs to its `until`
  std::string ended_by;                  // "expiry", "delivery", "admin", ...
  std::int64_t ended_seq = 0;
};

class ReportDecisions {
 public:
  static constexpr std::size_t kMost = 10'000;
  // Seconds since the epoch.
  explicit ReportDecisions(std::int64_t since, std::size_t most = kMost)
      : since_(since), most_(most) {}

  void add(store::DecisionRow&& row);
  // Newest first; beyond `most` the oldest are left out, and counted.
  std::vector<Lowering> finish();
  [[nodiscard]] std::int64_t left_out() const { return left_out_; }

 private:
  using Place = std::pair<std::string, std::string>;  // destination, view
  void end(const Place& place, const store::DecisionRow& row);
  void keep(Lowering&& lowering);
  [[nodiscard]] bool is_of_period(const Lowering& lowering) const;

  std::int64_t since_;
  std::size_t most_;
  std::map<Place, Lowering> open_;
  std::map<std::int64_t, Lowering> over_;  // by seq
  std::int64_t left_out_ = 0;
};

}  // namespace app::ctl
