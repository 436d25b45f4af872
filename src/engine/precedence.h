// The order in which rows are asked for a key: DESIGN section 4, "Precedence". The only place that
// knows it; judge(), `explain` and the tests walk the same table.
//
//   key                steps
//   example.com        itself > .com-wards parents, nearest first > *
//   .example.com       itself (Postfix walks the parents by itself: [F 2.1.3])
//   example.com:587    itself > without port > [*]
//   [host]:587         itself > without port > without brackets > [*]
//   [192.0.2.1]:25     itself > without port > without brackets > [*]
//   anything else      itself
#pragma once

#include <array>
#include <string_view>

#include "src/model/next_hop.h"
#include "src/model/verdict.h"

namespace engine {

struct Candidate {
  model::Step step;
  std::string_view destination;  // points into the key's text or to a constant
};

// Calls `visit(Candidate)` for each step, strongest first, until it returns true; allocates nothing.
// Returns whether some call did.
template <class Visit>
bool walk_candidates(const model::Key& key, Visit visit);

}  // namespace engine
