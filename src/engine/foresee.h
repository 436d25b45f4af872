// What would have become of a delivery, had the row been enforced. Pure; decides nothing, and says
// "unknown" wherever the delivery as it really went does not show it.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "src/model/cause.h"
#include "src/model/observation.h"

namespace engine {

enum class Foreseen : std::uint8_t {
  Passed,   // TLS was as good as the row asks
  Waited,   // it was not: the mail would have stayed in the queue
  Bounced,  // the same under fallback `bounce`: the sender would have been told
  Unknown,  // nobody saw whether TLS was used, or whose certificate it was
};

Foreseen foresee(const model::Asked& asked, const model::Outcome& outcome);

// How the delivery really ended. Failed: over TLS, and not by our row.
enum class Ending : std::uint8_t { Tls, Clear, Unknown, Failed };
[[nodiscard]] Ending ending_of(const model::Outcome& outcome);

}  // namespace engine
