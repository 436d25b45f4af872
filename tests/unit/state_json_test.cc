#include "src/store/state_json.h"

#include <nlohmann/json.hpp>

#include "tests/unit/catch.h"

using Json = nlohmann::json;

namespace {

model::DestinationState full_state() {
  model::DestinationState state;
  state.offered_lived = 1;
  state.thawed_lived = 2;
  state.length = 3600;
  state.is_confirmed = true;
  state.has_vanished = true;
  auto& first = state.failures.emplace_back();
  first.at = {1'800'000'000, 77};
  first.evidence.outcome = {model::Security::Clear, model::Cause::StarttlsNotSupported};
  first.evidence.source = model::Source::Maillog;
  first.evidence.is_trusted = true;
  first.evidence.at = 1'800'000'001;
  first.evidence.mx = "mx.example[192.0.2.1]:25";
  first.evidence.text = "TLS is required, \"but\" was not offered";
  auto& second = state.failures.emplace_back();
  second.evidence.outcome = {model::Security::Encrypted, std::nullopt};
  second.evidence.was_offered = true;
  return state;
}

bool can_be_read(const Json& object) {
  model::DestinationState state;
  return store::read_state_json(object.dump(), state);
}

}  // namespace

TEST_CASE("state json: what was written is read again") {
  const auto written = full_state();
  model::DestinationState read;
  REQUIRE(store::read_state_json(store::state_json(written), read));
  CHECK(read == written);
}

TEST_CASE("state json: bytes that are no UTF-8 are replaced, and the rest is kept") {
  auto written = full_state();
  written.failures[0].evidence.text = "caf\xe9 closed";
  model::DestinationState read;
  REQUIRE(store::read_state_json(store::state_json(written), read));
  CHECK(read.failures[0].evidence.text == "caf\xef\xbf\xbd closed");
}

TEST_CASE("state json: each member must be there, and be what it is") {
  const auto good = Json::parse(store::state_json(full_state()));
  REQUIRE(can_be_read(good));
  for (const auto& [name, value] : good.items()) {
    INFO(name);
    auto without = good;
    without.erase(name);
    CHECK_FALSE(can_be_read(without));
    for (const auto& other : {Json(), Json("1"), Json(1.5), Json::object()}) {
      auto changed = good;
      changed[name] = other;
      CHECK_FALSE(can_be_read(changed));
    }
  }
}

TEST_CASE("state json: the same for each failure, but its cause may be missing") {
  const auto good = Json::parse(store::state_json(full_state()));
  const auto with_failure = [&](const Json& failure) {
    auto changed = good;
    changed["failures"] = Json::array({failure});
    return can_be_read(changed);
  };
  const auto& failure = good["failures"][0];
  REQUIRE(with_failure(failure));
  for (const auto& [name, value] : failure.items()) {
    INFO(name);
    auto without = failure;
    without.erase(name);
    CHECK(with_failure(without) == (name == "cause"));
    for (const auto& other : {Json(), Json(1.5), Json::array()}) {
      auto changed = failure;
      changed[name] = other;
      CHECK(with_failure(changed) == (name == "cause"));
    }
  }
  for (const auto* name : {"source", "security", "cause"}) {
    INFO(name);
    auto changed = failure;
    changed[name] = "unheard-of";
    CHECK_FALSE(with_failure(changed));
  }
  CHECK_FALSE(with_failure("text"));
}

TEST_CASE("state json: other texts, and more failures than there can be, are refused") {
  model::DestinationState state;
  for (const auto* text : {"", "{", "[]", "null", "7"}) {
    INFO(text);
    CHECK_FALSE(store::read_state_json(text, state));
  }
  auto many = Json::parse(store::state_json(full_state()));
  const auto one = many["failures"][0];
  many["failures"] = Json::array();
  for (int i = 0; i < 1000; ++i) many["failures"].push_back(one);
  CHECK(can_be_read(many));
  many["failures"].push_back(one);
  CHECK_FALSE(can_be_read(many));
}
