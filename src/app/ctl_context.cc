#include "src/app/ctl_context.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>

namespace app::ctl {

std::optional<Config> load_config(const std::string& file, ConfigNeed need) {
  struct stat ignored {};
  if (need == ConfigNeed::Optional && file == kDefaultConfigFile &&
      ::stat(file.c_str(), &ignored) != 0 && errno == ENOENT) {
    return parse_config("", file).config;
  }
  const auto text = read_config_file(file);
  if (!text) {
    fail(fmt::format("{}; name another config file with --config FILE", text.error()));
    return std::nullopt;
  }
  ParsedConfig parsed = parse_config(*text, file);
  if (need == ConfigNeed::Address) {
    for (const auto& error : parsed.errors) warn(error);
    if (!parsed.errors.empty()) {
      warn("the config file is not fit for a start or a reload; asking the daemon that runs");
    }
    return std::move(parsed.config);
  }
  for (const auto& error : parsed.errors) fail(error);
  if (!parsed.errors.empty()) return std::nullopt;
  return std::move(parsed.config);
}

base::Result<store::PolicyDb> open_policy_db(const Context& context,
                                             store::PolicyDb::Access access) {
  const std::string& path = context.config.policy_db;
  struct stat ignored {};
  if (::stat(path.c_str(), &ignored) != 0 && (errno == ENOENT || errno == ENOTDIR)) {
    return base::Error{
        fmt::format("{} (policy_db) does not exist; make it with: tlspolicyctl --config {} init",
                    path, context.config_file)};
  }
  auto opened = store::PolicyDb::open(path, access);
  if (!opened) return base::Error{plain_sentence(opened.error())};
  return opened;
}

std::string plain_sentence(std::string_view error) {
  constexpr std::array<std::string_view, 2> kJargon{"CHECK constraint failed: ",
                                                    "constraint failed: "};
  std::string plain(error);
  for (const auto words : kJargon) {
    for (auto at = plain.find(words); at != std::string::npos; at = plain.find(words)) {
      plain.erase(at, words.size());
    }
  }
  return plain;
}

}  // namespace app::ctl
