// What a check changes, and who is told: each thing once.
#include "src/engine/watch.h"

#include "src/engine/certificate_end.h"
#include "tests/unit/catch.h"
#include "tests/unit/probe_samples.h"

using engine::AskedLevel;
using engine::watch;
using engine::WatchStep;
using model::Level;
using model::ProbeRecord;
using model::WatchChangeKind;
using model::WatchMemory;
using test::good_peer;
using test::kDay;
using test::plain_peer;
using test::record_of;
using test::silent_peer;

namespace {

constexpr std::int64_t kNow = 100 * kDay;
constexpr auto kDomain = "partner.example";
constexpr auto kHost = "mx.partner.example";

AskedLevel asked(Level level, std::string match = {}) {
  AskedLevel one;
  one.level = level;
  one.profile = "required";
  one.match = std::move(match);
  return one;
}

// A destination that is checked over and over.
struct Desk {
  std::optional<AskedLevel> level = asked(Level::Verify);
  std::int64_t tls_by_mail_at = 0;
  std::int64_t weekly = 7;
  std::optional<WatchMemory> memory{};

  WatchStep check(const ProbeRecord& found, std::int64_t age = 0) {
    auto step =
        watch(memory ? &*memory : nullptr, {found, level, weekly, tls_by_mail_at, found.at + age});
    memory = step.memory;
    return step;
  }
  WatchStep check(std::vector<model::ProbedPeer> peers, std::int64_t at = kNow) {
    return check(record_of(kDomain, at, std::move(peers)));
  }
};

std::vector<WatchChangeKind> kinds_of(const WatchStep& step) {
  std::vector<WatchChangeKind> kinds;
  for (const auto& change : step.changes) kinds.push_back(change.kind);
  return kinds;
}
using Kinds = std::vector<WatchChangeKind>;

model::ProbedPeer ending(std::int64_t not_after, std::string host = kHost) {
  auto peer = good_peer(std::move(host));
  peer.not_after = not_after;
  return peer;
}

}  // namespace

TEST_CASE("watch: a good destination is learnt without a word, and stays quiet") {
  Desk desk;
  for (int i = 0; i < 3; ++i) {
    const auto step = desk.check({good_peer(kHost)}, kNow + i * kDay);
    CHECK(step.changes.empty());
    CHECK(step.alarms.empty());
  }
  CHECK(desk.memory->delivers == true);
  CHECK(desk.memory->since == kNow);
}

TEST_CASE("watch: compliance that is lost is an alarm once, and over once it is back") {
  Desk desk;
  desk.level = asked(Level::Encrypt);
  desk.check({good_peer(kHost)});
  const auto lost = desk.check({plain_peer(kHost)}, kNow + kDay);
  CHECK(kinds_of(lost) ==
        Kinds{WatchChangeKind::StarttlsVanished, WatchChangeKind::ComplianceLost});
  REQUIRE(lost.alarms.size() == 1);
  CHECK(lost.alarms[0].what == "compliance");
  CHECK(lost.alarms[0].text ==
        "mail to partner.example would no longer go at level encrypt: no STARTTLS");
  CHECK(desk.memory->since == kNow + kDay);
  CHECK(desk.check({plain_peer(kHost)}, kNow + 2 * kDay).alarms.empty());
  // Nothing is known, nothing changes.
  CHECK(desk.check({silent_peer(kHost)}, kNow + 3 * kDay).changes.empty());
  CHECK(desk.memory->delivers == false);
  const auto back = desk.check({good_peer(kHost)}, kNow + 4 * kDay);
  CHECK(kinds_of(back) ==
        Kinds{WatchChangeKind::StarttlsBack, WatchChangeKind::ComplianceRegained});
  REQUIRE(back.alarms.size() == 1);
  CHECK(back.alarms[0].is_over);
}

TEST_CASE("watch: who does not comply from the first check is named, too") {
  Desk desk;
  auto peer = good_peer(kHost);
  peer.trust = model::ChainTrust::Expired;
  const auto step = desk.check({peer});
  REQUIRE(step.alarms.size() == 1);
  CHECK(step.alarms[0].text ==
        "mail to partner.example would not go at level verify: certificate expired");
}

TEST_CASE("watch: an alarm is over where no row asks any more") {
  Desk desk;
  desk.level = asked(Level::Encrypt);
  desk.check({plain_peer(kHost)});
  desk.level.reset();
  const auto step = desk.check({plain_peer(kHost)});
  REQUIRE(step.alarms.size() == 1);
  CHECK(step.alarms[0].is_over);
  CHECK_FALSE(desk.memory->delivers.has_value());
}

