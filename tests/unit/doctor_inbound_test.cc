// What doctor says of smtpd's check_policy_service.
#include "tests/unit/doctor_rig.h"

using Catch::Matchers::ContainsSubstring;
using test::only_complaint;
using test::Rig;
using test::State;

namespace {

constexpr const char* kPolicyd = "unix:tlspolicyd/policyd.sock";

// An smtpd that asks us as the example has it, and one rule that asks for TLS.
Rig asking(const std::string& restrictions) {
  Rig rig;
  rig.ours.config.policyd_listen = {
      test::unix_listener("/var/spool/postfix/tlspolicyd/policyd.sock")};
  rig.add_service("smtpd", "smtpd", true);
  rig.instance().services.back().master.type = "inet";
  rig.set("smtpd_tls_security_level", "may");
  rig.set("smtpd_recipient_restrictions", restrictions);
  rig.ours.inbound.rules = 1;
  rig.connects(test::kEndpoint);
  rig.connects(kPolicyd);
  return rig;
}

const std::string kGood = std::string("check_policy_service { ") + kPolicyd +
                          ", default_action=DUNNO }, permit_mynetworks, reject_unauth_destination";

}  // namespace

TEST_CASE("doctor is content with the service before all permits") {
  const auto rig = asking(kGood);
  CHECK(rig.complaints("inbound").empty());
  CHECK(rig.complaints().empty());
}

TEST_CASE("doctor sees a permit in front of the service, and puts the service first") {
  const auto rig = asking(std::string("permit_mynetworks, check_policy_service { ") + kPolicyd +
                          ", default_action=DUNNO }, reject_unauth_destination");
  const auto found = only_complaint(rig, "inbound", State::Warning);
  CHECK_THAT(found.text, ContainsSubstring("permit_mynetworks stands before it"));
  CHECK_THAT(test::fix_of(found),
             ContainsSubstring("smtpd_recipient_restrictions=check_policy_service") ||
                 ContainsSubstring("smtpd_recipient_restrictions = check_policy_service"));
}

TEST_CASE("doctor asks for a default_action") {
  const auto rig =
      asking(std::string("check_policy_service ") + kPolicyd + ", reject_unauth_destination");
  CHECK_THAT(only_complaint(rig, "inbound", State::Warning).text,
             ContainsSubstring("no default_action"));
}

TEST_CASE("doctor sees that nobody can come with TLS") {
  auto rig = asking(kGood);
  rig.set("smtpd_tls_security_level", "");
  CHECK_THAT(only_complaint(rig, "inbound", State::Error).text,
             ContainsSubstring("smtpd_tls_security_level"));
  // Where there are no rules it is no business of ours.
  rig.ours.inbound.rules = 0;
  CHECK(rig.complaints().empty());
}

TEST_CASE("doctor sees that rules ask for certificates which smtpd doesn't ask for") {
  auto rig = asking(kGood);
  rig.ours.inbound.certificate_rules = 2;
  CHECK_THAT(only_complaint(rig, "inbound", State::Error).text, ContainsSubstring("2 rules"));
  rig.set("smtpd_tls_ask_ccert", "yes");
  CHECK(rig.complaints().empty());
}

TEST_CASE("doctor sees rules that no smtpd asks for") {
  auto rig = asking("reject_unauth_destination");
  CHECK_THAT(only_complaint(rig, "inbound", State::Warning).text,
             ContainsSubstring("no smtpd of this instance asks"));
  rig.ours.inbound.rules = 0;
  CHECK(rig.complaints().empty());
}
