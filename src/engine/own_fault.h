// "Them or us?": when many unrelated hosts lose STARTTLS at once, or their capabilities come back
// as X's, our own network strips it. Pure. Counted as a freeze counts: names that belong to one
// owner are one, and so are hosts of one network (model/unrelated.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/model/probe_record.h"
#include "src/model/watch_memory.h"

namespace engine {

struct OwnFaultLimits {
  std::int64_t names = 5;
  std::int64_t share = 20;          // per cent of the names checked within the window
  std::int64_t window = 6 * 3'600;  // seconds: checks are spread over the day
};

// What the last check of a host showed that had offered STARTTLS before.
struct OfferCheck {
  std::string_view host;
  std::string_view address;
  // Seconds since the epoch: of the check, and since when it lacks; 0: it does not.
  std::int64_t at = 0;
  std::int64_t lost_since = 0;
  bool is_crossed_out = false;
};

struct OwnFault {
  std::int64_t lost = 0;         // names, no more than there are networks
  std::int64_t crossed_out = 0;  // of these
  std::int64_t checked = 0;      // names
  std::int64_t since = 0;        // the first of the losses
  std::string text;              // one sentence
};
// Nothing where it is they, not us.
std::optional<OwnFault> find_own_fault(std::span<const OfferCheck> checks,
                                       const OwnFaultLimits& limits, std::int64_t now);

// The checks in a record, of hosts that have offered STARTTLS. `memory` is what watch() made of it;
// the views live as long as both.
std::vector<OfferCheck> offer_checks_of(const model::ProbeRecord& record,
                                        const model::WatchMemory& memory);

// The last checks of many hosts.
class OfferBook {
 public:
  static constexpr std::size_t kMost = 100'000;  // hosts; a further one is not counted

  // A check that was made, or is remembered from before a restart; `memory` is what watch() made of
  // it.
  void take(const model::ProbeRecord& record, const model::WatchMemory& memory);
  std::optional<OwnFault> find(const OwnFaultLimits& limits, std::int64_t now);
  // Of the last find(): hosts that offered STARTTLS before and were checked within the window.
  [[nodiscard]] std::size_t size() const { return hosts_.size(); }

  // What is to be said at `now`: that the fault began or is over, once; that it lasts, every
  // kSayAgain seconds. Nothing otherwise.
  static constexpr std::int64_t kSayAgain = 600;
  struct Word {
    bool is_ours = false;
    bool is_new = false;
    std::string text;
  };
  std::optional<Word> look(const OwnFaultLimits& limits, std::int64_t now);

 private:
  struct Seen {
    std::string address;
    std::int64_t at = 0;
    std::int64_t lost_since = 0;
    bool is_crossed_out = false;
  };
  std::map<std::string, Seen, std::less<>> hosts_;
  std::optional<std::int64_t> said_at_;  // that it is ours
};

}  // namespace engine
