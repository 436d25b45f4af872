// Whether a row's level would deliver, by the record of a check.
#include "src/engine/watch_verdict.h"

#include "src/engine/probe_summary.h"
#include "tests/unit/catch.h"
#include "tests/unit/probe_samples.h"

using engine::AskedLevel;
using engine::judge_record;
using model::Level;
using test::good_peer;
using test::plain_peer;
using test::record_of;
using test::silent_peer;

namespace {

constexpr auto kDomain = "partner.example";
constexpr auto kHost = "mx.partner.example";

AskedLevel asked(Level level, std::string match = {}) {
  AskedLevel one;
  one.level = level;
  one.match = std::move(match);
  return one;
}

engine::WatchVerdict of(const AskedLevel& level, std::vector<model::ProbedPeer> peers) {
  return judge_record(level, record_of(kDomain, 1, std::move(peers)));
}

model::RouteHost host(std::string name, std::vector<model::AddressBytes> addresses) {
  model::RouteHost one;
  one.name = std::move(name);
  one.addresses = std::move(addresses);
  return one;
}

}  // namespace

TEST_CASE("watch verdict: a good peer is good at every level a probe can tell") {
  for (const auto level : {Level::None, Level::May, Level::Encrypt, Level::Verify, Level::Secure}) {
    CHECK(of(asked(level), {good_peer(kHost)}).delivers == true);
  }
  CHECK(of(asked(Level::Fingerprint, "BB:00|aa:01"), {good_peer(kHost)}).delivers == true);
  CHECK_FALSE(of(asked(Level::Dane), {good_peer(kHost)}).delivers.has_value());
  CHECK_FALSE(of(asked(Level::DaneOnly), {good_peer(kHost)}).delivers.has_value());
  CHECK(of(asked(Level::DaneOnly), {plain_peer(kHost)}).delivers == false);
}

TEST_CASE("watch verdict: a no says why") {
  CHECK(of(asked(Level::Encrypt), {plain_peer(kHost)}).why == "no STARTTLS");
  auto peer = good_peer(kHost);
  peer.trust = model::ChainTrust::Expired;
  CHECK(of(asked(Level::Secure), {peer}).why == "certificate expired");
  CHECK(of(asked(Level::Encrypt), {peer}).delivers == true);
  peer = good_peer(kHost);
  peer.is_named_for_verify = false;
  CHECK(of(asked(Level::Verify), {peer}).why == "certificate does not name mx.partner.example");
  CHECK(of(asked(Level::Secure), {peer}).delivers == true);
  peer.is_fit_to_authenticate = false;
  CHECK(of(asked(Level::Secure), {peer}).delivers == false);
}

TEST_CASE("watch verdict: the row's own names are what counts") {
  auto peer = good_peer(kHost);
  peer.is_named_for_verify = peer.is_named_for_secure = false;
  peer.names = "*.hoster.example:other.example";
  CHECK(of(asked(Level::Secure), {peer}).delivers == false);
  CHECK(of(asked(Level::Secure, "nexthop:mx7.hoster.example"), {peer}).delivers == true);
  CHECK(of(asked(Level::Verify, ".hoster.example"), {peer}).delivers == true);
  CHECK(of(asked(Level::Verify, "dot-nexthop"), {peer}).delivers == false);
  // A name that was left out may be the one.
  peer.has_more_names = true;
  CHECK_FALSE(of(asked(Level::Secure, "third.example"), {peer}).delivers.has_value());
}

TEST_CASE("watch verdict: what a probe can't tell of a row is unknown") {
  auto level = asked(Level::Verify);
  level.has_own_anchors = true;
  CHECK_FALSE(of(level, {good_peer(kHost)}).delivers.has_value());
  level = asked(Level::Verify);
  level.has_own_servername = true;
  CHECK_FALSE(of(level, {good_peer(kHost)}).delivers.has_value());
  auto peer = good_peer(kHost);
  peer.pin = std::string(95, 'A');
  CHECK_FALSE(of(asked(Level::Fingerprint, std::string(59, 'B')), {peer}).delivers.has_value());
  CHECK(of(asked(Level::Fingerprint, std::string(95, 'B')), {peer}).delivers == false);
}

