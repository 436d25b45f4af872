// Which destinations are worth a probe: those with a row that asks for TLS, and those that mail
// went to lately, with what is known of them. Reads the policy image and state.db; decides nothing
// about when.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "src/base/result.h"
#include "src/engine/rules.h"
#include "src/engine/watch_verdict.h"
#include "src/image/reader.h"
#include "src/model/destination_state.h"
#include "src/store/state_db.h"
#include "src/wire/net_message.h"

namespace app {

// As many as the schedule takes; rows come first.
inline constexpr std::size_t kMostWatched = 500'000;
// So long a destination that got mail is watched without a row of its own.
inline constexpr std::int64_t kWatchedAfterMail = 7 * 86'400;

// `image` may be null, while there is no policy.
base::Result<std::vector<wire::WatchedRecord>> make_watch_list(const image::Image* image,
                                                               store::StateDb& db,
                                                               std::int64_t now);

// How long after a failure of mail to `destination` the next try comes, by its row: seconds.
std::int64_t find_retry_after(const image::Image* image, std::string_view destination,
                              std::int64_t now);

// What its row asks for, also where it is only observed; nothing without one.
std::optional<engine::AskedLevel> find_asked(const image::Image* image,
                                             std::string_view destination, std::int64_t now);

// The newest failure that mail saw and TLS has not worked since; 0 = none.
std::int64_t last_mail_failure(const model::DestinationState& state);

[[nodiscard]] inline bool is_away(const model::DestinationState& state) {
  return state.phase == model::Phase::Downgraded || state.phase == model::Phase::Rerouted;
}

}  // namespace app
