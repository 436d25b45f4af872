// What the probes of one destination teach of mail to it: from what was seen at each address to the
// evidence that the state machine takes. Pure. Conservative both ways: success is what smtp(8)
// would meet first, failure is what it would meet everywhere, and whatever is not sure is nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "src/engine/probe_summary.h"
#include "src/engine/rules.h"
#include "src/engine/would_deliver.h"
#include "src/model/evidence.h"
#include "src/model/mail_route.h"
#include "src/model/probed_address.h"

namespace engine {

// One address behind a destination.
struct ProbedPlace {
  std::uint16_t preference = 0;
  std::string mx;  // "mx.example.com[192.0.2.1]:25"
  Expected expected;
  // Null: it was not probed, or its host has no address that we know.
  const model::ProbedAddress* seen = nullptr;
};

// What deliveries would come to, by how much they ask for; nothing where that is not sure.
struct ProbeFinding {
  std::optional<model::Outcome> encrypted;  // level encrypt
  std::optional<model::Outcome> verified;   // level verify
  std::optional<model::Outcome> secure;     // level secure, with its usual names
  bool was_offered = false;                 // by a host that smtp(8) would meet first
  std::string mx;                           // the first that was seen
  bool operator==(const ProbeFinding&) const = default;
};

// The places of a route: of each address, and one for a host whose addresses could not be asked
// for.
std::vector<ProbedPlace> places_of(const model::Route& route,
                                   std::span<const CheckedTarget> targets);

// `places` in order of preference. At each level the most preferred hosts of which anything is
// known decide: TLS works where none of them fails. It fails where every address of every host
// does, each for a reason of its own.
ProbeFinding find_what_mail_meets(std::span<const ProbedPlace> places);

// The evidence for a row; nothing where a probe can't tell: a pin, DANE, or rules that ask for more
// than what a probe tries. `at`: when, in seconds since the epoch.
std::optional<model::Evidence> evidence_for(const Rules* rules, const ProbeFinding& finding,
                                            std::int64_t at);

}  // namespace engine
