// What tlspolicyctl says and how it ends: text for people on standard output, trouble on standard
// error, JSON where it was asked for. Nothing from a database or a peer reaches a terminal
// unfiltered.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace app::ctl {

// Keeps the order of the columns.
using Json = nlohmann::ordered_json;

enum class Exit : std::uint8_t {
  Done = 0,
  NotWell = 1,  // the thing asked about is not well
  Usage = 2,
  Failed = 3,  // could not be carried out
};

// `text` fit for a terminal: UTF-8 is kept; controls, line ends, marks that turn the writing
// direction and broken sequences become '?'.
std::string terminal_text(std::string_view text);

// Whether the database takes `text` for prose, its length aside: UTF-8 without control characters.
bool is_prose(std::string_view text);

void say(std::string_view line);
// To standard error, after "tlspolicyctl: "; for the reader to know, the verb goes on.
void warn(std::string_view line);
// The same, and the status to end with.
Exit fail(std::string_view line);
Exit refuse_usage(std::string_view line);

// A string, or null.
Json to_json(const std::optional<std::string>& text);

void print_json(const Json& object);
// One object a line, so that a listing of a million rows is never held twice.
class JsonArray {
 public:
  void add(const Json& object);
  void finish();

 private:
  bool is_empty_ = true;
};

}  // namespace app::ctl
