#include "src/app/config.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>

#include "src/base/handle.h"
#include "src/base/text.h"

namespace app {
namespace {

// One `key = value`, its continuation lines joined by a blank.
struct Line {
  std::size_t number = 0;
  std::string text;
};

std::vector<Line> join_lines(std::string_view text) {
  std::vector<Line> lines;
  std::size_t number = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    const auto raw = text.substr(at, end - at);
    const auto trimmed = base::trim(raw);
    at = end + 1;
    ++number;
    if (trimmed.empty() || trimmed.front() == '#') continue;
    const bool continues = raw.front() == ' ' || raw.front() == '\t';
    if (continues && !lines.empty()) {
      lines.back().text += ' ';
      lines.back().text += trimmed;
    } else {
      lines.push_back({number, std::string(trimmed)});
    }
  }
  return lines;
}

const Option* find_option(std::string_view name) {
  for (const Option& option : options()) {
    if (option.name == name) return &option;
  }
  return nullptr;
}

std::string list_option_names() {
  std::string names;
  for (const Option& option : options()) {
    if (!names.empty()) names += ", ";
    names += option.name;
  }
  return names;
}

class Parser {
 public:
  explicit Parser(std::string_view file) : file_(file) {
    for (const Option& option : options()) {
      option.set(parsed_.config, option.fallback);
      parsed_.values.emplace_back(option.fallback);
    }
  }

  void take(const Line& line) {
    const auto equals = line.text.find('=');
    if (equals == std::string::npos) {
      fail(line,
           fmt::format("\"{}\" is not of the form key = value", base::printable(line.text, 80)));
      return;
    }
    const auto key = base::trim(std::string_view(line.text).substr(0, equals));
    const auto value = base::trim(std::string_view(line.text).substr(equals + 1));
    const Option* option = find_option(key);
    if (option == nullptr) {
      fail(line, fmt::format("{}: unknown key; the keys are {}", base::printable(key, 80),
                             list_option_names()));
      return;
    }
    if (const auto [seen, is_new] = lines_.emplace(option->name, line.number); !is_new) {
      fail(line, fmt::format("{}: set a second time; the first is in line {}", key, seen->second));
      return;
    }
    if (!option->set(parsed_.config, value)) {
      fail(line, fmt::format("{}: \"{}\" is not allowed; allowed is {}", key,
                             base::printable(value, 80), option->allowed));
      return;
    }
    parsed_.values.at(static_cast<std::size_t>(option - options().data())) = value;
  }

  // What no single line can tell.
  ParsedConfig finish() {
    const Config& config = parsed_.config;
    if (config.user.empty() && !config.group.empty()) {
      parsed_.errors.push_back(
          fmt::format("{}:{}: group: needs user to be set too", file_, lines_["group"]));
    }
    refuse_same_file("policy_db", config.policy_db, "state_db", config.state_db);
    refuse_same_file("policy_db", config.policy_db, "image_file", config.image_file);
    refuse_same_file("state_db", config.state_db, "image_file", config.image_file);
    if (!config.tlsrpt_socket.empty()) {
      refuse_same_file("tlsrpt_socket", config.tlsrpt_socket, "tlsrpt_tee", config.tlsrpt_tee);
    }
    if (config.tlsmap_listen.empty()) {
      parsed_.errors.push_back(fmt::format("{}:{}: tlsmap_listen: must name at least one listener",
                                           file_, lines_["tlsmap_listen"]));
    }
    return std::move(parsed_);
  }

 private:
  // Blames the later of the two lines; a default has none and comes first.
  void refuse_same_file(std::string_view one, const std::string& path, std::string_view other,
                        const std::string& other_path) {
    if (path != other_path) return;
    const auto later = lines_[one] > lines_[other] ? one : other;
    const auto earlier = later == one ? other : one;
    parsed_.errors.push_back(fmt::format("{}:{}: {}: must not be the same file as {}", file_,
                                         lines_[later], later, earlier));
  }

  void fail(const Line& line, std::string_view why) {
    parsed_.errors.push_back(fmt::format("{}:{}: {}", file_, line.number, why));
  }

  std::string file_;
  ParsedConfig parsed_;
  std::map<std::string_view, std::size_t> lines_;
};

}  // namespace

ParsedConfig parse_config(std::string_view text, std::string_view file) {
  Parser parser(file);
  if (const auto nul = std::find(text.begin(), text.end(), '\0'); nul != text.end()) {
    ParsedConfig refused = parser.finish();
    refused.errors.push_back(fmt::format("{}:{}: holds a NUL byte; is it a text file?", file,
                                         1 + std::count(text.begin(), nul, '\n')));
    return refused;
  }
  for (const Line& line : join_lines(text)) parser.take(line);
  return parser.finish();
}

base::Result<std::string> read_config_file(const std::string& file) {
  const base::UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return base::Error{fmt::format("{}: cannot be opened: {}", file, std::strerror(errno))};
  std::string text;
  std::array<char, 4096> chunk{};
  for (;;) {
    const ssize_t got = ::read(fd.get(), chunk.data(), chunk.size());
    if (got < 0)
      return base::Error{fmt::format("{}: cannot be read: {}", file, std::strerror(errno))};
    if (got == 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(got));
    if (text.size() > kLargestConfig) {
      return base::Error{fmt::format("{}: is larger than {} bytes", file, kLargestConfig)};
    }
  }
}

}  // namespace app
