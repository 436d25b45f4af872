#include "src/wire/dns_message.h"

#include "tests/unit/catch.h"
#include "tests/unit/dns_packet.h"

namespace {

using dns_packet::a;
using dns_packet::kQuestionAt;
using dns_packet::message;
using dns_packet::mx;
using dns_packet::name;
using dns_packet::number_16;
using dns_packet::pointer;
using dns_packet::record;
using wire::DnsQuestion;
using wire::RecordType;

const DnsQuestion kMx{"example.com", RecordType::Mx};
const DnsQuestion kA{"example.com", RecordType::A};

wire::DnsMessage parsed(const std::string& bytes, const DnsQuestion& asked) {
  auto result = wire::parse_dns_answer(bytes, asked);
  if (!result) FAIL(result.error());
  return *result;
}

std::string fault_of(const std::string& bytes, const DnsQuestion& asked) {
  const auto result = wire::parse_dns_answer(bytes, asked);
  return result ? "none" : result.error();
}

std::string host_of(const std::string& host_on_wire) {
  const auto answer = parsed(message(kMx, {.answers = 1}, mx(10, host_on_wire)), kMx);
  return std::get<wire::MxData>(answer.answers.at(0).data).host;
}

}  // namespace

TEST_CASE("A question asks for recursion, the AD bit and EDNS of 1232 bytes") {
  const std::string expected = std::string("\x12\x34\x01\x20\0\1\0\0\0\0\0\1", 12) +
                               name("example.com") + std::string("\0\x0f\0\1", 4) +
                               std::string("\0\0\x29\x04\xd0\0\0\0\0\0\0", 11);
  CHECK(wire::make_dns_question(0x1234, kMx) == expected);
  auto plain = expected.substr(0, expected.size() - 11);
  plain[11] = '\0';
  CHECK(wire::make_dns_question(0x1234, kMx, false) == plain);
}

TEST_CASE("What can be asked for") {
  const std::string longest_label(63, 'a');
  const std::string longest =
      longest_label + "." + longest_label + "." + longest_label + "." + std::string(61, 'a');
  for (const auto& good : {std::string("example.com"), std::string("_25._tcp.mx.example"),
                           std::string("x"), longest_label, longest, std::string("xn--4ca.test")}) {
    INFO(good);
    CHECK(wire::is_question_name(good));
  }
  for (const auto& bad :
       {std::string(), std::string("."), std::string("example.com."), std::string(".example.com"),
        std::string("a..b"), std::string("A.b"), std::string("a b"), std::string("a\0b", 3),
        std::string("\xc3\xa4.b"), longest_label + "a", longest + "a", std::string("a\\.b")}) {
    INFO(bad);
    CHECK_FALSE(wire::is_question_name(bad));
  }
}