TEST_CASE("watch verdict: a protocol older than the row takes is a no") {
  auto level = asked(Level::Encrypt);
  level.min_protocol = model::TlsVersion::Tls13;
  CHECK(of(level, {good_peer(kHost)}).delivers == true);
  auto peer = good_peer(kHost);
  peer.protocol = "TLSv1.2";
  CHECK(of(level, {peer}).why == "TLSv1.2 is older than TLSv1.3");
  peer.protocol = "SSLv3";
  CHECK(of(level, {peer}).delivers == false);
  // What nobody knows yet is newer than all that we do.
  peer.protocol = "TLSv1.4";
  CHECK(of(level, {peer}).delivers == true);
}

TEST_CASE("watch verdict: one good address is enough, and one unknown leaves it open") {
  const auto level = asked(Level::Encrypt);
  const auto some = of(level, {plain_peer(kHost), good_peer(kHost, "192.0.2.2")});
  CHECK(some.delivers == true);
  CHECK(some.why == "at 1 of 2 addresses");
  CHECK_FALSE(of(level, {plain_peer(kHost), silent_peer(kHost)}).delivers.has_value());
  CHECK_FALSE(of(level, {}).delivers.has_value());
  auto failed = record_of(kDomain, 1, {});
  failed.fault = model::RouteFault::NullMx;
  failed.trouble = "it takes no mail";
  CHECK_FALSE(judge_record(level, failed).delivers.has_value());
  CHECK(judge_record(level, failed).why == "it takes no mail");
}

TEST_CASE("watch verdict: stricter than opportunistic is who may not fall back for the asking") {
  model::Profile profile;
  profile.level = Level::May;
  profile.fallback = model::Fallback::AfterRetry;
  CHECK_FALSE(engine::is_stricter_than_opportunistic(profile));
  profile.fallback = model::Fallback::UnlessOffered;
  CHECK(engine::is_stricter_than_opportunistic(profile));
  profile.level = Level::None;
  profile.fallback = model::Fallback::Never;
  CHECK_FALSE(engine::is_stricter_than_opportunistic(profile));
  profile.level = Level::Encrypt;
  CHECK(engine::is_stricter_than_opportunistic(profile));
}

TEST_CASE("watch verdict: a row at fault asks for nothing") {
  model::Profile profile;
  profile.level = Level::Verify;
  profile.name = "v";
  model::PolicyRow row;
  row.profile = &profile;
  row.match = "hostname";
  CHECK(engine::asked_by(row)->match == "hostname");
  row.fault = "broken";
  CHECK_FALSE(engine::asked_by(row).has_value());
}

