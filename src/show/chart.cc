#include "src/show/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "src/base/text.h"
#include "src/base/time_text.h"
#include "src/show/html.h"

namespace show {
namespace {

using Hour = model::Overview::Hour;
using Hours = std::span<const Hour>;

constexpr int kPitch = 10;     // units of the viewBox from one bar to the next
constexpr int kBarWidth = 8;   // of them
constexpr int kHeight = 1000;  // of the viewBox
constexpr std::int64_t kHourSeconds = 3600;
constexpr std::int64_t kHoursOfDay = 24;
// A label is wider than its bar; under the last bars it would stick out.
constexpr std::size_t kUnlabelled = 2;

// From the bottom of a bar to its top.
struct Series {
  std::uint64_t Hour::*count;
  std::string_view kind;  // its class in the style
  std::string_view name;
  std::string_view meaning;
};
constexpr std::array kSeries{
    Series{&Hour::authenticated, "authenticated", "Authenticated", "TLS, certificate as asked"},
    Series{&Hour::encrypted, "encrypted", "Encrypted", "TLS, peer not confirmed"},
    Series{&Hour::unknown, "unknown", "Unknown", "no log shows how"},
    Series{&Hour::clear, "clear", "In clear", "no TLS"},
    Series{&Hour::deferred, "deferred", "Deferred", "waits: TLS failed"},
};

double total_of(const Hour& hour) {
  double total = 0;
  for (const auto& each : kSeries) total += static_cast<double>(hour.*each.count);
  return total;
}

double sum_of(Hours hours, const Series& series) {
  double sum = 0;
  for (const auto& hour : hours) sum += static_cast<double>(hour.*series.count);
  return sum;
}

std::string clock_text(std::int64_t at) {
  if (at < 0 || at > base::kLastTime) return "?";
  return base::iso_time_of(at).substr(11, 5);
}

std::string bar(const Hour& hour, std::size_t place, double top) {
  std::string parts;
  std::string words;
  double floor = kHeight;
  for (const auto& [count, kind, name, meaning] : kSeries) {
    if (hour.*count == 0) continue;
    const double height = kHeight * static_cast<double>(hour.*count) / top;
    floor -= height;
    parts +=
        fmt::format("<rect class=\"{}\" x=\"{}\" y=\"{:.4f}\" width=\"{}\" height=\"{:.4f}\"/>",
                    kind, static_cast<int>(place) * kPitch + (kPitch - kBarWidth) / 2,
                    std::max(floor, 0.0), kBarWidth, height);
    words += fmt::format("\n{}: {}", name, count_text(hour.*count));
  }
  if (parts.empty()) return {};
  return fmt::format("<g><title>{} to {} UTC{}</title>{}</g>\n", clock_text(hour.start),
                     clock_text(hour.start + kHourSeconds), words, parts);
}

std::string describe(Hours hours) {
  std::string sums;
  for (const auto& each : kSeries) {
    sums += fmt::format("{}{} {}", sums.empty() ? "" : ", ", rounded_text(sum_of(hours, each)),
                        base::to_lower(each.name));
  }
  const auto& busiest =
      *std::max_element(hours.begin(), hours.end(),
                        [](const Hour& a, const Hour& b) { return total_of(a) < total_of(b); });
  return fmt::format(
      "One bar an hour, the last hour is still running. In all: {}. Most in one "
      "hour: {}, from {} UTC. The table below has every figure.",
      sums, rounded_text(total_of(busiest)), clock_text(busiest.start));
}

std::string svg(Hours hours, double top) {
  std::string bars;
  for (std::size_t i = 0; i < hours.size(); ++i) bars += bar(hours[i], i, top);
  const auto width = static_cast<int>(hours.size()) * kPitch;
  return fmt::format(
      "<svg role=\"img\" aria-labelledby=\"chart-title\" aria-describedby=\"chart-text\" "
      "viewBox=\"0 0 {0} {1}\" "
      "preserveAspectRatio=\"none\">\n<title id=\"chart-title\">Mail of the last day by TLS</title>"
      "\n<desc id=\"chart-text\">{2}</desc>\n"
      "<path class=\"grid\" d=\"M0 0H{0}M0 {3}H{0}M0 {1}H{0}\"/>\n{4}</svg>\n",
      width, kHeight, describe(hours), kHeight / 2, bars);
}

// The hours below the bars, every third, some of them for a wide page alone.
std::string hour_labels(Hours hours) {
  std::string labels;
  for (std::size_t i = 0; i < hours.size(); ++i) {
    const auto hour = hours[i].start / kHourSeconds % kHoursOfDay;
    const bool is_shown = hour % 3 == 0 && i + kUnlabelled < hours.size();
    labels += fmt::format("<span{}>{}</span>", hour % 6 == 0 ? "" : " class=\"odd\"",
                          is_shown ? clock_text(hours[i].start) : "");
  }
  return labels;
}

std::string key_table(Hours hours) {
  double all = 0;
  for (const auto& hour : hours) all += total_of(hour);
  TableHtml table("Mail of the last day by TLS, summed up",
                  {{"What became of it"},
                   {"Deliveries", TableHtml::Kind::Number},
                   {"Share", TableHtml::Kind::Number}},
                  TableHtml::Layout::Compact);
  for (const auto& each : kSeries) {
    const auto sum = sum_of(hours, each);
    table.add({fmt::format("<span class=\"key {}\"></span>{}<small>{}</small>", each.kind,
                           each.name, each.meaning),
               rounded_text(sum), fmt::format("{:.1f} %", 100 * sum / all)});
  }
  return table.render();
}

std::string hours_table(Hours hours) {
  std::vector<TableHtml::Column> columns{{"Hour (UTC)"}};
  for (const auto& each : kSeries) columns.push_back({each.name, TableHtml::Kind::Number});
  TableHtml table("Mail of the last day by TLS, hour by hour", columns);
  for (const auto& hour : hours) {
    std::vector<std::string> cells{moment_text(hour.start).substr(0, 16)};
    for (const auto& each : kSeries) cells.push_back(count_text(hour.*each.count));
    table.add(cells);
  }
  return table.render();
}

}  // namespace

double scale_for(double most) {
  if (most <= 10) return std::max(2 * std::ceil(most / 2), 2.0);
  double power = 10;
  while (true) {
    for (const double times : {1.0, 1.2, 1.4, 1.6, 2.0, 2.4, 3.0, 4.0, 5.0, 6.0, 8.0}) {
      if (times * power >= most) return std::round(times * power);
    }
    power *= 10;
  }
}

std::string traffic_html(const std::vector<Hour>& traffic) {
  const auto shown = std::min(traffic.size(), model::Overview::kTrafficHours);
  const auto hours = Hours(traffic).last(shown);
  double most = 0;
  for (const auto& hour : hours) most = std::max(most, total_of(hour));
  if (most <= 0) return {};
  const double top = scale_for(most);
  return fmt::format(
      "<div class=\"traffic\">\n<figure>\n<div class=\"plot\">"
      "<div class=\"scale\" "
      "aria-hidden=\"true\"><span>{}</span><span>{}</span><span>0</span></div>\n"
      "{}<div class=\"hours\" aria-hidden=\"true\">{}</div></div>\n"
      "<figcaption>Deliveries an hour, in UTC; the last hour is still running.</figcaption>\n"
      "</figure>\n{}</div>\n"
      "<details><summary>Every hour as a table</summary>\n{}</details>\n",
      rounded_text(top), rounded_text(top / 2), svg(hours, top), hour_labels(hours),
      key_table(hours), hours_table(hours));
}

}  // namespace show
