// What a row and its profile say about fallbacks, with the defaults of DESIGN section 4 filled in.
// Values in, values out; whoever wants to know what holds now asks level_for().
#pragma once

#include <cstdint>
#include <string_view>

#include "src/model/level.h"
#include "src/model/next_hop.h"
#include "src/model/verdict.h"

namespace engine {

struct Rules {
  model::Level level = model::Level::Encrypt;
  model::Fallback fallback = model::Fallback::Never;
  model::Level first_contact = model::Level::May;
  model::Level downgrade_to = model::Level::May;
  // Seconds, but for attempts.
  std::int64_t attempts = 2;
  std::int64_t retry_after = 300;
  std::int64_t failure_memory = 86'400;
  std::int64_t downgrade_for = 3'600;
  std::int64_t downgrade_max = 86'400;
  std::int64_t remember_for = 2'592'000;  // 0 = for ever
  // False for bracketed, ported and literal next-hops whose own exact row doesn't say otherwise: a
  // relayhost would get the SASL password in clear.
  bool may_downgrade = false;
  // A match, trust anchors, protocols or ciphers of its own: a probe, which does as smtp(8) does by
  // default, doesn't show whether such a delivery succeeds.
  bool has_own_demands = false;
  std::string_view reroute_to;
  std::string_view rule;  // the row's destination

  bool operator==(const Rules&) const = default;
};

// `row` must have a profile. The views live as long as the row.
Rules rules_of(const model::PolicyRow& row, model::Step step, model::KeyKind kind);

// True where what is learned of a destination may lower the level, or has raised it.
[[nodiscard]] bool may_fall_back(model::Fallback fallback);

// True where the answer depends on what is remembered of the destination: such a row answers at
// least `encrypt` while that is not to be had.
[[nodiscard]] bool depends_on_state(const Rules& rules);

// At least `encrypt`: none and may are raised, every other level asks for more already.
[[nodiscard]] constexpr model::Level at_least_encrypt(model::Level level) {
  return level == model::Level::None || level == model::Level::May ? model::Level::Encrypt : level;
}

}  // namespace engine
