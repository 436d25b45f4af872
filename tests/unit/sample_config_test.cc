#include "src/app/sample_config.h"

#include <fmt/format.h>

#include <sstream>

#include "src/app/config.h"
#include "tests/unit/catch.h"

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream from(text);
  for (std::string line; std::getline(from, line);) lines.push_back(line);
  return lines;
}

}  // namespace

TEST_CASE("the sample file is the default configuration, without a word of complaint") {
  const auto sample = app::parse_config(app::sample_config(), "sample");
  CHECK(sample.errors.empty());
  CHECK(sample.values == app::parse_config("", "empty").values);
}

TEST_CASE("the sample file has every key once, ready to be uncommented") {
  const auto lines = lines_of(app::sample_config());
  for (const auto& option : app::options()) {
    std::size_t found = 0;
    for (const auto& line : lines) {
      if (!line.starts_with(fmt::format("#{} =", option.name))) continue;
      ++found;
      const auto alone = app::parse_config(line.substr(1), "line");
      CHECK(alone.errors.empty());
      CHECK(alone.values == app::parse_config("", "empty").values);
    }
    INFO(option.name);
    CHECK(found == 1);
  }
}

TEST_CASE("no line of the sample file runs out of a terminal, and each is a comment or empty") {
  for (const auto& line : lines_of(app::sample_config())) {
    CHECK(line.size() <= 100);
    CHECK((line.empty() || line.front() == '#'));
  }
}