TEST_CASE("Records of every type of ours are read") {
  const std::string bytes = message(
      {"Example.COM", RecordType::Mx}, {.flags = 0x81a0, .answers = 6},
      mx(10, name("MX1.Example.com")) + a('\7') +
          record(28, std::string("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16)) +
          record(name("www.example.com"), 5, pointer(kQuestionAt)) +
          record(16, std::string("\4v=ST\3Sv1", 9)) + record(52, std::string("\3\1\1\xab\xcd", 5)));
  const auto answer = parsed(bytes, kMx);
  CHECK(answer.id == 0x1234);
  CHECK(answer.is_authentic);
  CHECK_FALSE(answer.is_truncated);
  CHECK(answer.rcode == wire::kNoError);
  REQUIRE(answer.answers.size() == 6);
  const auto expected_v4 = model::parse_address("192.0.2.7");
  const auto expected_v6 = model::parse_address("2001:db8::1");
  using Record = wire::DnsRecord;
  CHECK(answer.answers[0] ==
        Record{"example.com", RecordType::Mx, 60, wire::MxData{10, "mx1.example.com"}});
  CHECK(answer.answers[1] == Record{"example.com", RecordType::A, 60, expected_v4.value()});
  CHECK(answer.answers[2] == Record{"example.com", RecordType::Aaaa, 60, expected_v6.value()});
  CHECK(answer.answers[3] ==
        Record{"www.example.com", RecordType::Cname, 60, wire::AliasData{"example.com"}});
  CHECK(answer.answers[4] == Record{"example.com", RecordType::Txt, 60, wire::TextData{"v=STSv1"}});
  CHECK(answer.answers[5] ==
        Record{"example.com", RecordType::Tlsa, 60, wire::TlsaData{3, 1, 1, "\xab\xcd"}});
}

TEST_CASE("Every strict prefix of an answer, and one byte more, is refused") {
  const auto bytes = message(kMx, {.answers = 2, .authority = 1, .additional = 1},
                             mx(10, name("a.example")) + mx(20, pointer(kQuestionAt)) +
                                 record(6, "whatever") + record(name(""), 41, "", 1232));
  REQUIRE(fault_of(bytes, kMx) == "none");
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    INFO(length);
    CHECK_FALSE(wire::parse_dns_answer(bytes.substr(0, length), kMx).ok());
  }
  CHECK(fault_of(bytes + '\0', kMx) == "there are bytes behind its last record");
}

TEST_CASE("An answer to something else is refused") {
  const auto good = message(kMx, {}, "");
  REQUIRE(fault_of(good, kMx) == "none");
  CHECK(fault_of(good, {"example.org", RecordType::Mx}) == "it answers another question");
  CHECK(fault_of(good, kA) == "it answers another question");
  auto chaos = good;
  chaos.back() = '\3';
  CHECK(fault_of(chaos, kMx) == "it answers another question");
  CHECK(fault_of(message(kMx, {.flags = 0x0100}, ""), kMx) == "it is a question, not an answer");
  CHECK(fault_of(message(kMx, {.flags = 0xa880}, ""), kMx) ==
        "it answers something else than a query");
  CHECK(fault_of(message(kMx, {.questions = 0}, ""), kMx) ==
        "it repeats 0 questions instead of one");
  CHECK(fault_of(message(kMx, {.questions = 2}, name("example.com") + number_16(15) + number_16(1)),
                 kMx) == "it repeats 2 questions instead of one");
}

TEST_CASE("The return code has its upper bits in OPT, and extended errors are kept") {
  const auto bogus = record(
      name(""), 41, std::string("\0\x0f\0\2\0\6\0\x0a\0\1x\0\x0f\0\3\0\x16y", 18), 1232, 0x0100);
  const auto answer = parsed(message(kMx, {.flags = 0x8182, .additional = 1}, bogus), kMx);
  CHECK(answer.rcode == 0x12);
  CHECK(wire::rcode_word(answer.rcode) == "RCODE 18");
  CHECK(wire::rcode_word(wire::kServFail) == "SERVFAIL");
  CHECK(answer.extended_errors == std::vector<std::uint16_t>{6, 22});
  CHECK(fault_of(
            message(kMx, {.additional = 1}, record(name(""), 41, std::string("\0\x0f\0\2\0", 5))),
            kMx) == "a record of it is cut off or malformed");
}

TEST_CASE("A truncated answer is read no further than its question") {
  const auto answer = parsed(message(kMx, {.flags = 0x8380, .answers = 30}, "rubbish"), kMx);
  CHECK(answer.is_truncated);
  CHECK(answer.answers.empty());
}

TEST_CASE("Records of other sections, classes and types are walked over") {
  const auto answer = parsed(message(kA, {.answers = 3, .authority = 1, .additional = 1},
                                     record(pointer(kQuestionAt), 1, "abcd", 3) +
                                         record(46, "signature") + a('\1') + a('\2') + a('\3')),
                             kA);
  REQUIRE(answer.answers.size() == 1);
  CHECK(std::get<model::AddressBytes>(answer.answers[0].data) ==
        model::parse_address("192.0.2.1").value());
}

TEST_CASE("Data of the wrong size is refused") {
  const auto malformed = [](const std::string& record) {
    INFO(record);
    CHECK(fault_of(message(kMx, {.answers = 1}, record), kMx) ==
          "a record of it is cut off or malformed");
  };
  malformed(record(1, "abc"));
  malformed(record(1, "abcde"));
  malformed(record(28, "abcd"));
  malformed(record(15, "\1"));
  malformed(record(15, number_16(10)));
  malformed(mx(10, name("a") + "x"));
  malformed(record(5, name("a") + "x"));
  malformed(record(16, ""));
  malformed(record(16, "\5abcd"));
  malformed(record(52, std::string("\3\1\1", 3)));
}

TEST_CASE("A name goes back only, and no name goes on for ever") {
  const auto malformed = [](const std::string& host) {
    CHECK(fault_of(message(kMx, {.answers = 1}, mx(10, host)), kMx) ==
          "a record of it is cut off or malformed");
  };
  // 29 bytes to the record, 12 of it before the data, 2 of preference: where the host begins.
  constexpr unsigned kHostAt = 29 + 12 + 2;
  malformed(pointer(kHostAt));                                // to itself
  malformed("\1a" + pointer(kHostAt));                        // to the name it ends
  malformed(pointer(kHostAt + 2) + std::string("\1a\0", 3));  // forward
  malformed(pointer(0x3fff));                                 // out of the message
  malformed(
      "\x40"
      "a");  // label types that nobody uses
  malformed(
      "\x80"
      "a");
  malformed("\xc0");  // half a pointer
  std::string label(1, '\x3f');
  label += std::string(63, 'a');
  malformed(label + label + label + label + '\0');  // 257 bytes
  CHECK(host_of(label + label + label + std::string(1, '\x3d') + std::string(61, 'a') + '\0')
            .size() == 253);
  malformed(label + label + label + std::string(1, '\x3e') + std::string(62, 'a') + '\0');
}

TEST_CASE("Pointers to pointers end after 127 of them") {
  // A chain in the data of a record nobody reads, each pointer to the one before it.
  const unsigned start = 29 + 12;
  const auto chain = [&](unsigned length) {
    std::string data = pointer(kQuestionAt);
    for (unsigned i = 1; i < length; ++i) data += pointer(start + 2 * (i - 1));
    const unsigned last = start + 2 * (length - 1);
    return fault_of(message(kMx, {.answers = 2}, record(99, data) + mx(1, pointer(last))), kMx);
  };
  CHECK(chain(126) == "none");
  CHECK(chain(127) == "a record of it is cut off or malformed");
}

TEST_CASE("Bytes that no host name has are escaped, so that none passes for one") {
  CHECK(host_of(name("")).empty());
  CHECK(host_of(std::string("\3a.b\0", 5)) == "a\\046b");
  CHECK(host_of(std::string("\4\x1b[0\0\0", 6)) == "\\027\\0910\\000");
  CHECK(host_of(std::string("\2\xc3\xa4\0", 4)) == "\\195\\164");
  CHECK(host_of(std::string("\1\\\0", 3)) == "\\092");
  CHECK(host_of(name("_MX-1.Test")) == "_mx-1.test");
}

TEST_CASE("More than a thousand records are too many") {
  std::string records;
  for (unsigned i = 0; i < wire::kMostDnsRecords; ++i) records += a('\1');
  CHECK(parsed(message(kA, {.answers = wire::kMostDnsRecords}, records), kA).answers.size() ==
        wire::kMostDnsRecords);
  CHECK(fault_of(message(kA, {.answers = wire::kMostDnsRecords + 1}, records + a('\1')), kA) ==
        "it has more than 1000 records");
  CHECK(fault_of(message(kA, {.answers = 0xffff}, ""), kA) == "it has more than 1000 records");
}

TEST_CASE("A text of 60 KiB in one answer is taken as it is") {
  std::string data;
  for (int i = 0; i < 240; ++i) data += '\xff' + std::string(255, 'x');
  const auto answer =
      parsed(message({"example.com", RecordType::Txt}, {.answers = 1}, record(16, data)),
             {"example.com", RecordType::Txt});
  CHECK(std::get<wire::TextData>(answer.answers.at(0).data).text == std::string(240UL * 255, 'x'));
  CHECK(fault_of(std::string(65536, 'x'), kA) == "it is longer than 65535 bytes");
}
