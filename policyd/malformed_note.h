// What the log is told of requests that were hung up on: of the first at once, of the others once a
// minute and all together, because a client that talks nonsense would fill the log. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "policyd/session.h"
#include "src/base/clock.h"

namespace policyd {

class MalformedNote {
 public:
  // The line that is due at `now`, if one is. Ask as often as you like.
  std::optional<std::string> next(const Counters& counters, base::SteadyPoint now);

 private:
  std::uint64_t told_ = 0;
  base::SteadyPoint told_at_{};
};

}  // namespace policyd
