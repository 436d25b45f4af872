#include "src/app/reload.h"

#include <fmt/format.h>

#include <utility>

#include "src/base/text.h"

namespace app {
namespace {

// Old values beside new ones can contradict each other though neither file does.
std::vector<std::string> explain_conflicts(const Reloaded& reloaded, std::string_view file) {
  std::vector<std::string> errors;
  const std::string keys = base::join(reloaded.waiting, ", ");
  for (const std::string& error : reloaded.parsed.errors) {
    // The line that it names is one of the text made here.
    errors.push_back(fmt::format("{}: {} changed, which takes a restart, and until then {}", file,
                                 keys, error.substr(error.find(": ") + 2)));
  }
  return errors;
}

}  // namespace

Reloaded reload_config(const ParsedConfig& in_force, std::string_view text, std::string_view file) {
  Reloaded reloaded;
  ParsedConfig read = parse_config(text, file);
  if (!read.errors.empty()) {
    reloaded.parsed = std::move(read);
    return reloaded;
  }
  for (std::size_t i = 0; i < options().size(); ++i) {
    const Option& option = options()[i];
    const bool waits = !option.reloads && read.values.at(i) != in_force.values.at(i);
    if (waits) reloaded.waiting.emplace_back(option.name);
    const std::string& value = waits ? in_force.values.at(i) : read.values.at(i);
    if (value != option.fallback) {
      reloaded.text += fmt::format("{} = {}\n", option.name, value);
    }
  }
  reloaded.parsed = parse_config(reloaded.text, "");
  reloaded.parsed.errors = explain_conflicts(reloaded, file);
  if (reloaded.text.size() > kLargestConfig) {
    reloaded.parsed.errors.push_back(
        fmt::format("{}: with the values that wait for a restart it is larger than {} bytes", file,
                    kLargestConfig));
  }
  return reloaded;
}

}  // namespace app
