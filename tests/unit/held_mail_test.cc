#include "src/app/held_mail.h"

#include <string>
#include <vector>

#include "src/app/held_routes.h"
#include "tests/unit/catch.h"

namespace {

using app::held::cause_of_delay;
using app::held::Mail;
using app::held::parse_lifetime;
using model::Cause;

constexpr auto kNotOffered = "TLS is required, but was not offered by host mx.bank.test[192.0.2.1]";
constexpr auto kHandshake = "Cannot start TLS: handshake failure";
constexpr auto kGreylisted =
    "host mx.bank.test[192.0.2.1] said: 451 TLS is required, but unavailable (in reply to RCPT TO "
    "command)";
constexpr app::held::Lifetimes kLifetimes{432'000, 86'400};

wire::QueuedMessage message_of(const std::string& id, std::int64_t arrived,
                               std::vector<wire::QueuedRecipient> recipients) {
  wire::QueuedMessage message;
  message.queue = "deferred";
  message.id = id;
  message.arrived = arrived;
  message.recipients = std::move(recipients);
  return message;
}

}  // namespace

TEST_CASE("held: only what Postfix itself says of TLS counts") {
  CHECK(cause_of_delay(kNotOffered) == Cause::StarttlsNotSupported);
  CHECK(cause_of_delay(kHandshake) == Cause::HandshakeFailure);
  CHECK(cause_of_delay("Server certificate not verified") == Cause::ValidationFailure);
  CHECK(cause_of_delay("client TLS configuration problem") == Cause::LocalFault);
  CHECK_FALSE(cause_of_delay(kGreylisted));
  CHECK_FALSE(cause_of_delay("connect to mx.bank.test[192.0.2.1]:25: Connection refused"));
  CHECK_FALSE(cause_of_delay(""));
}

TEST_CASE("held: a delivery that the queue manager puts off waits for the same reason") {
  CHECK(cause_of_delay(std::string("delivery temporarily suspended: ") + kHandshake) ==
        Cause::HandshakeFailure);
  CHECK_FALSE(
      cause_of_delay("delivery temporarily suspended: connect to a[192.0.2.1]:25: refused"));
  CHECK_FALSE(cause_of_delay("delivery temporarily suspended: "));
}

TEST_CASE("held: the reason that map outcome writes is known") {
  CHECK(cause_of_delay("TLS is required, but host mx.test[192.0.2.1] refused to start TLS") ==
        Cause::StarttlsRefused);
  CHECK(
      cause_of_delay("TLS is required, but host mx.test[192.0.2.1] refused to start TLS: 502 no") ==
      Cause::StarttlsRefused);
  CHECK_FALSE(cause_of_delay("TLS is required, but host nobody refused to start TLS"));
}

