#include "src/engine/probe_evidence.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace engine {
namespace {

using model::Cause;
using model::ChainTrust;
using model::Outcome;
using model::Security;

// Why a certificate that was asked for a name does not do; of the session, not of the mail.
Cause fault_of(const model::SeenTls& tls) {
  switch (tls.trust) {
    case ChainTrust::Trusted:
      return tls.is_fit_to_authenticate ? Cause::CertificateHostMismatch : Cause::ValidationFailure;
    case ChainTrust::Expired:
      return Cause::CertificateExpired;
    case ChainTrust::SelfSigned:
    case ChainTrust::UntrustedIssuer:
    case ChainTrust::Incomplete:
      return Cause::CertificateNotTrusted;
    case ChainTrust::NotYetValid:
    case ChainTrust::TooWeak:
    case ChainTrust::Faulty:
    case ChainTrust::NoCertificate:
      return Cause::ValidationFailure;
  }
  return Cause::ValidationFailure;
}

// What a delivery over one address would come to.
std::optional<Outcome> outcome_at(const ProbedPlace& place,
                                  std::optional<bool> WouldDeliver::*level) {
  if (place.seen == nullptr) return std::nullopt;
  const auto would = would_deliver(*place.seen, place.expected);
  if (!(would.*level)) return std::nullopt;
  if (!*would.required) return place.seen->outcome;
  if (level == &WouldDeliver::required) return Outcome{Security::Encrypted, std::nullopt};
  if (would.*level == true) return Outcome{Security::Authenticated, std::nullopt};
  return Outcome{Security::Encrypted, fault_of(*place.seen->tls)};
}

// The places of the most preferred hosts of which `is_known` holds for one at least.
template <class IsKnown>
std::span<const ProbedPlace> first_known(std::span<const ProbedPlace> places, IsKnown is_known) {
  for (std::size_t begin = 0, end = 0; begin < places.size(); begin = end) {
    while (end < places.size() && places[end].preference == places[begin].preference) ++end;
    const auto group = places.subspan(begin, end - begin);
    if (std::any_of(group.begin(), group.end(), is_known)) return group;
  }
  return {};
}

std::optional<Outcome> outcome_of(std::span<const ProbedPlace> places,
                                  std::optional<bool> WouldDeliver::*level) {
  const auto is_known = [&](const auto& place) { return outcome_at(place, level).has_value(); };
  std::optional<Outcome> success;
  bool is_mixed = false;
  for (const auto& place : first_known(places, is_known)) {
    const auto outcome = outcome_at(place, level);
    is_mixed = is_mixed || (outcome && outcome->cause);
    if (outcome && !outcome->cause) success = outcome;
  }
  if (success) return is_mixed ? std::nullopt : success;
  const bool is_failing_everywhere =
      !places.empty() && std::all_of(places.begin(), places.end(), [&](const auto& place) {
        const auto outcome = outcome_at(place, level);
        return outcome && outcome->cause;
      });
  return is_failing_everywhere ? outcome_at(places.front(), level) : std::nullopt;
}

}  // namespace

std::vector<ProbedPlace> places_of(const model::Route& route,
                                   std::span<const CheckedTarget> targets) {
  std::vector<ProbedPlace> places;
  for (const auto& host : route.hosts) {
    const auto expected = expected_of(route, host.name);
    // Of one that has none nobody expects anything.
    if (host.fault && model::is_unknown(*host.fault)) {
      places.push_back({host.preference, host.name, expected, nullptr});
    }
    for (const auto& [target, seen, refused] : targets) {
      if (target.host != host.name) continue;
      auto mx =
          fmt::format("{}[{}]:{}", host.name, model::address_text(target.address), target.port);
      places.push_back({host.preference, std::move(mx), expected, seen});
    }
  }
  return places;
}

ProbeFinding find_what_mail_meets(std::span<const ProbedPlace> places) {
  ProbeFinding finding;
  finding.encrypted = outcome_of(places, &WouldDeliver::required);
  finding.verified = outcome_of(places, &WouldDeliver::verified);
  finding.secure = outcome_of(places, &WouldDeliver::secure);
  const auto has_spoken = [](const auto& place) {
    return place.seen != nullptr && place.seen->has_spoken;
  };
  const auto first = first_known(places, has_spoken);
  finding.was_offered =
      !first.empty() && std::all_of(first.begin(), first.end(), [&](const auto& place) {
        return !has_spoken(place) || place.seen->was_offered;
      });
  const auto seen = std::find_if(places.begin(), places.end(),
                                 [](const auto& place) { return place.seen != nullptr; });
  if (seen != places.end()) finding.mx = seen->mx;
  return finding;
}

std::optional<model::Evidence> evidence_for(const Rules* rules, const ProbeFinding& finding,
                                            std::int64_t at) {
  model::Evidence evidence;
  evidence.source = model::Source::Probe;
  evidence.is_trusted = true;
  evidence.was_offered = finding.was_offered;
  evidence.at = at;
  evidence.mx = finding.mx;
  evidence.text = "a probe of every mail host";
  const auto level = rules == nullptr ? model::Level::Encrypt : rules->level;
  const bool is_encryption_enough =
      level == model::Level::None || level == model::Level::May || level == model::Level::Encrypt;
  auto outcome = is_encryption_enough            ? finding.encrypted
                 : level == model::Level::Verify ? finding.verified
                 : level == model::Level::Secure ? finding.secure
                                                 : std::nullopt;
  const bool asks_for_more = rules != nullptr && rules->has_own_demands;
  if (asks_for_more || (!is_encryption_enough && !outcome)) {
    // Where there is no TLS at all, none of a kind of its own can be had either.
    const bool is_absent = finding.encrypted && finding.encrypted->cause;
    outcome = is_absent ? finding.encrypted : std::nullopt;
  }
  if (!outcome && !evidence.was_offered) return std::nullopt;
  if (outcome) evidence.outcome = *outcome;
  return evidence;
}

}  // namespace engine
