// SMTP replies: whole in whatever pieces they come, and refused for good where they are none.
#include "src/wire/smtp_reply.h"

#include "tests/unit/catch.h"

using wire::ReplyFault;
using wire::ReplyReader;
using wire::SmtpReply;

namespace {

SmtpReply read_one(std::string_view bytes) {
  ReplyReader reader;
  CHECK(reader.feed(bytes) == bytes.size());
  REQUIRE(reader.is_complete());
  return reader.take();
}

std::optional<ReplyFault> fault_of(std::string_view bytes) {
  ReplyReader reader;
  reader.feed(bytes);
  return reader.fault();
}

std::string lines(std::size_t count) {
  std::string text;
  for (std::size_t i = 1; i < count; ++i) text += "250-a\r\n";
  return text + "250 z\r\n";
}

}  // namespace

TEST_CASE("smtp reply: one line, several, and a code alone") {
  CHECK(read_one("220 mx ESMTP\r\n") == SmtpReply{220, {"mx ESMTP"}, false});
  CHECK(read_one("250-mx\r\n250-SIZE 1\r\n250 STARTTLS\r\n") ==
        SmtpReply{250, {"mx", "SIZE 1", "STARTTLS"}, false});
  CHECK(read_one("354\r\n") == SmtpReply{354, {""}, false});
  CHECK(read_one("250-\r\n250 \r\n") == SmtpReply{250, {"", ""}, false});
}

TEST_CASE("smtp reply: each strict prefix waits, and pieces of any size give the same") {
  const std::string_view whole = "250-mx.example\r\n250 STARTTLS\r\n";
  ReplyReader reader;
  for (std::size_t i = 0; i + 1 < whole.size(); ++i) {
    CHECK(reader.feed(whole.substr(i, 1)) == 1);
    CHECK_FALSE(reader.is_complete());
    CHECK(reader.is_inside());
  }
  reader.feed(whole.substr(whole.size() - 1));
  REQUIRE(reader.is_complete());
  CHECK(reader.take() == read_one(whole));
  CHECK_FALSE(reader.is_inside());
}

TEST_CASE("smtp reply: what stands behind a reply is left alone until it was taken") {
  ReplyReader reader;
  const std::string_view two = "220 a\r\n250 b\r\n";
  CHECK(reader.feed(two) == 7);
  CHECK(reader.feed(two.substr(7)) == 0);
  CHECK(reader.take().code == 220);
  CHECK(reader.feed(two.substr(7)) == 7);
  CHECK(reader.take().code == 250);
}

TEST_CASE("smtp reply: a bare line feed ends a line, and is told of") {
  CHECK(read_one("220 a\n") == SmtpReply{220, {"a"}, true});
  CHECK(read_one("250-a\r\n250 b\n").has_bare_lf);
  // A carriage return alone ends nothing.
  CHECK(read_one("220 a\r250 b\r\n") == SmtpReply{220, {"a\r250 b"}, false});
}

TEST_CASE("smtp reply: what is no reply is refused at the end of its line") {
  for (const auto* bytes : {"\r\n", "22\r\n", "hello\r\n", "2200 a\r\n", "120 a\r\n", "620 a\r\n",
                            "22a b\r\n", " 220 a\r\n", "220\ta\r\n", "250-a\r\n\r\n"}) {
    CHECK(fault_of(bytes) == ReplyFault::NotAReply);
  }
  CHECK(fault_of("250-a\r\n251 b\r\n") == ReplyFault::CodeChanges);
  ReplyReader reader;
  reader.feed("hello\r\n");
  CHECK(reader.feed("220 a\r\n") == 0);
  CHECK(reader.fault() == ReplyFault::NotAReply);
}

TEST_CASE("smtp reply: a line may have 2048 bytes, and its end") {
  const auto longest = "220 " + std::string(wire::kLongestReplyLine - 4, 'a');
  CHECK(read_one(longest + "\r\n").lines.front().size() == wire::kLongestReplyLine - 4);
  CHECK(fault_of(longest + "a") == ReplyFault::LineTooLong);
  CHECK(fault_of(longest + "\ra") == ReplyFault::LineTooLong);
  // At once, without waiting for the end of a banner of 64 KiB.
  ReplyReader reader;
  CHECK(reader.feed(std::string(65'536, '2')) == wire::kLongestReplyLine + 1);
}

TEST_CASE("smtp reply: a reply may have 100 lines, a stream 64 KiB") {
  CHECK(read_one(lines(wire::kMostReplyLines)).lines.size() == wire::kMostReplyLines);
  CHECK(fault_of(lines(wire::kMostReplyLines + 1)) == ReplyFault::TooManyLines);
  ReplyReader reader;
  const auto reply = "250 " + std::string(1018, 'a') + "\r\n";
  for (std::size_t i = 0; i < wire::kLargestReplyStream / reply.size(); ++i) {
    reader.feed(reply);
    REQUIRE(reader.is_complete());
    reader.take();
  }
  reader.feed("2");
  CHECK(reader.fault() == ReplyFault::TooMuch);
}

TEST_CASE("smtp reply: every fault has words of its own") {
  std::vector<std::string_view> seen;
  for (const auto fault : {ReplyFault::LineTooLong, ReplyFault::TooManyLines, ReplyFault::TooMuch,
                           ReplyFault::NotAReply, ReplyFault::CodeChanges}) {
    const auto words = wire::to_words(fault);
    CHECK_FALSE(words.empty());
    CHECK(std::find(seen.begin(), seen.end(), words) == seen.end());
    seen.push_back(words);
  }
}

TEST_CASE("capabilities: the keywords behind the first line, STARTTLS in any case") {
  const auto found =
      parse_capabilities(read_one("250-mx STARTTLS\r\n250-SIZE 10\r\n250-\r\n250 StartTLS \r\n"));
  CHECK(found.lines == std::vector<std::string>{"SIZE 10", "StartTLS "});
  CHECK(found.has_starttls);
  CHECK_FALSE(found.is_crossed_out);
  CHECK_FALSE(parse_capabilities(read_one("250 STARTTLS\r\n")).has_starttls);
  CHECK_FALSE(parse_capabilities(read_one("250-mx\r\n250 STARTTLSX\r\n")).has_starttls);
}

TEST_CASE("capabilities: X's where a word should be are what a firewall leaves of it") {
  const auto crossed = [](const std::string& line) {
    return parse_capabilities(read_one("250-mx\r\n250 " + line + "\r\n")).is_crossed_out;
  };
  CHECK(crossed("XXXXXXXA"));
  CHECK(crossed("XXXXXXXX"));
  CHECK(crossed("XXXX 1"));
  CHECK_FALSE(crossed(std::string(3, 'X')));
  CHECK_FALSE(crossed("XCLIENT NAME"));
  CHECK_FALSE(crossed("XXXXEXT"));
  CHECK_FALSE(crossed("X-XXXX"));
  CHECK_FALSE(crossed("XXXX1"));
}
