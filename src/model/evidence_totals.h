// How much evidence there was, by source and by what became of the delivery or the probe. Counts
// alone, of a fixed size: no destination, so it can be kept and sent as it stands.
#pragma once

#include <array>
#include <cstdint>

#include "src/model/cause.h"
#include "src/model/evidence.h"

namespace model {

struct EvidenceTotals {
  static constexpr std::size_t kOutcomes = kSecurities.size() * (kCauses.size() + 1);
  std::array<std::uint64_t, kSources.size() * kOutcomes> counts{};
  bool operator==(const EvidenceTotals&) const = default;

  static constexpr std::size_t place_of(Source source, const Outcome& outcome) {
    const std::size_t cause = outcome.cause ? static_cast<std::size_t>(*outcome.cause) + 1 : 0;
    return (static_cast<std::size_t>(source) * kSecurities.size() +
            static_cast<std::size_t>(outcome.security)) *
               (kCauses.size() + 1) +
           cause;
  }
  void add(Source source, const Outcome& outcome) { ++counts.at(place_of(source, outcome)); }

  // Calls `visit(source, outcome, count)` for each that is not 0.
  template <class Visit>
  void for_each(Visit visit) const {
    for (const Source source : kSources) {
      for (const Security security : kSecurities) {
        visit_one(source, {security, {}}, visit);
        for (const Cause cause : kCauses) visit_one(source, {security, cause}, visit);
      }
    }
  }

 private:
  template <class Visit>
  void visit_one(Source source, const Outcome& outcome, Visit& visit) const {
    const auto count = counts.at(place_of(source, outcome));
    if (count != 0) visit(source, outcome, count);
  }
};

}  // namespace model
