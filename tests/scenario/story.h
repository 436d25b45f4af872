// Reads scenario files: timelines of the engine that an admin can read. Knows the shape of a line,
// not its words; those are known to whoever carries them out, and a word that nobody knows is an
// error there.
//
//   ; a comment
//   scenario: Clearswift's story
//   profile: level may, fallback after-retry
//   00:00:00  outcome handshake-failure
//   00:05:00  asks -> may    decided: downgrade encrypt -> may until 01:05:00   alarm: downgrade
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"

namespace scenario {

// The words of a part of a line, eaten from the left.
class Words {
 public:
  Words() = default;
  explicit Words(std::vector<std::string> words) : words_(std::move(words)) {}

  [[nodiscard]] bool at_end() const { return next_ == words_.size(); }
  // Empty at the end.
  [[nodiscard]] std::string_view peek() const {
    return at_end() ? std::string_view() : std::string_view(words_[next_]);
  }
  std::string_view take() {
    return at_end() ? std::string_view() : std::string_view(words_[next_++]);
  }
  // Eats `word` where it comes next.
  bool skip(std::string_view word);
  // All that is left, with a blank between.
  std::string take_rest();
  [[nodiscard]] const std::vector<std::string>& all() const { return words_; }

 private:
  std::vector<std::string> words_;
  std::size_t next_ = 0;
};

// "decided:", "alarm:" or "over:" and what follows it.
struct Clause {
  std::string kind;  // without the colon
  Words words;
};

struct Line {
  std::size_t number = 0;
  std::optional<std::int64_t> at;  // seconds since the story began; nothing: it sets the scene
  Words event;                     // may be empty: then only time passes
  std::optional<Words> answer;     // what stands behind the first "->"
  std::vector<Clause> clauses;
};

struct Scenario {
  std::string title;
  std::size_t number = 0;  // of its first line
  std::vector<Line> lines;
};

// Every scenario has a title of its own and expects something; times never go back. The error names
// file and line.
base::Result<std::vector<Scenario>> read_scenarios(const std::string& path);

// "00:05:00" or "30d00:05:00" in seconds.
std::optional<std::int64_t> parse_time(std::string_view text);
// A number of seconds, or "5m", "2h", "30d", "10y".
std::optional<std::int64_t> parse_duration(std::string_view text);
// As parse_time() reads it.
std::string format_time(std::int64_t seconds);

}  // namespace scenario
