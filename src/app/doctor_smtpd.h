// Where smtpd(8) asks policyd_listen: what the checks of incoming and of submitted mail share.
// Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/app/doctor_host.h"

namespace app::doctor {

// One list of one service, with our check_policy_service in it.
struct PolicyPlace {
  const Service* service = nullptr;
  std::string parameter{};
  std::string spec{};                  // of the policy service, braces and options with it
  std::string context{};               // its policy_context, or what main.cf says for all
  std::vector<std::string> permits{};  // in front of it
  std::string repaired{};              // the list with ours in front of them
  [[nodiscard]] bool is_submission() const { return context.starts_with("submission"); }
  // A list that is worked through when the recipients of a message are known no more [F 5.2.7].
  [[nodiscard]] bool is_behind_recipients() const;
};

// All of an instance, in the order of master.cf and of smtpd's lists.
std::vector<PolicyPlace> find_policy_places(const Instance& instance, const OurSide& ours);

}  // namespace app::doctor
