#include "src/app/ctl_profile_fault.h"

#include "tlsmap/policy_text.h"

namespace app::ctl {
namespace {

// As long as the shortest digest, MD5.
constexpr std::string_view kAnyPin = "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF";

}  // namespace

std::optional<std::string> find_profile_fault(const model::Profile& profile) {
  if (auto fault = model::find_contradiction(profile)) return fault;
  // A pin stands in where the level can't do without one; the rows bring their own.
  const bool needs_pin = profile.level == model::Level::Fingerprint;
  return tlsmap::find_policy_fault(profile, needs_pin ? kAnyPin : "");
}

}  // namespace app::ctl