TEST_CASE("summary: a record has each address of the route, with what became of it") {
  model::Route route;
  route.next_hop = route.name = kDomain;
  const auto first = *model::parse_address("192.0.2.1");
  const auto second = *model::parse_address("192.0.2.2");
  const auto third = *model::parse_address("10.0.0.1");
  route.text = "it is slow";
  route.fault = model::RouteFault::Timeout;
  route.kind = model::Route::Kind::ImplicitMx;
  route.is_secure = true;
  route.hosts = {host(kHost, {first, second}), host("mx2.partner.example", {third}),
                 host("mx3.partner.example", {})};
  model::ProbedAddress seen;
  seen.has_spoken = seen.was_offered = true;
  seen.starttls_code = 220;
  seen.trouble = "it hung up";
  seen.is_crossed_out = true;
  seen.outcome.security = model::Security::Encrypted;
  model::SeenTls tls;
  tls.protocol = "TLSv1.3";
  tls.cipher = "TLS_AES_256_GCM_SHA384";
  tls.bits = 256;
  tls.trust = model::ChainTrust::Trusted;
  tls.is_fit_to_authenticate = true;
  model::SeenCertificate leaf;
  leaf.dns_names = {"MX.partner.example", "bad\nname", std::string(600, 'x')};
  leaf.issuer = "O=Trust\n";
  leaf.not_after = 77;
  leaf.key_fingerprint = "AA";
  leaf.fingerprint = "BB";
  tls.chain = {leaf};
  seen.tls = tls;
  route.hosts.front().preference = 7;
  const std::vector<engine::CheckedTarget> targets{
      {{kHost, first, 2525}, &seen, {}},
      {{"mx2.partner.example", third, 25}, nullptr, "private use"}};
  const auto record = engine::summarise(route, targets, 9);
  CHECK(record.at == 9);
  CHECK(record.destination == kDomain);
  CHECK(record.trouble == "it is slow");
  CHECK(record.fault == model::RouteFault::Timeout);
  CHECK(record.is_secure);
  CHECK(record.peers.at(0).address == model::address_text(first));
  CHECK(record.peers.at(0).trouble == "it hung up");
  CHECK(record.peers.at(0).protocol == "TLSv1.3");
  CHECK(record.kind == model::Route::Kind::ImplicitMx);
  CHECK(record.peers.at(0).preference == 7);
  CHECK(record.peers.at(0).port == 2525);
  CHECK(record.peers.at(0).outcome.security == model::Security::Encrypted);
  CHECK(record.peers.at(0).is_crossed_out);
  CHECK(record.peers.at(0).is_fit_to_authenticate);
  CHECK(record.peers.at(0).trust == model::ChainTrust::Trusted);
  CHECK(record.peers.at(0).not_after == 77);
  CHECK(record.peers.at(0).pin == "AA");
  CHECK(record.peers.at(0).fingerprint == "BB");
  CHECK(record.peers.at(0).cipher == "TLS_AES_256_GCM_SHA384");
  CHECK(record.peers.at(0).bits == 256);
  CHECK(record.peers.at(0).has_spoken);
  CHECK(record.peers.at(0).was_offered);
  CHECK(record.hosts ==
        std::vector<std::string>{kHost, "mx2.partner.example", "mx3.partner.example"});
  REQUIRE(record.peers.size() == 3);
  CHECK(record.peers[0].names == "mx.partner.example");
  CHECK(record.peers[0].has_more_names);
  CHECK(record.peers[0].issuer == "O=Trust?");
  CHECK(record.peers[0].is_named_for_verify);
  CHECK(record.peers[0].is_named_for_secure);
  CHECK(record.peers[0].would.verified == true);
  CHECK(record.peers[1].trouble == "it was not probed");
  CHECK(record.peers[2].trouble == "not probed: private use");
  CHECK(record.would.required == true);
}

TEST_CASE("summary: a record keeps the most preferred addresses where there are too many") {
  model::Route route;
  route.next_hop = route.name = kDomain;
  for (int i = 0; i < 60; ++i) {
    route.hosts.push_back(
        host("mx" + std::to_string(i), {*model::parse_address("192.0.2." + std::to_string(i))}));
  }
  const auto record = engine::summarise(route, {}, 9);
  CHECK(record.peers.size() == model::kMostRecordPeers);
  CHECK(record.peers[0].host == "mx0");
  CHECK(record.hosts.size() == model::kMostRecordHosts);
}

TEST_CASE("watch verdict: each fault of a chain has its clause") {
  using model::ChainTrust;
  for (const auto& [trust, clause] :
       {std::pair(ChainTrust::SelfSigned, "self-signed certificate"),
        {ChainTrust::UntrustedIssuer, "certificate of an issuer that is not trusted"},
        {ChainTrust::Incomplete, "certificate chain incomplete"},
        {ChainTrust::Expired, "certificate expired"},
        {ChainTrust::NotYetValid, "certificate not yet valid"},
        {ChainTrust::TooWeak, "certificate too weak"},
        {ChainTrust::Faulty, "certificate not valid"},
        {ChainTrust::NoCertificate, "no certificate"}}) {
    auto peer = good_peer(kHost);
    peer.trust = trust;
    CHECK(of(asked(Level::Secure), {peer}).why == clause);
  }
}

