#include "policyd/malformed_note.h"

#include <fmt/format.h>

#include "src/base/counted.h"

namespace policyd {

std::optional<std::string> MalformedNote::next(const Counters& counters, base::SteadyPoint now) {
  constexpr std::chrono::minutes kAtMostEvery{1};
  const auto untold = counters.malformed - told_;
  if (untold == 0 || (told_ > 0 && now - told_at_ < kAtMostEvery)) return std::nullopt;
  told_ = counters.malformed;
  told_at_ = now;
  return fmt::format(
      "policyd_listen: {} hung up on, the last because of {}; Postfix does "
      "what default_action says. Does anything but check_policy_service talk to it?",
      base::counted(untold, "malformed request was", "malformed requests were"),
      counters.last_fault);
}

}  // namespace policyd
