#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "policyd/attributes.h"
#include "tests/unit/catch.h"

using policyd::Complete;
using policyd::kLongestRequest;
using policyd::kMostAttributes;
using policyd::Malformed;
using policyd::NeedMore;
using policyd::parse_request;
using policyd::ProtocolState;

namespace {

// As seen from Postfix 3.7.11 [OBSERVED 8], with a certificate of a known CA.
const std::vector<std::string> kObserved{"request=smtpd_access_policy",
                                         "protocol_state=RCPT",
                                         "protocol_name=ESMTP",
                                         "client_address=203.0.113.240",
                                         "client_name=client.remote.test",
                                         "client_port=53027",
                                         "reverse_client_name=client.remote.test",
                                         "server_address=203.0.113.1",
                                         "server_port=25",
                                         "helo_name=client.remote.test",
                                         "sender=bob@remote.test",
                                         "recipient=postmaster@sender.test",
                                         "recipient_count=0",
                                         "queue_id=",
                                         "instance=1cd2.6b021f88.4fa72.0",
                                         "size=0",
                                         "etrn_domain=",
                                         "stress=",
                                         "sasl_method=",
                                         "sasl_username=",
                                         "sasl_sender=",
                                         "ccert_subject=client.remote.test",
                                         "ccert_issuer=tlslab+20test+20CA",
                                         "ccert_fingerprint=C9:23:AA",
                                         "ccert_pubkey_fingerprint=11:22:33",
                                         "encryption_protocol=TLSv1.3",
                                         "encryption_cipher=TLS_AES_256_GCM_SHA384",
                                         "encryption_keysize=256",
                                         "policy_context="};

std::string text_of(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text + "\n";
}

std::string with(std::string_view line) {
  return "request=smtpd_access_policy\n" + std::string(line) + "\n\n";
}

std::string fault(const std::string& input) {
  const auto parsed = parse_request(input);
  const auto* malformed = std::get_if<Malformed>(&parsed);
  return malformed == nullptr ? "" : std::string(malformed->why);
}

// Moved out of the result; views point into `input`, which outlives it.
policyd::Request parsed(const std::string& input) {
  auto result = parse_request(input);
  auto* complete = std::get_if<Complete>(&result);
  REQUIRE(complete != nullptr);
  CHECK(complete->consumed == input.size());
  return std::move(complete->request);
}

void check_observed(const policyd::Request& request) {
  CHECK(request.state == ProtocolState::Rcpt);
  CHECK(request.protocol_name == "ESMTP");
  CHECK(request.client_address == "203.0.113.240");
  CHECK(request.client_name == "client.remote.test");
  CHECK(request.client_port == "53027");
  CHECK(request.server_port == "25");
  CHECK(request.sender == "bob@remote.test");
  CHECK(request.recipient == "postmaster@sender.test");
  CHECK(request.instance == "1cd2.6b021f88.4fa72.0");
  CHECK(request.queue_id.empty());
  CHECK(request.ccert_subject == "client.remote.test");
  CHECK(request.ccert_issuer == "tlslab test CA");
  CHECK(request.ccert_fingerprint == "C9:23:AA");
  CHECK(request.encryption_protocol == "TLSv1.3");
  CHECK(request.encryption_keysize == 256);
  CHECK(request.size == 0);
}

}  // namespace

TEST_CASE("a request of Postfix is read attribute by attribute") {
  const auto input = text_of(kObserved);
  check_observed(parsed(input));
}

TEST_CASE("the order of attributes is free") {
  auto lines = kObserved;
  std::reverse(lines.begin(), lines.end());
  const auto input = text_of(lines);
  check_observed(parsed(input));
}

TEST_CASE("unknown attributes are passed over, also twice") {
  auto lines = kObserved;
  lines.insert(lines.begin(), {"tls_future=1", "tls_future=2", "x==", "Sender=other@a.test"});
  const auto input = text_of(lines);
  check_observed(parsed(input));
}

TEST_CASE("what is absent is empty") {
  const std::string input = "request=smtpd_access_policy\n\n";
  const auto request = parsed(input);
  CHECK(request.state == ProtocolState::Unknown);
  CHECK(request.sender.empty());
  CHECK(request.ccert_issuer.empty());
  CHECK(request.encryption_keysize == 0);
}

