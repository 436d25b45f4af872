#include "src/wire/queue_line.h"

#include <fmt/format.h>

#include <string>

#include "tests/unit/catch.h"

namespace {

std::string line_with(const std::string& id, const std::string& arrived = "1700000000",
                      const std::string& queue = "deferred") {
  return fmt::format(
      R"({{"queue_name": "{}", "queue_id": "{}", "arrival_time": {}, "message_size": 334, )"
      R"("forced_expire": false, "sender": "a@sender.test", "recipients": [)"
      R"({{"address": "b@bank.test", "delay_reason": "TLS is required, but unavailable"}}, )"
      R"({{"address": "c@bank.test"}}]}})",
      queue, id, arrived);
}

}  // namespace

TEST_CASE("queue line: a message as postqueue -j prints it") {
  const auto message = wire::parse_queue_line(line_with("4Xyz12AbC"));
  REQUIRE(message);
  CHECK(message->queue == "deferred");
  CHECK(message->id == "4Xyz12AbC");
  CHECK(message->arrived == 1'700'000'000);
  CHECK_FALSE(message->is_expiry_forced);
  CHECK_FALSE(message->is_sender_null);
  REQUIRE(message->recipients.size() == 2);
  CHECK(message->recipients[0].address == "b@bank.test");
  CHECK(message->recipients[0].delay_reason == "TLS is required, but unavailable");
  CHECK(message->recipients[1].delay_reason.empty());
}

TEST_CASE("queue line: a bounce and a forced expiry are told") {
  const auto message = wire::parse_queue_line(
      R"({"queue_name":"deferred","queue_id":"A1","arrival_time":1,"forced_expire":true,)"
      R"("sender":"MAILER-DAEMON","recipients":[]})");
  REQUIRE(message);
  CHECK(message->is_expiry_forced);
  CHECK(message->is_sender_null);
}

TEST_CASE("queue line: what could end up in a command line is checked to the letter") {
  CHECK_FALSE(wire::parse_queue_line(line_with("A1; reboot")));
  CHECK_FALSE(wire::parse_queue_line(line_with("-d")));
  CHECK_FALSE(wire::parse_queue_line(line_with("")));
  CHECK_FALSE(wire::parse_queue_line(line_with("A\\n1")));
  CHECK_FALSE(wire::parse_queue_line(line_with(std::string(33, 'A'))));
  CHECK(wire::parse_queue_line(line_with(std::string(32, 'A'))));
  CHECK_FALSE(wire::parse_queue_line(line_with("A1", "1", "../deferred")));
}

TEST_CASE("queue line: a time that no mail has is refused") {
  for (const auto* time : {"-1", "1e3", "\"1\"", "null", "253402300800", "18446744073709551615",
                           "99999999999999999999999"}) {
    CAPTURE(time);
    CHECK_FALSE(wire::parse_queue_line(line_with("A1", time)));
  }
  CHECK(wire::parse_queue_line(line_with("A1", "0")));
}

TEST_CASE("queue line: other shapes are no message") {
  for (const auto* text : {"", "{}", "[]", "null", "\"queue_id\"", "{\"queue_id\": \"A1\"}", "{",
                           "postqueue: fatal: no queue"}) {
    CAPTURE(text);
    CHECK_FALSE(wire::parse_queue_line(text));
  }
  CHECK_FALSE(wire::parse_queue_line(std::string(200'000, '[')));
  CHECK_FALSE(wire::parse_queue_line(line_with("A1") + "x"));
}

TEST_CASE("queue line: recipients that are none are left out, the others stay") {
  const auto message = wire::parse_queue_line(
      R"({"queue_name":"deferred","queue_id":"A1","arrival_time":1,"recipients":[1,{},null,)"
      R"({"address":2},{"address":"a@b.test","delay_reason":7},{"address":")" +
      std::string(wire::kLongestQueuedAddress + 1, 'x') + R"("}]})");
  REQUIRE(message);
  REQUIRE(message->recipients.size() == 1);
  CHECK(message->recipients[0].address == "a@b.test");
  CHECK(message->recipients[0].delay_reason.empty());
}

TEST_CASE("queue line: UTF-8 is kept, other bytes become question marks") {
  const auto with_address = [](const std::string& address) {
    return R"({"queue_name":"deferred","queue_id":"A1","arrival_time":1,"recipients":[{"address":")" +
           address + R"("}]})";
  };
  const auto sound = wire::parse_queue_line(with_address("a@b\xC3\xBC.test"));
  REQUIRE(sound);
  CHECK(sound->recipients.at(0).address == "a@b\xC3\xBC.test");
  const auto broken = wire::parse_queue_line(with_address("a@b\xFC.test"));
  REQUIRE(broken);
  CHECK(broken->recipients.at(0).address == "a@b?.test");
}