TEST_CASE("watch verdict: a peer that shows no certificate fails wherever one is asked for") {
  auto peer = good_peer(kHost);
  peer.not_after = 0;
  CHECK(of(asked(Level::Verify), {peer}).delivers == true);
  peer.fingerprint.clear();
  CHECK(of(asked(Level::Verify), {peer}).why == "no certificate");
  CHECK(of(asked(Level::Fingerprint, "BB:01"), {peer}).why == "no certificate");
  CHECK(of(asked(Level::Encrypt), {peer}).delivers == true);
}

TEST_CASE("watch verdict: why TLS did not work is said in words, also where there are none") {
  auto peer = plain_peer(kHost);
  peer.outcome.cause = model::Cause::HandshakeFailure;
  CHECK(of(asked(Level::Encrypt), {peer}).why == "handshake failure");
  peer.outcome.cause.reset();
  CHECK(of(asked(Level::Encrypt), {peer}).delivers == false);
  CHECK(of(asked(Level::Encrypt), {peer}).why == "it did not say");
  peer.trouble = "it hung up";
  CHECK(of(asked(Level::Encrypt), {peer}).why == "it hung up");
  auto silent = silent_peer(kHost);
  silent.trouble.clear();
  CHECK(of(asked(Level::Encrypt), {silent}).why == "it did not say");
}

TEST_CASE("watch verdict: the host's own name is meant by hostname, and by itself") {
  auto peer = good_peer(kHost);
  peer.names = "other.example";
  CHECK(of(asked(Level::Verify, "hostname"), {peer}).delivers == true);
  CHECK(of(asked(Level::Verify, kHost), {peer}).delivers == true);
  peer.is_named_for_verify = false;
  CHECK(of(asked(Level::Verify, "hostname"), {peer}).delivers == false);
  CHECK(of(asked(Level::Verify, "hostname:other.example"), {peer}).delivers == true);
}

TEST_CASE("watch verdict: a pin is the key's or the certificate's, in either case of letters") {
  const auto peer = good_peer(kHost);
  CHECK(of(asked(Level::Fingerprint, "CC:01|aa:01"), {peer}).delivers == true);
  CHECK(of(asked(Level::Fingerprint, "bb:01"), {peer}).delivers == true);
  CHECK(of(asked(Level::Fingerprint, "CC:01"), {peer}).delivers == false);
}

TEST_CASE("watch verdict: of several addresses the first reason is the one that is told") {
  auto refusing = plain_peer(kHost);
  refusing.outcome.cause = model::Cause::StarttlsRefused;
  CHECK(of(asked(Level::Encrypt), {plain_peer(kHost), refusing}).why == "no STARTTLS");
  auto busy = silent_peer(kHost);
  busy.trouble = "it is busy";
  CHECK(of(asked(Level::Encrypt), {silent_peer(kHost), busy}).why == "no answer");
  CHECK(of(asked(Level::Encrypt), {plain_peer(kHost), busy, refusing}).why == "it is busy");
}

TEST_CASE("watch verdict: a row without a profile asks for nothing, and reroute is strict") {
  CHECK_FALSE(engine::asked_by(model::PolicyRow{}).has_value());
  model::Profile profile;
  profile.level = Level::May;
  profile.fallback = model::Fallback::Reroute;
  CHECK(engine::is_stricter_than_opportunistic(profile));
  profile.fallback = model::Fallback::Native;
  CHECK_FALSE(engine::is_stricter_than_opportunistic(profile));
  CHECK(engine::minds_expiry(Level::Verify));
  CHECK(engine::minds_expiry(Level::Secure));
  CHECK_FALSE(engine::minds_expiry(Level::Fingerprint));
}

