#include "src/app/ctl_output.h"

#include <fmt/format.h>

#include <cstdio>

#include "src/base/text.h"
#include "src/base/utf8.h"

namespace app::ctl {
namespace {

std::string dump(const Json& object, int indent) {
  return object.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string terminal_text(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  while (!text.empty()) {
    const auto [value, length] = base::read_code_point(text);
    if (length > 0 && base::is_harmless(value)) {
      safe += text.substr(0, length);
    } else {
      safe += '?';
    }
    text.remove_prefix(length > 0 ? length : 1);
  }
  return safe;
}

bool is_prose(std::string_view text) {
  while (!text.empty()) {
    const auto [value, length] = base::read_code_point(text);
    if (length == 0 || value < 0x20 || (value >= 0x7F && value < 0xA0) || value > 0x10FFFD) {
      return false;
    }
    text.remove_prefix(length);
  }
  return true;
}

void say(std::string_view line) {
  fmt::print(stdout, "{}\n", line);
}

void warn(std::string_view line) {
  fmt::print(stderr, "tlspolicyctl: {}\n", terminal_text(line));
}

Exit fail(std::string_view line) {
  warn(line);
  return Exit::Failed;
}

Exit refuse_usage(std::string_view line) {
  warn(line);
  return Exit::Usage;
}

Json to_json(const std::optional<std::string>& text) {
  return text ? Json(*text) : Json(nullptr);
}

void print_json(const Json& object) {
  say(dump(object, 2));
}

void JsonArray::add(const Json& object) {
  fmt::print(stdout, "{}\n {}", is_empty_ ? "[" : ",", dump(object, -1));
  is_empty_ = false;
}

void JsonArray::finish() {
  say(is_empty_ ? "[]" : "\n]");
}

}  // namespace app::ctl