TEST_CASE("watch: STARTTLS that mail or a probe saw is missed when it is gone") {
  Desk desk;
  desk.level.reset();
  CHECK(desk.check({plain_peer(kHost)}).changes.empty());
  desk.tls_by_mail_at = kNow - kDay;
  CHECK(kinds_of(desk.check({plain_peer(kHost)}, kNow + 1)) ==
        Kinds{WatchChangeKind::StarttlsVanished});
  CHECK(desk.memory->hosts[0].offered_at == kNow - kDay);
  CHECK(desk.memory->hosts[0].absent_since == kNow + 1);
  CHECK(desk.check({plain_peer(kHost)}, kNow + 2).changes.empty());
}

TEST_CASE("watch: one address of a host that offers STARTTLS is enough for the host") {
  Desk desk;
  desk.check({good_peer(kHost), good_peer(kHost, "192.0.2.2")});
  const auto step = desk.check({plain_peer(kHost), good_peer(kHost, "192.0.2.2")});
  CHECK(step.changes.empty());
}

TEST_CASE("watch: capabilities that are crossed out are named") {
  Desk desk;
  desk.check({good_peer(kHost)});
  auto peer = plain_peer(kHost);
  peer.is_crossed_out = true;
  const auto step = desk.check({peer});
  REQUIRE(!step.changes.empty());
  CHECK(step.changes[0].after == "crossed out");
}

TEST_CASE("watch: another MX set is said, and what is new in it is learnt anew") {
  Desk desk;
  desk.check({good_peer("mx1.partner.example"), good_peer("mx2.partner.example")});
  desk.tls_by_mail_at = kNow;
  const auto step =
      desk.check({plain_peer("mx3.partner.example"), good_peer("mx1.partner.example")});
  // mx3 never offered STARTTLS: what mail saw was seen of others.
  REQUIRE(kinds_of(step) == Kinds{WatchChangeKind::MxChanged});
  CHECK(step.changes[0].before == "mx1.partner.example mx2.partner.example");
  CHECK(step.changes[0].after == "mx1.partner.example mx3.partner.example");
  REQUIRE(step.alarms.size() == 1);
  CHECK(step.alarms[0].what == "mx-changed");
  CHECK(step.alarms[0].text ==
        "the MX hosts of partner.example have changed; gone: mx2.partner.example; learnt anew: "
        "mx3.partner.example");
  // In another order they are the same.
  CHECK(desk.check({good_peer("mx3.partner.example"), good_peer("mx1.partner.example")})
            .changes.empty());
}

TEST_CASE("watch: a resolver that fails changes no MX set") {
  Desk desk;
  desk.check({good_peer(kHost)});
  ProbeRecord failed;
  failed.destination = kDomain;
  failed.fault = model::RouteFault::Timeout;
  CHECK(desk.check(failed).changes.empty());
  CHECK(desk.memory->hosts.size() == 1);
  CHECK(desk.memory->delivers == true);
}

TEST_CASE("watch: another issuer is an alarm where the level asks who vouches") {
  Desk desk;
  desk.check({good_peer(kHost)});
  auto peer = good_peer(kHost);
  peer.issuer = "CN=R11,O=Example Trust,C=US";
  CHECK(desk.check({peer}).changes.empty());  // the same organisation
  peer.issuer = "CN=E1,O=Other\\, Inc.,C=US";
  const auto step = desk.check({peer});
  CHECK(kinds_of(step) == Kinds{WatchChangeKind::IssuerChanged});
  REQUIRE(step.alarms.size() == 1);
  CHECK(step.alarms[0].what == "issuer-changed");
  // What was seen of the host before is no change.
  CHECK(desk.check({good_peer(kHost)}).changes.empty());
  desk.level = asked(Level::Encrypt);
  peer.issuer = "CN=Third";
  const auto quiet = desk.check({peer});
  CHECK(kinds_of(quiet) == Kinds{WatchChangeKind::IssuerChanged});
  CHECK(quiet.alarms.empty());
}

TEST_CASE("watch: another key is an alarm where the row pins, and not where it has the new one") {
  Desk desk;
  desk.level = asked(Level::Fingerprint, "AA:01|AA:02");
  desk.check({good_peer(kHost)});
  auto peer = good_peer(kHost);
  peer.pin = "AA:02";
  auto step = desk.check({peer});
  CHECK(kinds_of(step) == Kinds{WatchChangeKind::PinChanged});
  CHECK(step.alarms.empty());
  peer.pin = "AA:03";
  step = desk.check({peer});
  REQUIRE(!step.alarms.empty());
  CHECK(step.alarms[0].what == "pin-changed");
}