TEST_CASE("held: messages, recipients and ages are counted by destination") {
  Mail mail(kLifetimes);
  CHECK(mail.add(message_of("B2", 2'000,
                            {{"a@bank.test", kNotOffered},
                             {"b@BANK.test", kHandshake},
                             {"c@bank.test.", kHandshake},
                             {"d@other.test", kHandshake},
                             {"e@fine.test", kGreylisted}})));
  CHECK(mail.add(message_of("A1", 1'000, {{"a@bank.test", kNotOffered}})));
  CHECK(mail.add(message_of("C3", 3'000, {{"a@bank.test", ""}})));
  CHECK(mail.looked_at() == 3);
  CHECK(mail.messages() == 2);
  REQUIRE(mail.destinations().size() == 2);
  const auto& bank = mail.destinations().at("bank.test");
  CHECK(bank.messages == 2);
  CHECK(bank.recipients == 4);
  CHECK(bank.oldest == 1'000);
  CHECK(bank.reason == kNotOffered);
  CHECK(bank.bounces_at == 433'000);
  CHECK(bank.ids == std::vector<std::string>{"B2", "A1"});
  CHECK(bank.causes.at(Cause::HandshakeFailure) == 2);
  CHECK(mail.destinations().at("other.test").ids == std::vector<std::string>{"B2"});
}

TEST_CASE("held: the first to bounce need not be the oldest") {
  Mail mail(kLifetimes);
  mail.add(message_of("A1", 1'000, {{"a@bank.test", kHandshake}}));
  auto bounce = message_of("B2", 2'000, {{"b@bank.test", kHandshake}});
  bounce.is_sender_null = true;
  mail.add(bounce);
  CHECK(mail.destinations().at("bank.test").oldest == 1'000);
  CHECK(mail.destinations().at("bank.test").bounces_at == 88'400);
  auto forced = message_of("C3", 3'000, {{"b@bank.test", kHandshake}});
  forced.is_expiry_forced = true;
  mail.add(forced);
  CHECK(mail.destinations().at("bank.test").bounces_at == 3'000);
}

TEST_CASE("held: mail on hold waits for the admin, not for TLS") {
  Mail mail(kLifetimes);
  auto message =
      message_of("A1", 1'000, {{"a@bank.test", kHandshake}, {"b@bank.test", kHandshake}});
  message.queue = "hold";
  mail.add(message);
  CHECK(mail.destinations().empty());
  CHECK(mail.messages() == 0);
  CHECK(mail.on_hold() == 1);
}

TEST_CASE("held: an address says where it goes, whatever stands before the last @") {
  CHECK(app::held::destination_of("\"a@b\"@Bank.Test") == "bank.test");
  CHECK(app::held::destination_of("a@b\xC3\xBC"
                                  "cher.test") == "xn--bcher-kva.test");
  CHECK(app::held::destination_of("a@[192.0.2.1]") == "[192.0.2.1]");
  CHECK(app::held::destination_of("root").empty());
}

TEST_CASE("held: what is beyond the bounds is counted and not kept") {
  Mail mail(kLifetimes);
  std::vector<wire::QueuedRecipient> many;
  for (std::size_t i = 0; i <= Mail::kMostDestinations; ++i) {
    many.push_back({"a@d" + std::to_string(i) + ".test", kHandshake});
  }
  mail.add(message_of("A1", 1, std::move(many)));
  CHECK(mail.destinations().size() == Mail::kMostDestinations);
  CHECK(mail.left_out() == 1);
}

TEST_CASE("held: a lifetime as main.cf has it") {
  CHECK(parse_lifetime("5d") == 432'000);
  CHECK(parse_lifetime("5") == 432'000);
  CHECK(parse_lifetime("0") == 0);
  CHECK(parse_lifetime(" 90m ") == 5'400);
  CHECK(parse_lifetime("30s") == 30);
  CHECK(parse_lifetime("1w") == 604'800);
  for (const auto* text : {"", "d", "-1d", "5y", "5 d", "36501", "99999999999999999999"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_lifetime(text));
  }
}

TEST_CASE("held: transport_maps is asked for the address, its domain, the parents, everything") {
  using app::held::transport_keys;
  using Keys = std::vector<std::string>;
  CHECK(transport_keys("u+x@a.b.test", "+", false) ==
        Keys{"u+x@a.b.test", "u@a.b.test", "a.b.test", ".b.test", ".test", "*"});
  CHECK(transport_keys("u-x@b.test", "+-", false) ==
        Keys{"u-x@b.test", "u@b.test", "b.test", ".test", "*"});
  CHECK(transport_keys("+x@b.test", "+", false) == Keys{"+x@b.test", "b.test", ".test", "*"});
  CHECK(transport_keys("u+x@b.test", "", false) == Keys{"u+x@b.test", "b.test", ".test", "*"});
  CHECK(transport_keys("b.test", "+", false) == Keys{"b.test", ".test", "*"});
  CHECK(transport_keys("u@b.test", "+", true) == Keys{"u@b.test", "*"});
}

TEST_CASE("held: told apart by address, a message to two of them is one message once merged") {
  Mail mail(kLifetimes, Mail::By::Address);
  mail.add(message_of("A1", 100, {{"A@bank.test", kHandshake}, {"b@bank.test", kNotOffered}}));
  mail.add(message_of("A2", 50, {{"b@bank.test", kHandshake}}));
  REQUIRE(mail.destinations().size() == 2);
  app::held::Destination sum;
  for (const auto& [name, found] : mail.destinations()) app::held::merge(sum, found);
  CHECK(mail.destinations().count("a@bank.test") == 1);
  CHECK(sum.messages == 2);
  CHECK(sum.recipients == 3);
  CHECK(sum.ids == std::vector<std::string>{"A1", "A2"});
  CHECK(sum.oldest == 50);
  CHECK(sum.bounces_at == 50 + kLifetimes.mail);
  CHECK(sum.reason == kHandshake);
  CHECK(sum.causes.at(Cause::HandshakeFailure) == 2);
}
