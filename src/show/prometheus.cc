#include "src/show/prometheus.h"

#include <fmt/format.h>

#include <cmath>

#include "src/base/utf8.h"
#include "src/show/metric_table.h"

namespace show {
namespace {

// Backslash, double quote and line end are escaped, as the format has it; other controls and what
// isn't UTF-8 become '?'.
std::string escape_label(std::string_view text) {
  std::string safe;
  while (!text.empty()) {
    const auto [value, length] = base::read_code_point(text);
    const auto character = text.substr(0, length);
    if (length == 0 || (value != '\n' && !base::is_harmless(value))) {
      safe += '?';
    } else if (value == '\\' || value == '"') {
      safe.append("\\").append(character);
    } else if (value == '\n') {
      safe += "\\n";
    } else {
      safe += character;
    }
    text.remove_prefix(length > 0 ? length : 1);
  }
  return safe;
}

}  // namespace

void Samples::add(double value, std::initializer_list<Label> labels, std::string_view suffix) {
  std::string key(suffix);
  for (const auto& [name, text] : labels) {
    key += fmt::format("{}{}=\"{}\"", key.size() == suffix.size() ? "{" : ",", name,
                       escape_label(text));
  }
  if (labels.size() > 0) key += '}';
  if (!std::isfinite(value)) value = 0;
  const auto [place, is_new] = places_.try_emplace(key, values_.size());
  if (is_new) {
    values_.emplace_back(std::move(key), value);
  } else {
    values_[place->second].second += value;
  }
}

std::string Samples::render(std::string_view name) const {
  std::string text;
  for (const auto& [key, value] : values_) text += fmt::format("{}{} {}\n", name, key, value);
  return text;
}

std::string render_metrics(const model::Overview& overview, std::int64_t now) {
  std::string text;
  for (const auto& metric : metrics()) {
    Samples samples;
    metric.read(overview, now, samples);
    text += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", metric.name, metric.help, metric.type);
    text += samples.render(metric.name);
  }
  return text;
}

}  // namespace show