TEST_CASE("watch: what is known of a host is bounded") {
  Desk desk;
  auto peer = good_peer(kHost);
  for (int i = 0; i < 30; ++i) {
    peer.pin = std::to_string(i);
    desk.check({peer});
  }
  CHECK(desk.memory->hosts[0].pins.size() == WatchMemory::kMostOfAHost);
  CHECK(desk.memory->hosts[0].pins.back() == "29");
  std::vector<model::ProbedPeer> many;
  for (int i = 0; i < 100; ++i) many.push_back(good_peer("mx" + std::to_string(i)));
  desk.check(many);
  CHECK(desk.memory->hosts.size() == WatchMemory::kMostHosts);
}

TEST_CASE("watch: the end of a certificate is told 60, 13 and 4 days ahead, each once") {
  Desk desk;
  const auto end = kNow + 61 * kDay;
  std::vector<std::pair<std::int64_t, std::string>> told;
  for (std::int64_t day = 0; day <= 60; ++day) {
    for (const auto& alarm : desk.check({ending(end)}, kNow + day * kDay).alarms) {
      told.emplace_back((end - kNow) / kDay - day, alarm.text);
    }
  }
  REQUIRE(told.size() == 3);
  CHECK(told[0].first == 60);
  CHECK(told[1].first == 13);
  CHECK(told[2].first == 4);
  CHECK(told[2].second ==
        "the certificate of mx.partner.example ends in 4 days, 1970-06-11T00:00:00Z: 7 deliveries "
        "a week would stop");
}

TEST_CASE("watch: a certificate found four days before its end is told of once") {
  Desk desk;
  CHECK(desk.check({ending(kNow + 3 * kDay)}).alarms.size() == 1);
  CHECK(desk.check({ending(kNow + 3 * kDay)}, kNow + kDay).alarms.empty());
}

TEST_CASE("watch: a warning is raised from a check just made alone") {
  Desk desk;
  const auto found = record_of(kDomain, kNow, {ending(kNow + 3 * kDay)});
  CHECK(desk.check(found, engine::kFreshCheck + 1).alarms.empty());
  CHECK(desk.check(found, engine::kFreshCheck).alarms.size() == 1);
}

TEST_CASE("watch: a warning is over once the certificate is renewed, or nobody asks") {
  Desk desk;
  desk.check({ending(kNow + 10 * kDay)});
  const auto renewed = desk.check({ending(kNow + 90 * kDay)});
  CHECK(kinds_of(renewed) == Kinds{WatchChangeKind::ExpiryOver});
  REQUIRE(renewed.alarms.size() == 1);
  CHECK(renewed.alarms[0].is_over);
  CHECK(desk.memory->warned_of == 0);
  desk.check({ending(kNow + 10 * kDay)});
  desk.level = asked(Level::Encrypt);
  CHECK(kinds_of(desk.check({ending(kNow + 10 * kDay)})) == Kinds{WatchChangeKind::ExpiryOver});
}

TEST_CASE("watch: no certificate is warned of where the level does not mind its end") {
  for (const auto level : {Level::May, Level::Encrypt, Level::Fingerprint}) {
    Desk desk;
    desk.level = asked(level, "AA:01");
    CHECK(desk.check({ending(kNow + 2 * kDay)}).alarms.empty());
  }
}

TEST_CASE("watch: where another host's certificate lasts, no delivery stops") {
  Desk desk;
  const auto step =
      desk.check({ending(kNow + 2 * kDay), ending(kNow + 99 * kDay, "mx2.partner.example")});
  REQUIRE(step.alarms.size() == 1);
  CHECK(step.alarms[0].text.ends_with("; mail would go on by way of mx2.partner.example"));
}

TEST_CASE("watch: the next check for a certificate's sake comes when a warning falls due") {
  Desk desk;
  const auto end = kNow + 100 * kDay;
  const auto next = [&](std::int64_t now) {
    const auto found = record_of(kDomain, now, {ending(end)});
    desk.check(found);
    return engine::next_expiry_check(*desk.memory, found, desk.level);
  };
  CHECK(next(kNow) == end - 60 * kDay);
  CHECK(next(end - 60 * kDay) == end - 13 * kDay);
  CHECK(next(end - 13 * kDay) == end - 4 * kDay);
  CHECK(next(end - 4 * kDay) == end + 1);
  desk.level = asked(Level::Encrypt);
  CHECK_FALSE(next(kNow).has_value());
}

