// Whether smtpd(8) asks policyd_listen where rules for incoming mail can see it all.
#include <fmt/format.h>

#include <algorithm>

#include "src/app/doctor_checks.h"
#include "src/app/doctor_ours.h"
#include "src/app/doctor_smtpd.h"
#include "src/base/counted.h"
#include "src/base/text.h"

namespace app::doctor {
namespace {

class PlaceCheck {
 public:
  PlaceCheck(const Instance& instance, const OurSide& ours, const PolicyPlace& place,
             Findings& findings)
      : instance_(instance),
        service_(*place.service),
        ours_(ours),
        place_(place),
        note_(findings, "inbound", &instance, place.service),
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
    note_.fail(
        looked_at_,
        fmt::format("{} for a client certificate, which this smtpd doesn't ask for: nobody "
                    "can show one",
                    base::counted(ours_.inbound.certificate_rules, "rule asks", "rules ask")),
        {set_parameter(instance_, &service_, "smtpd_tls_ask_ccert", "yes")});
    return false;
  }

  const Instance& instance_;
  const Service& service_;
  const OurSide& ours_;
  const PolicyPlace& place_;
  Notes note_;
  std::string looked_at_;
};

}  // namespace

void check_inbound(const Instance& instance, const OurSide& ours, Findings& findings) {
  // Without rules all mail passes, wherever smtpd asks.
  if (ours.inbound.rules == 0) return;
  bool is_asked = false;
  for (const PolicyPlace& place : find_policy_places(instance, ours)) {
    if (place.is_submission()) continue;
    is_asked = true;
    PlaceCheck(instance, ours, place, findings).check();
  }
  const bool has_smtpd = std::any_of(instance.services.begin(), instance.services.end(),
                                     [](const Service& each) { return runs(each, "smtpd"); });
  if (is_asked || !has_smtpd) return;
  Notes(findings, "inbound", &instance)
      .warn("smtpd_recipient_restrictions",
            fmt::format("no smtpd of this instance asks policyd_listen, though the table inbound "
                        "has {} for TLS; postfix-examples/inbound-observe.cf shows "
                        "where check_policy_service must stand",
                        base::counted(ours.inbound.rules, "rule that asks", "rules that ask")));
}

}  // namespace app::doctor
