#include "src/base/log.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>

#include "src/base/handle.h"
#include "tests/unit/catch.h"

namespace {

// What `write` puts on standard error.
template <class Write>
std::string logged(Write write) {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const base::UniqueFd reader(ends[0]);
  const base::UniqueFd before(::dup(STDERR_FILENO));
  ::dup2(ends[1], STDERR_FILENO);
  ::close(ends[1]);
  write();
  ::dup2(before.get(), STDERR_FILENO);
  std::string text(4096, '\0');
  const auto got = ::read(reader.get(), text.data(), text.size());
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

}  // namespace

TEST_CASE("log: a record is one line, whatever stands in it") {
  std::string bytes;
  for (int c = 0; c < 256; ++c) bytes += static_cast<char>(c);
  const auto text = logged([&bytes] { base::log_warning("row {} is odd", bytes); });
  CHECK(std::count(text.begin(), text.end(), '\n') == 1);
  CHECK(text.back() == '\n');
  CHECK(std::none_of(text.begin(), text.end() - 1,
                     [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }));
  CHECK(text.find("warning: row ??????") != std::string::npos);
}

TEST_CASE("log: letters of every language stay as they are") {
  const auto text = logged([] { base::log_info("{}", "/srv/caf\xc3\xa9/policy.db"); });
  CHECK(text.find("/srv/caf\xc3\xa9/policy.db\n") != std::string::npos);
}
