#include "src/engine/precedence.h"

#include <string>
#include <vector>

#include "tests/unit/catch.h"

using namespace engine;

namespace {

// "as written: a.b.example; parent domain: .b.example; ..."
std::string steps_of(const model::Key& key) {
  std::string steps;
  walk_candidates(key, [&steps](const Candidate& candidate) {
    if (!steps.empty()) steps += "; ";
    steps.append(to_word(candidate.step)).append(": ").append(candidate.destination);
    return false;
  });
  return steps;
}

std::string steps_of(std::string_view asked) {
  return steps_of(model::normalise_key(asked));
}

}  // namespace

TEST_CASE("precedence: the table of DESIGN section 4") {
  CHECK(steps_of("A.b.Example") ==
        "as written: a.b.example; parent domain: .b.example; parent domain: .example; "
        "any domain: *");
  CHECK(steps_of("localhost") == "as written: localhost; any domain: *");
  CHECK(steps_of(".b.example") == "as written: .b.example");
  CHECK(steps_of("b.example:587") ==
        "as written: b.example:587; without port: b.example; any host: [*]");
  CHECK(steps_of("[mx.b.example]:587") ==
        "as written: [mx.b.example]:587; without port: [mx.b.example]; "
        "without brackets: mx.b.example; any host: [*]");
  CHECK(steps_of("[mx.b.example]") ==
        "as written: [mx.b.example]; without brackets: mx.b.example; any host: [*]");
  CHECK(steps_of("[192.0.2.1]:25") ==
        "as written: [192.0.2.1]:25; without port: [192.0.2.1]; without brackets: 192.0.2.1; "
        "any host: [*]");
  CHECK(steps_of("[IPv6:2001:db8::1]:25") ==
        "as written: [2001:db8::1]:25; without port: [2001:db8::1]; "
        "without brackets: 2001:db8::1; any host: [*]");
}

TEST_CASE("precedence: what can't be a domain is looked up as it stands, and nothing else") {
  for (const auto* key : {"a_b.example", "192.0.2.1", "private/lmtp", "a..b", "", "\xff.example"}) {
    CHECK(steps_of(key) == "as written: " + std::string(key));
  }
}

TEST_CASE("precedence: nobody can ask for the default rows by their names") {
  CHECK(steps_of("*").empty());
  CHECK(steps_of("[*]").empty());
  CHECK(steps_of("[*]:25") == "as written: [*]:25");
}

TEST_CASE("precedence: as rows, for explain, the default rows are themselves") {
  CHECK(steps_of(model::Key{model::KeyKind::Any, "*"}) == "as written: *");
  CHECK(steps_of(model::Key{model::KeyKind::AnyHost, "[*]"}) == "as written: [*]");
}

TEST_CASE("precedence: the walk ends where a visitor is content") {
  std::vector<std::string> seen;
  const auto key = model::normalise_key("a.b.example");
  const bool found = walk_candidates(key, [&seen](const Candidate& candidate) {
    seen.emplace_back(candidate.destination);
    return candidate.destination == ".b.example";
  });
  CHECK(found);
  CHECK(seen == std::vector<std::string>{"a.b.example", ".b.example"});
  CHECK_FALSE(walk_candidates(key, [](const Candidate&) { return false; }));
}
