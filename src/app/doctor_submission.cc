// Whether senders who must be sure of TLS are: smtpd(8) asks about them where nothing permits
// before, and what they send goes by a transport that never sends in clear.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "src/app/doctor_checks.h"
#include "src/app/doctor_ours.h"
#include "src/app/doctor_smtpd.h"
#include "src/base/counted.h"
#include "src/base/text.h"
#include "tlsmap/session.h"

namespace app::doctor {
namespace {

using tlsmap::Table;

constexpr const char* kSenderTransports = "sender_dependent_default_transport_maps";
constexpr const char* kPolicyMaps = "smtp_tls_policy_maps";
constexpr const char* kSecurityLevel = "smtp_tls_security_level";
constexpr std::string_view kLocalFirst = "permit_auth_destination";

std::string name_rules(const OurSide& ours) {
  return "the table submission has " + base::counted(ours.submission.rules, "row");
}

void check_place(const Instance& instance, const PolicyPlace& place, Findings& findings) {
  Notes note(findings, "submission", &instance, place.service);
  const auto looked_at =
      fmt::format("check_policy_service, policy_context={} in {}", place.context, place.parameter);
  const bool judges_recipients = place.context == "submission";
  // Mail that stays here or goes to relay_domains is no matter of TLS.
  std::vector<std::string> wrong;
  for (const auto& permit : place.permits) {
    if (!judges_recipients || permit != kLocalFirst) wrong.push_back(permit);
  }
  if (!wrong.empty()) {
    return note.fail(looked_at,
                     fmt::format("{} stands before it: the mail of such senders is never judged by "
                                 "the table submission",
                                 base::join(wrong, ", ")),
                     {set_parameter(instance, place.service, place.parameter, place.repaired)});
  }
  if (judges_recipients && place.is_behind_recipients()) {
    return note.fail(looked_at,
                     "of a message with several recipients none is known there, so it is let pass; "
                     "it belongs into smtpd_recipient_restrictions");
  }
  note.ok(looked_at, "it stands before every permit that would let such mail pass unjudged");
}

// What trivial-rewrite(8) asks about senders.
void check_sender_transport(const Instance& instance, const OurSide& ours, Findings& findings) {
  for (const Service& service : instance.services) {
    if (!runs(service, "trivial-rewrite")) continue;
    const auto list = tlsmap::parse_tables(instance.value(service, kSenderTransports));
    const auto tables = find_our_tables(ours.config, instance, service, list);
    Notes note(findings, "submission", &instance, &service);
    const auto looked_at = describe(instance, &service, kSenderTransports);
    // Another map of ours in its place is a matter of the check "names".
    if (!tables.empty()) {
      const bool is_first = tables.front().place == 0;
      if (is_first) continue;
      note.warn(looked_at, "another table is asked before: whom it answers for may send in clear");
      continue;
    }
    const auto others = instance.written_value(&service, kSenderTransports);
    const auto wanted = fmt::format("socketmap:{}:sender-transport{}{}",
                                    best_endpoint(ours.config, instance, service).text,
                                    others.empty() ? "" : ", ", others);
    note.fail(looked_at,
              fmt::format("{}, but map sender-transport isn't asked: what sendmail(1) takes, and "
                          "what fails once it was accepted, may go in clear",
                          name_rules(ours)),
              {set_parameter(instance, &service, kSenderTransports, wanted)});
  }
}

bool asks_sender_transport(const Instance& instance, const OurSide& ours) {
  return std::any_of(
      instance.services.begin(), instance.services.end(), [&](const Service& service) {
        if (!runs(service, "trivial-rewrite")) return false;
        const auto list = tlsmap::parse_tables(instance.value(service, kSenderTransports));
        const auto tables = find_our_tables(ours.config, instance, service, list);
        return std::any_of(tables.begin(), tables.end(), [](const OurTable& table) {
          return table.name && table.name->table == Table::SenderTransport;
        });
      });
}

// No level at which smtp(8) may go on in clear for a destination without a row.
bool is_tls_only(std::string_view level) {
  constexpr std::array<std::string_view, 5> kMandatory{"encrypt", "dane-only", "fingerprint",
                                                       "verify", "secure"};
  return std::find(kMandatory.begin(), kMandatory.end(), level) != kMandatory.end();
}

std::string strict_map(const Instance& instance, const Service& service, const OurSide& ours) {
  return fmt::format("socketmap:{}:strict", best_endpoint(ours.config, instance, service).text);
}

void check_strict_service(const Instance& instance, const Service& service, const OurSide& ours,
                          Findings& findings) {
  Notes note(findings, "submission", &instance, &service);
  const auto table = policy_table_of(ours.config, instance, service);
  bool is_well = true;
  if (!table || !table->name || table->name->table != Table::Strict) {
    is_well = false;
    note.fail(describe(instance, &service, kPolicyMaps),
              "mail of senders who must be sure of TLS goes by this service, which doesn't ask map "
              "strict first: rows at none and may would be sent in clear",
              {set_override(instance, service, kPolicyMaps, strict_map(instance, service, ours))});
  }
  const auto level = instance.value(service, kSecurityLevel);
  if (!is_tls_only(level)) {
    is_well = false;
    note.fail(describe(instance, &service, kSecurityLevel),
              "mail of senders who must be sure of TLS goes by this service; to destinations "
              "without a row it may send in clear",
              {set_override(instance, service, kSecurityLevel, "encrypt")});
  }
  if (is_well) note.ok(service.key(), "it never sends in clear");
}

void check_strict_transport(const Instance& instance, const OurSide& ours, Findings& findings) {
  const auto name = tlsmap::kTlsOnlyTransport.substr(0, tlsmap::kTlsOnlyTransport.find(':'));
  for (const Service& service : instance.services) {
    if (service.master.name != name || service.master.type != "unix") continue;
    return check_strict_service(instance, service, ours, findings);
  }
  Service wanted;
  wanted.master = {std::string(name), "unix", "y", "smtp", {}};
  wanted.is_chrooted = true;
  Notes(findings, "submission", &instance)
      .fail(
          fmt::format("{} in master.cf", name),
          "map sender-transport names it for senders who must be sure of TLS, and it isn't there: "
          "their mail waits",
          {add_service(instance, fmt::format("{}={} unix - - y - - smtp", wanted.key(), name)),
           set_override(instance, wanted, kPolicyMaps, strict_map(instance, wanted, ours)),
           set_override(instance, wanted, kSecurityLevel, "encrypt")});
}

}  // namespace

void check_submission(const Instance& instance, const OurSide& ours, Findings& findings) {
  if (ours.submission.rules == 0) return;
  const auto places = find_policy_places(instance, ours);
  for (const auto& place : places) {
    if (place.is_submission()) check_place(instance, place, findings);
  }
  const bool has_smtpd = std::any_of(instance.services.begin(), instance.services.end(),
                                     [](const Service& each) { return runs(each, "smtpd"); });
  // Whoever logs in is known by that, too, wherever we are asked.
  if (places.empty() && has_smtpd) {
    Notes(findings, "submission", &instance)
        .warn("smtpd_recipient_restrictions",
              fmt::format("no smtpd of this instance asks policyd_listen, though {}; "
                          "postfix-examples/submission.master.cf shows where check_policy_service "
                          "must stand",
                          name_rules(ours)));
  }
  if (ours.submission.tls_only_rules > 0) check_sender_transport(instance, ours, findings);
  if (asks_sender_transport(instance, ours)) check_strict_transport(instance, ours, findings);
}

}  // namespace app::doctor
