#include "src/app/doctor_smtpd.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <utility>

#include "src/app/doctor_ours.h"
#include "src/base/text.h"

namespace app::doctor {
namespace {

constexpr std::array kRestrictions{"smtpd_client_restrictions",     "smtpd_helo_restrictions",
                                   "smtpd_sender_restrictions",     "smtpd_relay_restrictions",
                                   "smtpd_recipient_restrictions",  "smtpd_data_restrictions",
                                   "smtpd_end_of_data_restrictions"};

// What ends a list with "yes" before we are asked [F 5.3.2].
bool is_permit(std::string_view word) {
  return word == "permit" || word.starts_with("permit_");
}

// Of "{ unix:x, timeout=10s, { policy_context = submission }}" the context [F 5.4.1].
std::string_view find_context(std::string_view spec, std::string_view otherwise) {
  bool is_next = false;
  for (const auto word : base::split(spec, " \t\r\n,{}=")) {
    if (is_next) return word;
    is_next = word == "policy_context";
  }
  return otherwise;
}

std::optional<PolicyPlace> find_place(const Instance& instance, const Service& service,
                                      const OurSide& ours, const char* parameter) {
  PolicyPlace place;
  place.service = &service;
  place.parameter = parameter;
  std::vector<std::string> before;
  std::vector<std::string> behind;
  bool is_next = false;
  const auto list = instance.value(service, parameter);
  const auto& listeners = ours.config.policyd_listen;
  for (const auto part : tlsmap::split_list(list)) {
    if (!place.spec.empty()) {
      behind.emplace_back(part);
    } else if (std::exchange(is_next, false)) {
      const auto found = tlsmap::find_policy_services(fmt::format("check_policy_service {}", part));
      if (!found.empty() && (is_served(listeners, instance, service, found.front()) ||
                             is_meant(listeners, found.front()))) {
        place.spec = part;
        before.pop_back();
      } else {
        before.emplace_back(part);
      }
    } else {
      is_next = base::is_equal_ignoring_case(part, "check_policy_service");
      if (is_permit(part)) place.permits.emplace_back(part);
      before.emplace_back(part);
    }
  }
  if (place.spec.empty()) return std::nullopt;
  place.context =
      find_context(place.spec, instance.value(service, "smtpd_policy_service_policy_context"));
  std::vector<std::string> all{"check_policy_service " + place.spec};
  all.insert(all.end(), before.begin(), before.end());
  all.insert(all.end(), behind.begin(), behind.end());
  place.repaired = base::join(all, ", ");
  return place;
}

}  // namespace

bool PolicyPlace::is_behind_recipients() const {
  return parameter == "smtpd_data_restrictions" || parameter == "smtpd_end_of_data_restrictions";
}

std::vector<PolicyPlace> find_policy_places(const Instance& instance, const OurSide& ours) {
  std::vector<PolicyPlace> places;
  for (const Service& service : instance.services) {
    if (!runs(service, "smtpd")) continue;
    for (const char* parameter : kRestrictions) {
      if (auto place = find_place(instance, service, ours, parameter)) {
        places.push_back(std::move(*place));
      }
    }
  }
  return places;
}

}  // namespace app::doctor
