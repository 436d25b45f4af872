#include "tests/scenario/story.h"

#include <fmt/format.h>

#include <fstream>
#include <set>
#include <utility>

#include "src/base/text.h"

namespace scenario {
namespace {

constexpr std::int64_t kMinute = 60;
constexpr std::int64_t kHour = 3'600;
constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kYear = 365 * kDay;
constexpr std::string_view kScenario = "scenario: ";

bool is_clause(std::string_view word) {
  return word == "decided:" || word == "alarm:" || word == "over:";
}

// Commas are for the reader alone.
std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words;
  for (auto word : base::split(text, " ")) {
    if (word.ends_with(',')) word.remove_suffix(1);
    if (!word.empty()) words.emplace_back(word);
  }
  return words;
}

Line parse_line(std::string_view text, std::size_t number) {
  Line line;
  line.number = number;
  std::vector<std::string> event;
  std::vector<std::string> answer;
  std::vector<std::pair<std::string, std::vector<std::string>>> clauses;
  bool is_answered = false;
  for (auto& word : split_words(text)) {
    if (is_clause(word)) {
      clauses.emplace_back(word.substr(0, word.size() - 1), std::vector<std::string>());
    } else if (!clauses.empty()) {
      clauses.back().second.push_back(std::move(word));
    } else if (!is_answered && word == "->") {
      is_answered = true;
    } else {
      (is_answered ? answer : event).push_back(std::move(word));
    }
  }
  if (!event.empty()) {
    line.at = parse_time(event.front());
    if (line.at) event.erase(event.begin());
  }
  line.event = Words(std::move(event));
  if (is_answered) line.answer = Words(std::move(answer));
  for (auto& [kind, words] : clauses) line.clauses.push_back({kind, Words(std::move(words))});
  return line;
}

struct Text {
  std::size_t number;
  std::string text;
};

// Lines that are not empty or a comment; one that begins with a blank goes on with the one before.
std::optional<std::string> read_texts(std::ifstream& file, std::vector<Text>& texts) {
  std::string text;
  for (std::size_t number = 1; std::getline(file, text); ++number) {
    if (base::trim(text).empty() || text.starts_with(';')) continue;
    if (!text.starts_with(' ')) {
      texts.push_back({number, text});
    } else if (texts.empty()) {
      return fmt::format("{}: goes on with a line that isn't there", number);
    } else {
      texts.back().text += text;
    }
  }
  return std::nullopt;
}

// What is wrong with a scenario as a whole.
std::string find_fault(const Scenario& scenario) {
  bool expects = false;
  std::int64_t last = 0;
  for (const auto& line : scenario.lines) {
    expects = expects || line.answer || !line.clauses.empty();
    if (!line.at && (line.answer || !line.clauses.empty())) {
      return fmt::format("{}: an expectation needs a time, HH:MM:SS", line.number);
    }
    if (line.at && *line.at < last) return fmt::format("{}: the time goes back", line.number);
    last = line.at.value_or(last);
  }
  return expects ? "" : fmt::format("{}: a scenario that expects nothing", scenario.number);
}

}  // namespace

bool Words::skip(std::string_view word) {
  if (at_end() || words_[next_] != word) return false;
  ++next_;
  return true;
}

std::string Words::take_rest() {
  std::vector<std::string> rest(words_.begin() + static_cast<std::ptrdiff_t>(next_), words_.end());
  next_ = words_.size();
  return base::join(rest, " ");
}

std::optional<std::int64_t> parse_time(std::string_view text) {
  std::int64_t seconds = 0;
  if (const auto day = text.find('d'); day != text.npos) {
    const auto days = base::parse_number<std::int64_t>(text.substr(0, day));
    if (!days) return std::nullopt;
    seconds = *days * kDay;
    text.remove_prefix(day + 1);
  }
  if (text.size() != 8 || text[2] != ':' || text[5] != ':') return std::nullopt;
  const auto hours = base::parse_number<std::int64_t>(text.substr(0, 2));
  const auto minutes = base::parse_number<std::int64_t>(text.substr(3, 2));
  const auto rest = base::parse_number<std::int64_t>(text.substr(6, 2));
  if (!hours || !minutes || !rest || *hours > 23 || *minutes > 59 || *rest > 59) {
    return std::nullopt;
  }
  return seconds + *hours * kHour + *minutes * kMinute + *rest;
}

std::optional<std::int64_t> parse_duration(std::string_view text) {
  std::int64_t unit = 1;
  if (text.ends_with('m')) unit = kMinute;
  if (text.ends_with('h')) unit = kHour;
  if (text.ends_with('d')) unit = kDay;
  if (text.ends_with('y')) unit = kYear;
  if (unit != 1) text.remove_suffix(1);
  const auto count = base::parse_number<std::int64_t>(text);
  return count ? std::optional(*count * unit) : std::nullopt;
}

std::string format_time(std::int64_t seconds) {
  const auto days = seconds / kDay;
  const auto rest = seconds % kDay;
  return fmt::format("{}{:02}:{:02}:{:02}", days == 0 ? "" : fmt::format("{}d", days), rest / kHour,
                     rest % kHour / kMinute, rest % kMinute);
}

base::Result<std::vector<Scenario>> read_scenarios(const std::string& path) {
  std::ifstream file(path);
  if (!file) return base::Error{fmt::format("{}: can't be read", path)};
  std::vector<Scenario> scenarios;
  std::set<std::string> titles;
  std::vector<Text> texts;
  if (auto fault = read_texts(file, texts)) return base::Error{fmt::format("{}:{}", path, *fault)};
  for (const auto& [number, text] : texts) {
    if (text.starts_with(kScenario)) {
      scenarios.push_back({text.substr(kScenario.size()), number, {}});
      if (titles.insert(scenarios.back().title).second) continue;
      return base::Error{fmt::format("{}:{}: a title that is taken already", path, number)};
    }
    if (scenarios.empty()) {
      return base::Error{fmt::format("{}:{}: a line before the first scenario", path, number)};
    }
    scenarios.back().lines.push_back(parse_line(text, number));
  }
  if (scenarios.empty()) return base::Error{fmt::format("{}:1: no scenario", path)};
  for (const auto& scenario : scenarios) {
    const auto fault = find_fault(scenario);
    if (!fault.empty()) return base::Error{fmt::format("{}:{}", path, fault)};
  }
  return scenarios;
}

}  // namespace scenario
