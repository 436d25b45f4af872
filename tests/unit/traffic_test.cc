#include "src/engine/traffic.h"

#include <string>
#include <vector>

#include "src/store/state_db.h"
#include "tests/unit/catch.h"
#include "tests/unit/database_files.h"

using engine::count_once;
using engine::Travelled;
using engine::travelled_of;
using model::Cause;
using model::HourOfMail;
using model::Outcome;
using model::Security;
using model::Source;
using store::StateDb;

namespace {

constexpr std::int64_t kHour = 3600;

HourOfMail hour_of(std::vector<model::MailCount> counts) {
  return {"", "peer.example", 10 * kHour, std::move(counts)};
}

const Outcome kNobodyKnows{Security::Unknown, {}};
const Outcome kInTls{Security::Encrypted, {}};
const Outcome kVerified{Security::Authenticated, {}};
const Outcome kInClear{Security::Clear, {}};
const Outcome kFellBack{Security::Clear, Cause::Plaintext};
const Outcome kHandshake{Security::Unknown, Cause::HandshakeFailure};

struct Rig {
  test::Folder folder;
  StateDb db = *StateDb::open_for_daemon(folder.path("state.db"));

  void count(std::string view, std::string destination, std::int64_t hour, Source source,
             Outcome outcome, std::int64_t count) {
    store::EvidenceCount one;
    one.view = std::move(view);
    one.destination = std::move(destination);
    one.hour = hour * kHour;
    one.source = source;
    one.outcome = outcome;
    one.is_trusted = true;
    one.count = count;
    REQUIRE_FALSE(db.add_counts({one}, {hour * kHour, 1}, hour * kHour));
  }
  // "hour destination sightings", in the order in which they came.
  std::vector<std::string> list(StateDb::MailOrder order, std::int64_t since, std::int64_t until,
                                std::string_view destination = {}, std::size_t most = 100) {
    std::vector<std::string> lines;
    const auto listed =
        db.list_mail(destination, since * kHour, until * kHour, order, [&](const HourOfMail& seen) {
          const auto name =
              seen.view.empty() ? seen.destination : seen.destination + "@" + seen.view;
          lines.push_back(std::to_string(seen.hour / kHour) + " " + name + " " +
                          std::to_string(seen.counts.size()));
          return lines.size() < most;
        });
    INFO((listed.ok() ? "" : listed.error()));
    REQUIRE(listed.ok());
    return lines;
  }
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("traffic: how a delivery ended, and a cause means that the mail stayed") {
  CHECK(travelled_of(kNobodyKnows) == Travelled::Unknown);
  CHECK(travelled_of(kInTls) == Travelled::Encrypted);
  CHECK(travelled_of(kVerified) == Travelled::Authenticated);
  CHECK(travelled_of(kInClear) == Travelled::Clear);
  CHECK(travelled_of(kFellBack) == Travelled::Clear);
  CHECK(travelled_of(kHandshake) == Travelled::Deferred);
  CHECK(travelled_of({Security::Encrypted, Cause::CertificateExpired}) == Travelled::Deferred);
  CHECK(travelled_of({Security::Clear, Cause::StarttlsNotSupported}) == Travelled::Deferred);
}

TEST_CASE("traffic: what the map and the log both saw is counted once, by who knows more") {
  const auto traffic = count_once(hour_of({{Source::Outcome, kNobodyKnows, true, 5},
                                           {Source::Maillog, kInTls, false, 3},
                                           {Source::Maillog, kFellBack, false, 2}}));
  CHECK(traffic.total() == 5);
  CHECK(traffic.encrypted == 3);
  CHECK(traffic.clear == 2);
  CHECK(traffic.count(Cause::Plaintext) == 2);
  CHECK(traffic.untrusted == 5);
}

TEST_CASE("traffic: of sources that know as much the one that saw more is believed, then the map") {
  auto traffic = count_once(hour_of({{Source::Outcome, kInTls, true, 3},
                                     {Source::Maillog, kInTls, false, 3},
                                     {Source::Maillog, kNobodyKnows, false, 1}}));
  CHECK(traffic.total() == 4);
  traffic = count_once(
      hour_of({{Source::Maillog, kInTls, false, 3}, {Source::Outcome, kVerified, true, 3}}));
  CHECK(traffic.authenticated == 3);
  CHECK(traffic.untrusted == 0);
}

TEST_CASE("traffic: a probe and a datagram are no deliveries") {
  const auto traffic = count_once(
      hour_of({{Source::Probe, kInTls, true, 9}, {Source::Tlsrpt, kHandshake, true, 9}}));
  CHECK(traffic == model::Traffic{});
}

TEST_CASE("traffic: causes are kept apart and add up") {
  model::Traffic sum;
  sum += count_once(hour_of({{Source::Outcome, kHandshake, true, 2}}));
  sum += count_once(hour_of({{Source::Outcome, kHandshake, true, 1},
                             {Source::Outcome, {Security::Unknown, Cause::HangUp}, true, 4}}));
  CHECK(sum.deferred == 7);
  CHECK(sum.count(Cause::HandshakeFailure) == 3);
  CHECK(sum.count(Cause::HangUp) == 4);
}

TEST_CASE("traffic: counters come hour by hour or destination by destination, each group once") {
  Rig rig;
  rig.count("", "a.example", 11, Source::Outcome, kInTls, 1);
  rig.count("", "a.example", 10, Source::Outcome, kInTls, 1);
  rig.count("", "a.example", 10, Source::Maillog, kInClear, 1);
  rig.count("", "b.example", 10, Source::Maillog, kInClear, 1);
  rig.count("tenant", "a.example", 10, Source::Maillog, kInClear, 1);
  rig.count("", "a.example", 10, Source::Probe, kInTls, 1);
  CHECK(rig.list(StateDb::MailOrder::ByHour, 0, 20) ==
        Lines{"10 a.example 2", "10 b.example 1", "10 a.example@tenant 1", "11 a.example 1"});
  CHECK(rig.list(StateDb::MailOrder::ByDestination, 0, 20) ==
        Lines{"10 a.example 2", "11 a.example 1", "10 b.example 1", "10 a.example@tenant 1"});
}

TEST_CASE("traffic: hours from since to before until, of one destination, as many as are wanted") {
  Rig rig;
  for (const std::int64_t hour : {9, 10, 11, 12}) {
    rig.count("", "a.example", hour, Source::Outcome, kInTls, 1);
    rig.count("", "b.example", hour, Source::Outcome, kInTls, 1);
  }
  const auto order = GENERATE(StateDb::MailOrder::ByHour, StateDb::MailOrder::ByDestination);
  CHECK(rig.list(order, 10, 12, "a.example") == Lines{"10 a.example 1", "11 a.example 1"});
  CHECK(rig.list(order, 9, 13, "a.example", 1) == Lines{"9 a.example 1"});
  CHECK(rig.list(order, 13, 99).empty());
}

TEST_CASE("traffic: where two sources know as much, the one that saw more counts") {
  engine::Sighting few{5, 2};
  engine::Sighting many{9, 6};
  CHECK(engine::tells_more(many, few));
  CHECK_FALSE(engine::tells_more(few, many));
  CHECK(engine::tells_more({4, 0}, many));
}
