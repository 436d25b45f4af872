#include "src/engine/traffic.h"

#include <algorithm>

namespace engine {
namespace {

void add(model::Traffic& traffic, const model::MailCount& seen) {
  switch (travelled_of(seen.outcome)) {
    case Travelled::Authenticated:
      traffic.authenticated += seen.count;
      break;
    case Travelled::Encrypted:
      traffic.encrypted += seen.count;
      break;
    case Travelled::Clear:
      traffic.clear += seen.count;
      break;
    case Travelled::Unknown:
      traffic.unknown += seen.count;
      break;
    case Travelled::Deferred:
      traffic.deferred += seen.count;
      break;
  }
  if (seen.outcome.cause) {
    traffic.causes.at(static_cast<std::size_t>(*seen.outcome.cause)) += seen.count;
  }
  if (!seen.is_trusted) traffic.untrusted += seen.count;
}

}  // namespace

bool tells_more(const Sighting& one, const Sighting& other) {
  const auto known = [](const Sighting& seen) { return seen.deliveries - seen.unknown; };
  if (known(one) != known(other)) return known(one) > known(other);
  return one.deliveries > other.deliveries;
}

Travelled travelled_of(const model::Outcome& outcome) {
  // Postfix 3.11 says tls=none of mail that was put off too: the cause tells that it stayed.
  if (outcome.cause && *outcome.cause != model::Cause::Plaintext) return Travelled::Deferred;
  if (outcome.cause) return Travelled::Clear;
  switch (outcome.security) {
    case model::Security::Unknown:
      return Travelled::Unknown;
    case model::Security::Clear:
      return Travelled::Clear;
    case model::Security::Encrypted:
      return Travelled::Encrypted;
    case model::Security::Authenticated:
      return Travelled::Authenticated;
  }
  return Travelled::Unknown;
}

model::Traffic count_once(const model::HourOfMail& seen) {
  std::array<model::Traffic, model::kSources.size()> by_source{};
  for (const auto& one : seen.counts) {
    if (!model::is_mail(one.source)) continue;
    add(by_source.at(static_cast<std::size_t>(one.source)), one);
  }
  return *std::max_element(by_source.begin(), by_source.end(), [](const auto& a, const auto& b) {
    return tells_more({b.total(), b.unknown}, {a.total(), a.unknown});
  });
}

}  // namespace engine
