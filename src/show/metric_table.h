// Every figure that /metrics shows: its name, what it is, and how it is read off an Overview. The
// one place where a name of a metric stands.
//
// No label ever holds a domain (DESIGN section 6): values come from closed sets of words, and what
// has not the shape of a word is "other".
#pragma once

#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/model/overview.h"

namespace show {

// The samples of one metric. Those with the same labels are added up: a scrape with two of them
// would be refused whole.
class Samples {
 public:
  using Label = std::pair<std::string_view, std::string_view>;

  // `suffix` is for the parts of a histogram.
  void add(double value, std::initializer_list<Label> labels = {}, std::string_view suffix = {});
  void add(std::uint64_t value, std::initializer_list<Label> labels = {}) {
    add(static_cast<double>(value), labels);
  }
  void add(bool value, std::initializer_list<Label> labels = {}) { add(value ? 1.0 : 0.0, labels); }
  // Lines of the text format 0.0.4, in the order they were added.
  [[nodiscard]] std::string render(std::string_view name) const;

 private:
  std::vector<std::pair<std::string, double>> values_;  // what stands behind the name
  std::map<std::string, std::size_t, std::less<>> places_;
};

struct Metric {
  std::string_view name;  // with the prefix
  std::string_view type;  // counter, gauge, histogram
  std::string_view help;  // one sentence
  void (*read)(const model::Overview& overview, std::int64_t now, Samples& samples);
};

// In the order in which they are shown.
std::span<const Metric> metrics();

}  // namespace show
