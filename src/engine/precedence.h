// The order in which rows are asked for a key: DESIGN section 4, "Precedence". The only place that
// knows it; judge(), `explain` and the tests walk the same table.
//
//   key                steps
//   example.com        itself > .com-wards parents, nearest first > *
//   .example.com       itself (Postfix walks the parents by itself: [F 2.1.3])
//   example.com:587    itself > without port > [*]
//   [host]:587         itself > without port > without brackets > [*]
//   [192.0.2.1]:25     itself > without port > without brackets > [*]
//   anything else      itself, but never the rows `*` and `[*]`
#pragma once

#include <string_view>

#include "src/model/next_hop.h"
#include "src/model/verdict.h"

namespace engine {

struct Candidate {
  model::Step step;
  std::string_view destination;  // points into the key's text or to a constant
};

inline constexpr std::string_view kAnyRow = "*";
inline constexpr std::string_view kAnyHostRow = "[*]";

// Calls `visit(Candidate)` for each step, strongest first, until it returns true; allocates
// nothing. Returns whether some call did.
template <class Visit>
bool walk_candidates(const model::Key& key, Visit visit) {
  using model::KeyKind;
  using model::Step;
  const std::string_view text = key.text;
  if (key.kind == KeyKind::Opaque && (text == kAnyRow || text == kAnyHostRow)) return false;
  if (visit(Candidate{Step::AsWritten, text})) return true;
  switch (key.kind) {
    case KeyKind::Domain:
      for (auto dot = text.find('.'); dot != text.npos; dot = text.find('.', dot + 1)) {
        if (visit(Candidate{Step::Parent, text.substr(dot)})) return true;
      }
      return visit(Candidate{Step::Any, kAnyRow});
    case KeyKind::PortedDomain: {
      const auto without_port = text.substr(0, text.rfind(':'));
      return visit(Candidate{Step::WithoutPort, without_port}) ||
             visit(Candidate{Step::AnyHost, kAnyHostRow});
    }
    case KeyKind::Host:
    case KeyKind::Literal: {
      const auto without_port = text.substr(0, text.rfind(']') + 1);
      return (without_port != text && visit(Candidate{Step::WithoutPort, without_port})) ||
             visit(Candidate{Step::WithoutBrackets, model::host_of(without_port)}) ||
             visit(Candidate{Step::AnyHost, kAnyHostRow});
    }
    case KeyKind::Parent:
    case KeyKind::Any:
    case KeyKind::AnyHost:
    case KeyKind::Opaque:
      return false;
  }
  return false;
}

}  // namespace engine
