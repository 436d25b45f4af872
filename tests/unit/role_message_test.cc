#include "src/wire/role_message.h"

#include "tests/unit/catch.h"

namespace {

const wire::AlarmMessage kAlarm{"downgrade", "a.example", "it fails", true};
const wire::FollowedMessage kExchange{7, "policy", "a.example", "OK encrypt"};

// What begins as it should and goes on is not of ours, nor is what ends too soon.
template <class Parse>
void check_exact(const std::string& payload, const Parse& parse) {
  CHECK(parse(payload));
  CHECK_FALSE(parse(payload + '\0'));
  for (std::size_t size = 0; size < payload.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(parse(std::string_view(payload).substr(0, size)));
  }
}

}  // namespace

TEST_CASE("role message: each parses as a whole and no other way") {
  check_exact(wire::to_payload(kAlarm), wire::parse_alarm);
  check_exact(wire::to_payload(kExchange), wire::parse_followed);
  check_exact(wire::to_payload(wire::ModeMessage{1, 5}), wire::parse_mode);
  check_exact(wire::to_payload(std::uint64_t{5}), wire::parse_u64);
}

TEST_CASE("role message: a mode that nobody knows is none") {
  for (int mode = 0; mode < 256; ++mode) {
    CAPTURE(mode);
    const wire::ModeMessage message{static_cast<std::uint8_t>(mode), 9};
    const auto parsed = wire::parse_mode(wire::to_payload(message));
    REQUIRE(parsed.has_value() == (mode < 2));
    if (parsed) CHECK((parsed->mode == mode && parsed->until == 9));
  }
}

TEST_CASE("role message: a flag is 0 or 1") {
  std::string payload = wire::to_payload(kAlarm);
  CHECK(wire::parse_alarm(payload)->is_over);
  payload.back() = 2;
  CHECK_FALSE(wire::parse_alarm(payload));
}

TEST_CASE("role message: more texts than are ever sent are refused") {
  const std::vector<std::string> most(256, "a");
  const auto payload = wire::to_payload(most);
  CHECK(wire::parse_texts(payload) == most);
  CHECK(wire::to_payload(std::vector<std::string>(300, "a")) == payload);
  CHECK_FALSE(wire::parse_texts(payload + wire::to_payload(std::vector<std::string>{"b"})));
}
