// Mail of a period, summed by destination, for `report`. Pure: hours of mail come in, in the order
// of their destinations, lines come out, those that want attention first.
//
// Bounded: at most `most` lines are kept, the others are only counted; who needs those too reads
// the hours again with ReportLines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/model/traffic.h"

namespace app::ctl {

struct ReportLine {
  std::string view;
  std::string destination;
  model::Traffic traffic;
};

// True where `one` stands before `other`: more mail in clear, then more deferred, more of which
// nobody knows, more at all; then by name.
[[nodiscard]] bool is_worse(const ReportLine& one, const ReportLine& other);

// Hours of one destination to its line, handed over once the next destination begins.
class ReportLines {
 public:
  explicit ReportLines(std::function<void(ReportLine&&)> take) : take_(std::move(take)) {}
  void add(const model::HourOfMail& seen);
  // Call once, behind the last.
  void finish();

 private:
  std::function<void(ReportLine&&)> take_;
  std::optional<ReportLine> open_;
};

class ReportSum {
 public:
  static constexpr std::size_t kMostLines = 100'000;
  explicit ReportSum(std::size_t most = kMostLines) : most_(most) {}

  void add(ReportLine&& line);
  // Sorts. Call once, before the rest.
  void finish();

  [[nodiscard]] const std::vector<ReportLine>& lines() const { return lines_; }
  [[nodiscard]] bool has(std::string_view view, std::string_view destination) const;
  [[nodiscard]] const model::Traffic& total() const { return total_; }
  [[nodiscard]] std::int64_t destinations() const { return destinations_; }
  [[nodiscard]] std::int64_t destinations_in_clear() const { return in_clear_; }
  [[nodiscard]] std::int64_t left_out() const { return left_out_; }

 private:
  void cut();

  std::size_t most_;
  std::vector<ReportLine> lines_;
  std::vector<std::size_t> by_name_;  // places in lines_
  model::Traffic total_;
  std::int64_t destinations_ = 0;  // that had mail
  std::int64_t in_clear_ = 0;
  std::int64_t left_out_ = 0;
};

}  // namespace app::ctl
