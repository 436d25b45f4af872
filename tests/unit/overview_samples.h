// Overviews to render: of a service that is well, one in every trouble, one at the bounds of all
// lists, and one whose every text is an attack.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "src/model/overview.h"

namespace samples {

using model::Cause;
using model::Overview;
using model::Security;
using model::Source;

inline constexpr std::int64_t kNow = 1'795'371'630;  // 2026-11-22T18:20:30Z
inline constexpr std::int64_t kMinute = 60;
inline constexpr std::int64_t kHour = 3600;
inline constexpr std::int64_t kDay = 24 * kHour;

// Text in an element, an attribute, a script and a terminal; control bytes, and what isn't UTF-8.
inline std::string hostile_text() {
  using std::string_literals::operator""s;
  return "</td></title></style><script>alert(\"1\")</script>' "
         "onload='x&amp;\x1b[31m\x00\x7f\xff\xc3("
         "\xE2\x80\xAE\nbank.example"s;
}

inline std::vector<Overview::Hour> day(std::uint64_t clear, std::uint64_t deferred) {
  std::vector<Overview::Hour> hours;
  const std::int64_t running = kNow / kHour * kHour;
  for (std::uint64_t i = 0; i < Overview::kTrafficHours; ++i) {
    Overview::Hour hour;
    hour.start = running - static_cast<std::int64_t>(Overview::kTrafficHours - 1 - i) * kHour;
    const auto of_day = static_cast<std::uint64_t>(hour.start / kHour % 24);
    const std::uint64_t busy = of_day < 7 || of_day > 19
                                   ? 20 + of_day * 3 % 17
                                   : 260 - (of_day > 13 ? of_day - 13 : 13 - of_day) * 24;
    hour.authenticated = busy * 5 / 4;
    hour.encrypted = busy * 2 + of_day * 7 % 31;
    hour.unknown = busy / 11;
    hour.clear = i > 12 ? clear * (i - 8) / 9 : clear / 8;
    hour.deferred = i > 16 ? deferred * (i - 14) / 6 : 0;
    if (i + 1 == Overview::kTrafficHours) {
      hour.authenticated /= 3;
      hour.encrypted /= 3;
    }
    hours.push_back(hour);
  }
  return hours;
}

inline Overview well() {
  Overview o;
  o.at = kNow - 2;
  o.host = "mail.example.com";
  o.version = "0.1.0";
  o.mode = "enforce";
  o.image = Overview::Image{"9f2c4e11a07bd35c", kNow - 3 * kHour - 12 * kMinute, 1204, 0, 12, 7, 3};
  o.policy_state = "live";
  o.roles = {{"answer", 4211, 0},
             {"store", 4212, 0},
             {"ingest", 4213, 0},
             {"net", 4214, 1},
             {"http", 4215, 0}};
  o.answers = {{"policy", "OK", 48211},
               {"policy", "NOTFOUND", 91544},
               {"outcome", "NOTFOUND", 139688},
               {"strict", "OK", 1204}};
  o.latency = {182340, 71022, 20411, 5120, 1404, 330, 20, 0, 0, 0};
  o.latency_sum = 4.81;
  o.connections = 14;
  o.policyd_requests = 20412;
  o.evidence = {{Source::Outcome, {Security::Encrypted, std::nullopt}, 48100},
                {Source::Maillog, {Security::Authenticated, std::nullopt}, 47018},
                {Source::Outcome, {Security::Unknown, std::nullopt}, 91012},
                {Source::Probe, {Security::Authenticated, std::nullopt}, 220}};
  o.orphans = 31;
  o.drops = {{"answer", 0}, {"ingest", 0}, {"net", 0}, {"tlsrpt-tee", 0}};
  o.phases = {{"normal", 3120}, {"downgraded", 0}, {"rerouted", 0}, {"probation", 0}, {"trial", 0}};
  o.certificates = {
      {"bank.example", "mx1.bank.example", kNow + 41 * kDay + 3 * kHour, "Example Trust Root R4"},
      {"insurance.example", "mail.insurance.example", kNow + 58 * kDay, "Let us Sign E7"},
      {"clinic.example", "mx.clinic.example", kNow + 71 * kDay, "Let us Sign E7"}};
  o.certificates_by_days = {0, 0, 0, 0, 2, 1, 9};
  o.traffic = day(0, 0);
  o.decisions = {
      {41, kNow - 4 * kDay, "restore", "old.example.net", "may", "encrypt", "delivery", 0},
      {40, kNow - 4 * kDay - kHour, "downgrade", "old.example.net", "encrypt", "may",
       "2 failures 300 s apart", kNow - 4 * kDay}};
  o.checks = Overview::Checks{12, 220, 3, 260, 0, 12, 0, 0};
  return o;
}

inline Overview trouble() {
  Overview o = well();
  o.host = "mx-out-03.frankfurt.relay.example.com";
  o.troubles = {
      "policy.db can't be used: database disk image is malformed. The policy of 15:08 is in force; "
      "restore "
      "the file from a backup, then look at tlspolicyctl status.",
      "outbound zulieferer.example: profile \"requird\" doesn't exist. Its mail waits until the "
      "row is mended.",
      "The mail log /var/log/mail.log can't be read: permission denied. Give group adm to "
      "tlspolicyd."};
  o.troubles_left_out = 2;
  o.image->faulty_rows = 1;
  o.policy_state = "trouble";
  o.policy_waits_since = kNow - 25 * kMinute;
  o.roles[3] = {"net", 0, 17};
  o.drops = {{"answer", 0}, {"ingest", 1203}, {"net", 0}, {"tlsrpt-tee", 4}};
  o.is_log_missing = true;
  o.latency[9] = 9000;
  o.malformed = 3;
  o.untrusted = 12;
  o.evidence.push_back({Source::Outcome, {Security::Unknown, Cause::HandshakeFailure}, 44});
  o.evidence.push_back({Source::Probe, {Security::Encrypted, Cause::CertificateExpired}, 3});
  o.evidence.push_back({Source::Outcome, {Security::Clear, Cause::StarttlsNotSupported}, 18});
  o.phases = {{"normal", 3120}, {"downgraded", 2}, {"rerouted", 1}, {"probation", 1}, {"trial", 0}};
  o.downgrades = {
      {"zulieferer.example", "", "downgraded", "encrypt", "may", kNow - 12 * kMinute,
       kNow + 48 * kMinute, "2 failures 300 s apart: handshake failure", 14},
      {"praxis-am-marktplatz.example", "tenant1", "rerouted", "encrypt", "", kNow - 2 * kHour,
       kNow + 22 * kHour, "STARTTLS is not offered any more", 3},
      {"a-very-long-name-that-nobody-would-like-to-type.departments.of-a-large-organisation."
       "xn--mller-kva.example",
       "", "probation", "encrypt", "may", kNow - 5 * kHour, 0, "expiry", 1204}};
  o.downgrades_total = 3;
  o.partners = {
      {"bank.example", "mx2.bank.example", "certificate-expired",
       "The certificate ended 3 days ago.", kNow - 3 * kDay, 212},
      {"zulieferer.example", "", "handshake-failure", "The peer breaks off the handshake.",
       kNow - 20 * kMinute, 44},
      {"verein.example", "mail.hosting-for-small-associations.example", "starttls-not-supported",
       "STARTTLS was offered until yesterday.", kNow - kDay, 0}};
  o.partners_total = 57;
  o.certificates = {
      {"bank.example", "mx2.bank.example", kNow - 3 * kDay, "Example Trust Root R4"},
      {"court.example", "mx.court.example", kNow + 5 * kHour, "State Signing Authority 2"},
      {"school.example", "mail.school.example", kNow + 6 * kDay, "Let us Sign E7"},
      {"insurance.example", "mail.insurance.example", kNow + 58 * kDay, "Let us Sign E7"}};
  o.certificates_by_days = {1, 1, 1, 0, 1, 0, 8};
  o.traffic = day(64, 90);
  o.decisions.insert(
      o.decisions.begin(),
      {{44, kNow - 12 * kMinute, "downgrade", "zulieferer.example", "encrypt", "may",
        "2 failures 300 s apart", kNow + 48 * kMinute},
       {43, kNow - 2 * kHour, "reroute", "praxis-am-marktplatz.example", "encrypt", "",
        "STARTTLS is not offered any more", kNow + 22 * kHour},
       {42, kNow - 3 * kHour, "panic", "", "", "", "an admin switched to enforce", 0}});
  o.checks = Overview::Checks{12, 220, 3, 260, 2, 8, 3, 1};
  return o;
}

// Well as a service; partners aren't.
inline Overview exceptions() {
  Overview o = trouble();
  const Overview good = well();
  o.troubles.clear();
  o.troubles_left_out = 0;
  o.roles = good.roles;
  o.policy_state = good.policy_state;
  o.policy_waits_since = 0;
  o.image = good.image;
  o.is_log_missing = false;
  return o;
}

inline Overview full() {
  Overview o = trouble();
  const auto name = [](std::size_t i) {
    return fmt::format("{}.{}.{}.example", std::string(63, 'a'), std::string(63, 'b'), i);
  };
  o.troubles.assign(model::kMostShownTroubles, std::string(400, 'w'));
  o.troubles_left_out = ~std::uint64_t{0} / 2;
  o.downgrades.clear();
  for (std::size_t i = 0; i < model::kMostShownDowngrades; ++i) {
    o.downgrades.push_back({name(i), std::string(64, 'v'), "downgraded", "encrypt", "none",
                            kNow - kDay, kNow + kDay, std::string(300, 'x'),
                            static_cast<std::int64_t>(~std::uint64_t{0} >> 1U)});
  }
  o.downgrades_total = ~std::uint64_t{0};
  o.partners.clear();
  for (std::size_t i = 0; i < model::kMostShownPartners; ++i) {
    o.partners.push_back({name(i), name(i), "certificate-host-mismatch", std::string(300, 'y'),
                          kNow - kDay, ~std::uint64_t{0}});
  }
  o.partners_total = 1'000'000;
  o.certificates.clear();
  for (std::size_t i = 0; i < model::kMostShownCertificates; ++i) {
    o.certificates.push_back(
        {name(i), name(i), kNow + static_cast<std::int64_t>(i) * kDay, std::string(200, 'z')});
  }
  o.decisions.clear();
  for (std::size_t i = 0; i < model::kMostShownDecisions; ++i) {
    o.decisions.push_back({static_cast<std::int64_t>(i), kNow, "starttls-vanished", name(i),
                           "encrypt", "may", std::string(300, 'd'), kNow + kDay});
  }
  for (auto& hour : o.traffic) hour = {hour.start, ~std::uint64_t{0}, 1, ~std::uint64_t{0}, 3, 4};
  return o;
}

// Every text of it is `bad`.
inline Overview made_of(const std::string& bad) {
  Overview o = trouble();
  o.host = o.version = o.mode = o.policy_state = bad;
  o.troubles = {bad, bad};
  o.image->digest = bad;
  o.roles = {{bad, 1, 0}, {bad, 0, 3}};
  o.answers = {{bad, bad, 5}, {bad, "OK", 6}, {"bank.example", "OK", 7}};
  o.drops = {{bad, 3}};
  o.phases = {{bad, 1}};
  o.downgrades = {{bad, bad, bad, bad, bad, -1, ~std::int64_t{0}, bad, -5}};
  o.partners = {{bad, bad, bad, bad, -kNow, 1}};
  o.certificates = {{bad, bad, 1, bad}};
  o.decisions = {{-1, -1, bad, bad, bad, bad, bad, -1}};
  for (auto& hour : o.traffic) hour.start = -1;
  o.latency_sum = -1;
  return o;
}

inline Overview hostile() {
  return made_of(hostile_text());
}

}  // namespace samples
