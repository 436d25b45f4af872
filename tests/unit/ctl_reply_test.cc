#include "src/app/ctl_reply.h"

#include "src/app/ctl_context.h"
#include "tests/unit/catch.h"

using app::ctl::make_request;
using app::ctl::parse_reply;

TEST_CASE("request: one netstring of map and key, as Postfix sends it") {
  CHECK(make_request("policy", "bank.example") == "19:policy bank.example,");
  CHECK(make_request("policy", "") == "7:policy ,");
}

TEST_CASE("reply: status and value are parted at the first blank") {
  const auto reply = parse_reply("26:OK secure match=a.example,x" + std::string());
  CHECK_FALSE(reply.ok());  // the length is one short: no netstring
  const auto good = parse_reply("25:OK secure match=a.example,");
  REQUIRE(good.ok());
  CHECK(good->text == "OK secure match=a.example");
  CHECK(good->status == "OK");
  CHECK(good->value == "secure match=a.example");
  CHECK(good->is_answer());
}

TEST_CASE("reply: NOTFOUND is an answer, TEMP, PERM and what nobody knows are not") {
  const auto not_found = parse_reply("9:NOTFOUND ,");
  REQUIRE(not_found.ok());
  CHECK(not_found->text == "NOTFOUND ");
  CHECK(not_found->status == "NOTFOUND");
  CHECK(not_found->value.empty());
  CHECK(not_found->is_answer());
  for (const auto* text : {"9:TEMP wait,", "8:PERM bad,", "7:TIMEOUT,", "2:ok,", "0:,"}) {
    CAPTURE(text);
    const auto reply = parse_reply(text);
    REQUIRE(reply.ok());
    CHECK_FALSE(reply->is_answer());
  }
}

TEST_CASE("reply: what is no single netstring is refused") {
  for (const auto* text : {"", "2:OK", "2:OK,2:OK,", "HTTP/1.1 400", "-1:,", "02:OK,"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_reply(text).ok());
  }
}

TEST_CASE("sentences of the database lose the words of the tool") {
  using app::ctl::plain_sentence;
  CHECK(plain_sentence("CHECK constraint failed: level must be none or may") ==
        "level must be none or may");
  CHECK(plain_sentence("row x: CHECK constraint failed: no") == "row x: no");
  CHECK(plain_sentence("no such profile") == "no such profile");
}
