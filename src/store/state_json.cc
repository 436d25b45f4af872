#include "src/store/state_json.h"

#include <nlohmann/json.hpp>

namespace store {
namespace {

using Json = nlohmann::json;
using Failure = model::DestinationState::Failure;

constexpr std::size_t kMostFailures = 1000;

Json to_json(const Failure& failure) {
  const auto& seen = failure.evidence;
  return {{"wall", failure.at.wall},
          {"lived", failure.at.lived},
          {"at", seen.at},
          {"source", model::to_word(seen.source)},
          {"trusted", seen.is_trusted},
          {"offered", seen.was_offered},
          {"security", model::to_word(seen.outcome.security)},
          {"cause", seen.outcome.cause ? Json(model::to_word(*seen.outcome.cause)) : Json()},
          {"mx", seen.mx},
          {"text", seen.text}};
}

template <class T>
bool take(const Json& object, const char* name, T& value) {
  const auto found = object.find(name);
  if (found == object.end()) return false;
  if constexpr (std::is_same_v<T, bool>) {
    if (!found->is_boolean()) return false;
  } else if constexpr (std::is_integral_v<T>) {
    if (!found->is_number_integer()) return false;
  } else {
    if (!found->is_string()) return false;
  }
  value = found->template get<T>();
  return true;
}

std::optional<Failure> read_failure(const Json& object) {
  Failure failure;
  auto& seen = failure.evidence;
  std::string source;
  std::string security;
  if (!object.is_object() || !take(object, "wall", failure.at.wall) ||
      !take(object, "lived", failure.at.lived) || !take(object, "at", seen.at) ||
      !take(object, "source", source) || !take(object, "trusted", seen.is_trusted) ||
      !take(object, "offered", seen.was_offered) || !take(object, "security", security) ||
      !take(object, "mx", seen.mx) || !take(object, "text", seen.text)) {
    return std::nullopt;
  }
  const auto known_source = model::parse_source(source);
  const auto known_security = model::parse_security(security);
  if (!known_source || !known_security) return std::nullopt;
  seen.source = *known_source;
  seen.outcome.security = *known_security;
  if (std::string cause; take(object, "cause", cause)) {
    seen.outcome.cause = model::parse_cause(cause);
    if (!seen.outcome.cause) return std::nullopt;
  }
  return failure;
}

}  // namespace

std::string state_json(const model::DestinationState& state) {
  Json failures = Json::array();
  for (const auto& failure : state.failures) failures.push_back(to_json(failure));
  const Json object{{"offered_lived", state.offered_lived},
                    {"thawed_lived", state.thawed_lived},
                    {"length", state.length},
                    {"confirmed", state.is_confirmed},
                    {"failing", state.is_failing},
                    {"vanished", state.has_vanished},
                    {"failures", std::move(failures)}};
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool read_state_json(std::string_view text, model::DestinationState& state) {
  const Json object = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object() || !take(object, "offered_lived", state.offered_lived) ||
      !take(object, "thawed_lived", state.thawed_lived) || !take(object, "length", state.length) ||
      !take(object, "confirmed", state.is_confirmed) ||
      !take(object, "failing", state.is_failing) || !take(object, "vanished", state.has_vanished)) {
    return false;
  }
  const auto failures = object.find("failures");
  if (failures == object.end() || !failures->is_array() || failures->size() > kMostFailures) {
    return false;
  }
  for (const auto& one : *failures) {
    auto failure = read_failure(one);
    if (!failure) return false;
    state.failures.push_back(std::move(*failure));
  }
  return true;
}

}  // namespace store
