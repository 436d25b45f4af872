// Which of the shipped profiles would deliver, as far as a probe can tell. Data only;
// engine/would_deliver decides it.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace model {

// Shipped profiles whose end a probe can tell, the mildest first. The others need DNS records, or
// are one of these under another name. Nothing: unknown.
struct WouldDeliver {
  std::optional<bool> off;
  std::optional<bool> opportunistic;  // by TLS, or in clear once its retries are over
  std::optional<bool> required;
  std::optional<bool> verified;
  std::optional<bool> secure;
  std::optional<bool> pinned;  // with the pin of this peer
  bool operator==(const WouldDeliver&) const = default;
};
struct ProfileAnswer {
  std::string_view profile;
  std::optional<bool> WouldDeliver::*answer;
};
inline constexpr std::array<ProfileAnswer, 6> kProfileAnswers{{
    {"off", &WouldDeliver::off},
    {"opportunistic", &WouldDeliver::opportunistic},
    {"required", &WouldDeliver::required},
    {"verified", &WouldDeliver::verified},
    {"secure", &WouldDeliver::secure},
    {"pinned", &WouldDeliver::pinned},
}};

}  // namespace model
