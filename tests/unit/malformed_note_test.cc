#include "policyd/malformed_note.h"

#include "tests/unit/catch.h"

using namespace std::chrono_literals;

namespace {

constexpr base::SteadyPoint kStart = base::SteadyPoint{} + 1h;

bool has(const std::optional<std::string>& line, std::string_view part) {
  return line && line->find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the first malformed request is told of at once, the next ones once a minute") {
  policyd::Counters counters;
  policyd::MalformedNote note;
  CHECK_FALSE(note.next(counters, kStart));

  counters.malformed = 1;
  counters.last_fault = "a NUL";
  CHECK(has(note.next(counters, kStart),
            "1 malformed request was hung up on, the last because of a NUL"));
  CHECK_FALSE(note.next(counters, kStart + 1s));

  counters.malformed = 40;
  counters.last_fault = "a line without '='";
  CHECK_FALSE(note.next(counters, kStart + 59s));
  CHECK(has(note.next(counters, kStart + 60s), "39 malformed requests"));
  CHECK_FALSE(note.next(counters, kStart + 120s));
}

TEST_CASE("a malformed request after a quiet time is told of at once again") {
  policyd::Counters counters;
  policyd::MalformedNote note;
  counters.malformed = 1;
  counters.last_fault = "too many attributes";
  CHECK(note.next(counters, kStart));
  counters.malformed = 2;
  CHECK(has(note.next(counters, kStart + 2h), "1 malformed"));
}