TEST_CASE("each protocol state has its value, a new one is Unknown") {
  const std::vector<std::pair<std::string, ProtocolState>> states{
      {"CONNECT", ProtocolState::Connect},
      {"EHLO", ProtocolState::Ehlo},
      {"HELO", ProtocolState::Helo},
      {"MAIL", ProtocolState::Mail},
      {"RCPT", ProtocolState::Rcpt},
      {"DATA", ProtocolState::Data},
      {"END-OF-MESSAGE", ProtocolState::EndOfMessage},
      {"VRFY", ProtocolState::Vrfy},
      {"ETRN", ProtocolState::Etrn},
      {"BDAT", ProtocolState::Unknown},
      {"rcpt", ProtocolState::Unknown},
      {"", ProtocolState::Unknown}};
  for (const auto& [word, state] : states) {
    INFO(word);
    const auto input = with("protocol_state=" + word);
    CHECK(parsed(input).state == state);
  }
}

TEST_CASE("certificate names are decoded from xtext, everything else stands as it is") {
  const auto plus = with("ccert_subject=a+2Bb+3dc+C3+A9");
  CHECK(parsed(plus).ccert_subject == "a+b=c\xc3\xa9");
  const auto sender = with("sender=a+20b@a.test");
  CHECK(parsed(sender).sender == "a+20b@a.test");
  for (const std::string bad : {"+", "+2", "a+2", "+G0", "+0G", "+ 1", "a+00b"}) {
    INFO(bad);
    CHECK(fault(with("ccert_subject=" + bad)) == "bad xtext in a certificate name");
    CHECK(fault(with("ccert_issuer=" + bad)) == "bad xtext in a certificate name");
  }
}

TEST_CASE("a value may hold blanks, equal signs, CR and bytes outside ASCII") {
  const auto input = with("sender=\"a b\"=\r\xff@a.test");
  CHECK(parsed(input).sender == "\"a b\"=\r\xff@a.test");
}

TEST_CASE("a number is decimal digits that fit") {
  const auto input = with("size=18446744073709551615\nrecipient_count=12");
  CHECK(parsed(input).size == 18446744073709551615U);
  CHECK(parsed(input).recipient_count == 12);
  for (const std::string bad : {"", "-1", "+1", "0x10", "1 ", "18446744073709551616"}) {
    INFO(bad);
    CHECK(fault(with("size=" + bad)) == "an attribute that must be a number is none");
    CHECK(fault(with("encryption_keysize=" + bad)) == "an attribute that must be a number is none");
    CHECK(fault(with("recipient_count=" + bad)) == "an attribute that must be a number is none");
  }
  CHECK_FALSE(fault(with("encryption_keysize=4294967296")).empty());
}

TEST_CASE("what isn't a request of Postfix is malformed at once") {
  CHECK(fault("sender=a@a.test\n\n") == "no request=smtpd_access_policy");
  CHECK(fault("\n") == "no request=smtpd_access_policy");
  CHECK(fault("request=other\n") == "a request other than smtpd_access_policy");
  CHECK(fault("request=smtpd_access_policy\r\n") == "a request other than smtpd_access_policy");
  CHECK(fault("GET / HTTP/1.1\n") == "a line without '='");
  CHECK(fault("request=smtpd_access_policy\n\r\n") == "a line without '='");
  CHECK(fault("=x\n") == "an attribute without a name");
  CHECK(fault(std::string("sender=a\0b\n", 11)) == "a NUL");
  CHECK(fault("sender=a\nsender=a\n") == "an attribute given twice");
  CHECK(fault(with("request=smtpd_access_policy")) == "an attribute given twice");
  CHECK(fault("size=0\nsize=0\n") == "an attribute given twice");
}

TEST_CASE("each strict prefix of a good request is waited for") {
  const auto input = text_of(kObserved);
  for (std::size_t length = 0; length < input.size(); ++length) {
    REQUIRE(std::holds_alternative<NeedMore>(parse_request(input.substr(0, length))));
  }
}

TEST_CASE("a request may have kMostAttributes lines, no more") {
  std::string lines = "request=smtpd_access_policy\n";
  for (std::size_t i = 1; i < kMostAttributes; ++i) lines += "x=y\n";
  CHECK(fault(lines + "\n").empty());
  CHECK(fault(lines + "x=y\n") == "too many attributes");
}

TEST_CASE("a request may be kLongestRequest bytes long, no more") {
  const std::string head = "request=smtpd_access_policy\nsender=";
  const std::string longest = head + std::string(kLongestRequest - head.size() - 2, 'a') + "\n\n";
  CHECK(parsed(longest).sender.size() == kLongestRequest - head.size() - 2);
  CHECK(fault(longest.substr(0, kLongestRequest - 2) + "a\n\n") == "a request over the limit");
  CHECK(fault(std::string(kLongestRequest, 'a')) == "a request over the limit");
  CHECK(std::holds_alternative<NeedMore>(parse_request(std::string(kLongestRequest - 1, 'a'))));
}
