#include "tests/unit/doctor_rig.h"

using Catch::Matchers::ContainsSubstring;
using model::Fallback;
using model::Level;
using test::fix_of;
using test::only_complaint;
using test::Rig;
using test::State;

namespace {

constexpr const char* kRelay = "[relay.example]:587";
constexpr const char* kRequireRelay = "tlspolicyctl set '[relay.example]:587' required";

app::doctor::RouteFact route(const std::string& result) {
  return {0, "transport_maps", "hash:/etc/postfix/transport", "bank.example", "required", result,
          {}};
}

}  // namespace

TEST_CASE("doctor: a relayhost beside a mandatory row is an error") {
  Rig rig;
  rig.set("relayhost", kRelay);
  const auto found = only_complaint(rig, "relayhost", State::Error);
  CHECK_THAT(found.text, ContainsSubstring("row bank.example is never asked"));
  CHECK(fix_of(found) == kRequireRelay);
  rig.add_hop_row(kRelay, kRelay, Level::Encrypt, Fallback::AfterRetry);
  only_complaint(rig, "relayhost", State::Error);
  rig.add_hop_row(kRelay, kRelay, Level::Encrypt);
  only_complaint(rig, "relayhost", State::Warning);
  rig.ours.policy->uses.clear();
  CHECK(rig.complaints().empty());
}

TEST_CASE("doctor: a default_transport with a next-hop hides rows as a relayhost does") {
  Rig rig;
  rig.set("default_transport", "smtp:[relay.example]:587");
  CHECK(fix_of(only_complaint(rig, "relayhost", State::Error)) == kRequireRelay);
}

TEST_CASE("doctor: next-hops by sender are an error beside a mandatory row, ours are not") {
  Rig rig;
  rig.set("sender_dependent_default_transport_maps",
          std::string("socketmap:") + test::kEndpoint + ":sender-transport");
  CHECK(rig.complaints().empty());
  rig.set("sender_dependent_relayhost_maps", "hash:/etc/postfix/by_sender");
  CHECK(fix_of(only_complaint(rig, "relayhost", State::Error)) ==
        "postconf -e 'sender_dependent_relayhost_maps ='");
  rig.ours.policy->uses.clear();
  only_complaint(rig, "relayhost", State::Warning);
}

TEST_CASE("doctor: a fallback relay passes mandatory rows by") {
  Rig rig;
  rig.set("smtp_fallback_relay", kRelay);
  CHECK(fix_of(only_complaint(rig, "fallback-relay", State::Error)) ==
        "postconf -e 'smtp_fallback_relay ='");
  rig.ours.policy->uses.clear();
  only_complaint(rig, "fallback-relay", State::Warning);

  Rig one_service;
  one_service.add_service("relay", "smtp", true, {{"smtp_fallback_relay", kRelay}});
  CHECK(fix_of(only_complaint(one_service, "fallback-relay", State::Error)) ==
        "postconf -P 'relay/unix/smtp_fallback_relay ='");
}

TEST_CASE("doctor: a table that routes a mandatory domain elsewhere is an error") {
  Rig rig;
  rig.host.routes = {route("smtp:[relay.example]:587")};
  CHECK(fix_of(only_complaint(rig, "routes", State::Error)) == kRequireRelay);
  rig.add_hop_row(kRelay, kRelay, Level::Verify);
  CHECK(rig.complaints().empty());
}

TEST_CASE("doctor: a route by a transport that asks us, to the domain itself, is no trouble") {
  for (const auto* result : {":", "smtp:", "smtp:bank.example", "error:no such domain"}) {
    Rig rig;
    rig.host.routes = {route(result)};
    INFO(result);
    CHECK(rig.complaints().empty());
  }
}

TEST_CASE("doctor: a route by a transport that does not ask us is an error") {
  for (const auto* result : {"uucp:", "plain:", "lmtp:unix:/x"}) {
    Rig rig;
    rig.host.routes = {route(result)};
    INFO(result);
    only_complaint(rig, "routes", State::Error);
  }
}

TEST_CASE("doctor: every next-hop of a list must demand TLS") {
  Rig rig;
  rig.host.routes = {route("smtp:[relay.example]:587, [other.example]")};
  rig.add_hop_row(kRelay, kRelay, Level::Encrypt);
  CHECK(fix_of(only_complaint(rig, "routes", State::Error)) ==
        "tlspolicyctl set '[other.example]' required");
}

TEST_CASE("doctor: a table that can't be looked up is skipped, with the reason") {
  Rig rig;
  rig.host.routes = {route("")};
  rig.host.routes[0].trouble = "postmap: it takes too long";
  const auto found = rig.complaints();
  REQUIRE(found.size() == 1);
  CHECK(found.front().state == State::Skipped);
  CHECK_THAT(found.front().text, ContainsSubstring("takes too long"));
}

TEST_CASE("doctor: rows for everything must not hit a content filter") {
  Rig rig;
  rig.set("content_filter", "smtp:[127.0.0.1]:10024");
  CHECK(rig.complaints().empty());
  rig.add_hop_row("[127.0.0.1]:10024", "[*]", Level::Encrypt);
  CHECK(fix_of(only_complaint(rig, "content-filter", State::Error)) ==
        "tlspolicyctl set '[127.0.0.1]:10024' off");
  rig.add_hop_row("[127.0.0.1]:10024", "[*]", Level::May);
  only_complaint(rig, "content-filter", State::Warning);
  rig.add_hop_row("[127.0.0.1]:10024", "[127.0.0.1]:10024", Level::None);
  CHECK(rig.complaints().empty());
}

TEST_CASE("doctor: a content filter of one smtpd(8) counts too, and `*` reaches a bare name") {
  Rig rig;
  rig.add_service("submission", "smtpd", true, {{"content_filter", "smtp:filter.example"}});
  rig.add_hop_row("filter.example", "*", Level::Encrypt);
  CHECK(fix_of(only_complaint(rig, "content-filter", State::Error)) ==
        "tlspolicyctl set filter.example off");
}

TEST_CASE("doctor: a password must not be sent where a row lets TLS drop") {
  Rig rig;
  rig.ours.policy->uses.clear();
  rig.set("relayhost", kRelay);
  rig.set("smtp_sasl_auth_enable", "yes");
  only_complaint(rig, "sasl", State::Warning);  // main.cf's own affair, until a row says it
  rig.add_hop_row(kRelay, kRelay, Level::May, Fallback::AfterRetry);
  CHECK(fix_of(only_complaint(rig, "sasl", State::Error)) == kRequireRelay);
  rig.add_hop_row(kRelay, kRelay, Level::Encrypt, Fallback::AfterRetry);
  only_complaint(rig, "sasl", State::Error);
  rig.add_hop_row(kRelay, kRelay, Level::Encrypt);
  CHECK(rig.complaints().empty());
}

TEST_CASE("doctor: wrappermode below encrypt sends nothing") {
  Rig rig;
  rig.ours.policy->uses.clear();
  rig.set("relayhost", "[relay.example]:465");
  rig.set("smtp_tls_wrappermode", "yes");
  CHECK(fix_of(only_complaint(rig, "sasl", State::Error)) ==
        "tlspolicyctl set '[relay.example]:465' required");
  rig.set("smtp_tls_security_level", "encrypt");
  CHECK(rig.complaints().empty());
}
