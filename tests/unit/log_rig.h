// A log in a folder of its own, as syslog and logrotate treat it; for tests of what follows it.
#pragma once

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "src/app/log_follower.h"

class LogFolder {
 public:
  LogFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "log-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~LogFolder() { std::filesystem::remove_all(folder_); }
  LogFolder(const LogFolder&) = delete;
  LogFolder& operator=(const LogFolder&) = delete;

  [[nodiscard]] std::string path(std::string_view name = "mail.log") const {
    return folder_ / name;
  }
  void append(std::string_view text, std::string_view name = "mail.log") const {
    std::ofstream(path(name), std::ios::app | std::ios::binary) << text;
  }
  void rename(std::string_view from, std::string_view to) const {
    std::filesystem::rename(path(from), path(to));
  }
  void copy(std::string_view from, std::string_view to) const {
    std::filesystem::copy_file(path(from), path(to),
                               std::filesystem::copy_options::overwrite_existing);
  }
  void truncate(std::uintmax_t size = 0) const { std::filesystem::resize_file(path(), size); }

 private:
  std::filesystem::path folder_;
};

// Reads whatever there is.
inline std::vector<std::string> read_all(app::LogFollower& follower) {
  std::vector<std::string> lines;
  while (follower.read_some([&](std::string_view line, app::LineAge age) {
    if (age != app::LineAge::Known) lines.emplace_back(line);
  })) {
  }
  return lines;
}

// "line FIRST" to "line LAST", each with its end.
inline std::string numbered(int first, int last) {
  std::string text;
  for (int i = first; i <= last; ++i) text += fmt::format("line {}\n", i);
  return text;
}

inline std::vector<std::string> expected(int first, int last) {
  std::vector<std::string> lines;
  for (int i = first; i <= last; ++i) lines.push_back(fmt::format("line {}", i));
  return lines;
}
