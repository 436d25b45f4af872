// Whether smtpd(8) asks policyd_listen where rules for incoming mail can see it all.
#include <fmt/format.h>

#include <array>
#include <optional>
#include <utility>

#include "src/app/doctor_checks.h"
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

// One list of one service, with our place in it.
struct Place {
  std::string parameter{};
  std::string spec{};                  // of the service, braces and options with it
  std::vector<std::string> permits{};  // in front of it
  std::string repaired{};              // the list with ours in front of them
};

std::optional<Place> find_place(const Instance& instance, const Service& service,
                                const OurSide& ours, const char* parameter) {
  Place place;
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
  std::vector<std::string> all{"check_policy_service " + place.spec};
  all.insert(all.end(), before.begin(), before.end());
  all.insert(all.end(), behind.begin(), behind.end());
  place.repaired = base::join(all, ", ");
  return place;
}

class PlaceCheck {
 public:
  PlaceCheck(const Instance& instance, const Service& service, const OurSide& ours,
             const Place& place, Findings& findings)
      : instance_(instance),
        service_(service),
        ours_(ours),
        place_(place),
        note_(findings, "inbound", &instance, &service),
        looked_at_(fmt::format("check_policy_service in {}", place.parameter)) {}

  void check() {
    bool is_well = true;
    is_well = check_order() && is_well;
    is_well = check_default_action() && is_well;
    is_well = check_tls() && is_well;
    is_well = check_certificates() && is_well;
    if (is_well) note_.ok(looked_at_, "it stands before every permit, with a default_action");
  }

 private:
  bool check_order() {
    if (place_.permits.empty()) return true;
    note_.warn(looked_at_,
               fmt::format("{} stands before it: such mail is never judged by the table inbound",
                           base::join(place_.permits, ", ")),
               {set_parameter(instance_, &service_, place_.parameter, place_.repaired)});
    return false;
  }

  bool check_default_action() {
    if (place_.spec.find("default_action") != std::string::npos) return true;
    note_.warn(looked_at_,
               "it names no default_action: while tlspolicyd is away all mail is put off with 451 "
               "4.3.5, a second after each question. Say which you mean: default_action=DUNNO lets "
               "mail pass unjudged, DEFER_IF_PERMIT lets it wait");
    return false;
  }

  bool check_tls() {
    const auto level = instance_.value(service_, "smtpd_tls_security_level");
    const bool is_wrapper = is_yes(instance_.value(service_, "smtpd_tls_wrappermode"));
    if ((!level.empty() && level != "none") || is_wrapper) return true;
    note_.fail(looked_at_,
               "smtpd_tls_security_level is not set, so nobody can come with TLS and every "
               "rule that asks for it is violated",
               {set_parameter(instance_, &service_, "smtpd_tls_security_level", "may")});
    return false;
  }

  bool check_certificates() {
    if (ours_.inbound.certificate_rules == 0 ||
        is_yes(instance_.value(service_, "smtpd_tls_ask_ccert")) ||
        is_yes(instance_.value(service_, "smtpd_tls_req_ccert"))) {
      return true;
    }
    note_.fail(looked_at_,
               fmt::format("{} rules ask for a client certificate, which this smtpd doesn't ask "
                           "for: nobody can show one",
                           ours_.inbound.certificate_rules),
               {set_parameter(instance_, &service_, "smtpd_tls_ask_ccert", "yes")});
    return false;
  }

  const Instance& instance_;
  const Service& service_;
  const OurSide& ours_;
  const Place& place_;
  Notes note_;
  std::string looked_at_;
};

}  // namespace

void check_inbound(const Instance& instance, const OurSide& ours, Findings& findings) {
  // Without rules all mail passes, wherever smtpd asks.
  if (ours.inbound.rules == 0) return;
  bool is_asked = false;
  bool has_smtpd = false;
  for (const Service& service : instance.services) {
    if (!runs(service, "smtpd")) continue;
    has_smtpd = true;
    for (const char* parameter : kRestrictions) {
      const auto place = find_place(instance, service, ours, parameter);
      if (!place) continue;
      is_asked = true;
      PlaceCheck(instance, service, ours, *place, findings).check();
    }
  }
  if (is_asked || !has_smtpd) return;
  Notes(findings, "inbound", &instance)
      .warn("smtpd_recipient_restrictions",
            fmt::format("no smtpd of this instance asks policyd_listen, though the table inbound "
                        "has {} rules that ask for TLS; postfix-examples/inbound-observe.cf shows "
                        "where check_policy_service must stand",
                        ours.inbound.rules));
}

}  // namespace app::doctor
