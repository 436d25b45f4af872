// Databases for the tests of the store: a folder of their own, and the sqlite3 shell to edit them
// with, as an admin would.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

namespace test {

class Folder {
 public:
  Folder() {
    std::string name = std::filesystem::temp_directory_path() / "tlspolicyd-test-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp " + name);
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] std::string path(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

// What the sqlite3 shell prints, errors included, when it runs `sql` on `file`.
inline std::string shell(const std::string& file, const std::string& sql) {
  const std::string script = file + ".script";
  const std::string output = file + ".output";
  std::ofstream(script) << sql;
  const auto command = "sqlite3 -batch '" + file + "' < '" + script + "' > '" + output + "' 2>&1";
  [[maybe_unused]] const int status = std::system(command.c_str());
  std::ostringstream text;
  text << std::ifstream(output).rdbuf();
  std::filesystem::remove(script);
  std::filesystem::remove(output);
  std::string printed = text.str();
  while (!printed.empty() && printed.back() == '\n') printed.pop_back();
  return printed;
}

}  // namespace test