TEST_CASE("watch: the first end is that of the certificate that ends first") {
  Desk desk;
  const auto step =
      desk.check({ending(kNow + 3 * kDay), ending(kNow + 1 * kDay + 1, "mx2.partner.example")});
  REQUIRE(step.alarms.size() == 1);
  CHECK(step.alarms[0].text ==
        "the certificate of mx2.partner.example ends in 1 day, 1970-04-12T00:00:01Z; mail would go "
        "on by way of mx.partner.example");
}

TEST_CASE("watch: another address of the same host may hold longer") {
  Desk desk;
  const auto step = desk.check({ending(kNow + 2 * kDay), ending(kNow + 9 * kDay)});
  REQUIRE(step.alarms.size() == 1);
  CHECK(step.alarms[0].text.ends_with("; that of another address of it holds longer"));
  CHECK(kinds_of(step) == Kinds{WatchChangeKind::ExpiryWarning});
  CHECK(desk.memory->hosts.at(0).issuers.size() == 1);
}

TEST_CASE("watch: one delivery a week is one delivery") {
  Desk desk;
  desk.weekly = 1;
  CHECK(desk.check({ending(kNow + 2 * kDay)})
            .alarms.at(0)
            .text.ends_with(": 1 delivery a week would stop"));
}

TEST_CASE("watch: a record without hosts, and one at fault, changes no host") {
  Desk desk;
  desk.check({good_peer(kHost)});
  CHECK(desk.check(record_of(kDomain, kNow + kDay, {})).changes.empty());
  auto failed = record_of(kDomain, kNow + kDay, {good_peer("other.example")});
  failed.fault = model::RouteFault::NullMx;
  CHECK(desk.check(failed).changes.empty());
  REQUIRE(desk.memory->hosts.size() == 1);
  CHECK(desk.memory->hosts[0].name == kHost);
}

TEST_CASE(
    "watch: hosts that only come, or only go, are named as such; who asks for TLS is alarmed") {
  Desk desk;
  desk.level = asked(Level::May);
  desk.check({good_peer("a.example")});
  const auto more = desk.check({good_peer("a.example"), good_peer("b.example")}, kNow + kDay);
  REQUIRE(more.changes.size() == 1);
  CHECK(more.changes[0].text ==
        "the MX hosts of partner.example have changed; learnt anew: b.example");
  CHECK(more.alarms.empty());
  desk.level = asked(Level::Encrypt);
  const auto less = desk.check({good_peer("b.example")}, kNow + 2 * kDay);
  REQUIRE(less.changes.size() == 1);
  CHECK(less.changes[0].text == "the MX hosts of partner.example have changed; gone: a.example");
  REQUIRE(less.alarms.size() == 1);
  CHECK(less.alarms[0].what == "mx-changed");
}

TEST_CASE("watch: two addresses that lost STARTTLS are one loss") {
  Desk desk;
  desk.level = asked(Level::Encrypt);
  desk.check({good_peer(kHost)});
  auto crossed = plain_peer(kHost, "192.0.2.2");
  crossed.is_crossed_out = true;
  const auto lost = desk.check({plain_peer(kHost), crossed}, kNow + kDay);
  REQUIRE(lost.changes.size() == 2);
  CHECK(lost.changes[0].after == "absent");
}

TEST_CASE("watch: another key is an alarm where it was pinned, and a note elsewhere") {
  for (const auto& [level, alarms] :
       {std::pair(std::optional(asked(Level::Fingerprint, "AA:01")), 2U),
        {std::optional(asked(Level::Fingerprint, "aa:01|aa:02")), 0U},
        {std::optional(asked(Level::Verify)), 0U},
        {std::optional<AskedLevel>(), 0U}}) {
    Desk desk;
    desk.level = level;
    desk.check({good_peer(kHost)});
    auto peer = good_peer(kHost);
    peer.pin = "AA:02";
    const auto step = desk.check({peer}, kNow + kDay);
    CHECK(step.alarms.size() == alarms);
    REQUIRE_FALSE(step.changes.empty());
    CHECK(step.changes[0].kind == WatchChangeKind::PinChanged);
  }
}

TEST_CASE("watch: no check is wanted where no row asks, and where no certificate was seen") {
  const auto found = record_of(kDomain, kNow, {plain_peer(kHost)});
  CHECK_FALSE(engine::next_expiry_check({}, found, std::nullopt).has_value());
  CHECK_FALSE(engine::next_expiry_check({}, found, asked(Level::Verify)).has_value());
}
