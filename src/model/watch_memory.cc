#include "src/model/watch_memory.h"

namespace model {

std::string_view to_word(WatchChangeKind kind) {
  switch (kind) {
    case WatchChangeKind::ComplianceLost:
      return "compliance-lost";
    case WatchChangeKind::ComplianceRegained:
      return "compliance-regained";
    case WatchChangeKind::MxChanged:
      return "mx-changed";
    case WatchChangeKind::StarttlsVanished:
      return "starttls-vanished";
    case WatchChangeKind::StarttlsBack:
      return "starttls-back";
    case WatchChangeKind::IssuerChanged:
      return "issuer-changed";
    case WatchChangeKind::PinChanged:
      return "pin-changed";
    case WatchChangeKind::ExpiryWarning:
      return "expiry-warning";
    case WatchChangeKind::ExpiryOver:
      return "expiry-over";
  }
  return "";
}

std::optional<WatchChangeKind> parse_watch_change_kind(std::string_view word) {
  for (const WatchChangeKind each : kWatchChangeKinds) {
    if (to_word(each) == word) return each;
  }
  return std::nullopt;
}

}  // namespace model