TEST_CASE("summary: what is no name is left out, and the others stand with a colon between") {
  model::Route route;
  route.next_hop = route.name = kDomain;
  const auto address = *model::parse_address("192.0.2.1");
  route.hosts = {host(kHost, {address}), host(kHost, {address})};
  model::ProbedAddress seen;
  model::SeenTls tls;
  model::SeenCertificate leaf;
  leaf.dns_names = {"A.example", "", "b:c.example", "d\te.example", "f.example"};
  tls.chain = {leaf};
  seen.tls = tls;
  seen.has_spoken = true;
  std::vector<engine::CheckedTarget> targets{{{kHost, address, 25}, &seen, {}}};
  const auto record = engine::summarise(route, targets, 9);
  CHECK(record.hosts == std::vector<std::string>{kHost});
  CHECK(record.peers.at(0).names == "a.example:f.example");
  CHECK_FALSE(record.peers.at(0).has_more_names);
  // An anonymous session, none at all, and an address that was left out without a reason.
  seen.tls->chain.clear();
  CHECK(engine::summarise(route, targets, 9).peers.at(0).names.empty());
  seen.tls.reset();
  CHECK(engine::summarise(route, targets, 9).peers.at(0).protocol.empty());
  targets.front().seen = nullptr;
  CHECK(engine::summarise(route, targets, 9).peers.at(0).trouble == "it was not probed");
}

TEST_CASE("summary: names are taken as long as a record has room, to the last byte") {
  const auto names_of = [](std::size_t size) {
    model::Route route;
    route.next_hop = route.name = kDomain;
    const auto address = *model::parse_address("192.0.2.1");
    route.hosts = {host(kHost, {address})};
    model::SeenCertificate leaf;
    leaf.dns_names = {"a.example", std::string(size, 'x')};
    model::SeenTls tls;
    tls.chain = {leaf};
    model::ProbedAddress seen;
    seen.tls = tls;
    const std::vector<engine::CheckedTarget> targets{{{kHost, address, 25}, &seen, {}}};
    return engine::summarise(route, targets, 9).peers.at(0).names.size();
  };
  const std::size_t room = model::kMostRecordNames - std::string_view("a.example:").size();
  CHECK(names_of(room) == model::kMostRecordNames);
  CHECK(names_of(room + 1) == std::string_view("a.example").size());
}

TEST_CASE("summary: a certificate for an address literal has to name the address alone") {
  model::Route route;
  route.kind = model::Route::Kind::Literal;
  route.name = "192.0.2.1";
  CHECK(engine::expected_of(route, "192.0.2.1").nexthop.empty());
  route.kind = model::Route::Kind::Host;
  route.name = "a.example";
  CHECK(engine::expected_of(route, "mx").nexthop ==
        std::vector<std::string>{"a.example", ".a.example"});
}

TEST_CASE("watch verdict: nexthop is the domain itself, dot-nexthop what is below it") {
  auto peer = good_peer(kHost);
  peer.names = kDomain;
  CHECK(of(asked(Level::Secure, "nexthop"), {peer}).delivers == true);
  CHECK(of(asked(Level::Secure, "dot-nexthop"), {peer}).delivers == false);
  peer.names = std::string("a.") + kDomain;
  CHECK(of(asked(Level::Secure, "nexthop"), {peer}).delivers == false);
  CHECK(of(asked(Level::Secure, "dot-nexthop"), {peer}).delivers == true);
}

TEST_CASE("watch verdict: what a row asks is its profile's, name and all") {
  model::Profile profile;
  profile.name = "strict";
  profile.level = Level::Secure;
  model::PolicyRow row;
  row.profile = &profile;
  CHECK(engine::asked_by(row)->profile == "strict");
  CHECK_FALSE(engine::asked_by(row)->has_own_anchors);
  CHECK_FALSE(engine::asked_by(row)->has_own_servername);
  profile.tafile = "/a.pem";
  profile.servername = "hostname";
  CHECK(engine::asked_by(row)->has_own_anchors);
  CHECK(engine::asked_by(row)->has_own_servername);
}
