// What doctor says of the ways of submitted mail: smtpd's questions, and the TLS-only transport.
#include "tests/unit/doctor_rig.h"

using Catch::Matchers::ContainsSubstring;
using test::only_complaint;
using test::Rig;
using test::State;

namespace {

constexpr const char* kPolicyd = "unix:tlspolicyd/policyd.sock";
const std::string kClientPlace =
    std::string("check_policy_service { ") + kPolicyd + ", policy_context=submission-client }";
const std::string kPlace =
    std::string("check_policy_service { ") + kPolicyd + ", policy_context=submission }";
const std::string kStrict = std::string("socketmap:") + test::kEndpoint + ":strict";
const std::string kSenderTransport =
    std::string("socketmap:") + test::kEndpoint + ":sender-transport";

struct Ways {
  std::string sender = kClientPlace;
  std::string recipient = "permit_auth_destination, " + kPlace;
  std::string sender_transport = kSenderTransport;
  bool has_strict = true;
  tlsmap::Parameters strict{{"smtp_tls_policy_maps", kStrict},
                            {"smtp_tls_security_level", "encrypt"}};
};

// A host as submission.cf and submission.master.cf make it, and two rows, one of them observing.
Rig submitting(const Ways& ways) {
  Rig rig;
  rig.ours.config.policyd_listen = {
      test::unix_listener("/var/spool/postfix/tlspolicyd/policyd.sock")};
  rig.add_service("submission", "smtpd", true,
                  {{"smtpd_sender_restrictions", ways.sender},
                   {"smtpd_recipient_restrictions", ways.recipient}});
  rig.instance().services.back().master.type = "inet";
  rig.add_service("rewrite", "trivial-rewrite", true);
  if (!ways.sender_transport.empty()) {
    rig.set("sender_dependent_default_transport_maps", ways.sender_transport);
  }
  if (ways.has_strict) {
    rig.add_service("smtp-strict", "smtp", true, ways.strict);
  }
  rig.ours.submission.rules = 2;
  rig.ours.submission.tls_only_rules = 1;
  rig.connects(test::kEndpoint);
  rig.connects(kPolicyd);
  return rig;
}

test::Finding only_word(const Ways& ways, State state) {
  return only_complaint(submitting(ways), "submission", state);
}

}  // namespace

TEST_CASE("doctor is content with submission as the example has it") {
  const auto rig = submitting({});
  CHECK(rig.complaints().empty());
  std::size_t well = 0;
  for (const auto& each : rig.examine()) well += each.check == "submission" ? 1U : 0U;
  CHECK(well == 3);
}

TEST_CASE("doctor sees permits in front of the questions about submitted mail") {
  for (const std::string permit :
       {"permit_sasl_authenticated", "permit_mynetworks", "permit_tls_clientcerts", "permit"}) {
    INFO(permit);
    Ways ways;
    ways.recipient = permit + ", " + kPlace + ", reject";
    const auto found = only_word(ways, State::Error);
    CHECK_THAT(found.text, ContainsSubstring(permit + " stands before it"));
    CHECK(found.service == "submission/inet");
    CHECK_THAT(test::fix_of(found),
               ContainsSubstring("postconf -P 'submission/inet/smtpd_recipient_restrictions = "
                                 "check_policy_service,{unix:tlspolicyd/policyd.sock,"));
  }
}

TEST_CASE("doctor names the line of master.cf where no command can write it") {
  Ways ways;
  ways.recipient = std::string("permit, check_policy_service { ") + kPolicyd +
                   ", policy_context=submission, { default_action = DEFER try again }}";
  CHECK(test::fix_of(only_word(ways, State::Error)) ==
        "/etc/postfix/master.cf: submission/inet: -o { smtpd_recipient_restrictions = "
        "check_policy_service { unix:tlspolicyd/policyd.sock, policy_context=submission, "
        "{ default_action = DEFER try again }}, permit }");
}

TEST_CASE("doctor lets recipients of this host pass first, but not the sender's connection") {
  Ways ways;
  ways.sender = "permit_auth_destination, " + kClientPlace;
  const auto found = only_word(ways, State::Error);
  CHECK_THAT(found.text, ContainsSubstring("permit_auth_destination stands before it"));
  CHECK_THAT(found.looked_at, ContainsSubstring("policy_context=submission-client"));
}

TEST_CASE("doctor sees a question that comes when the recipients are known no more") {
  Ways ways;
  ways.recipient = "permit";
  auto rig = submitting(ways);
  auto& service = rig.instance().services[1];
  (*service.effective)["smtpd_end_of_data_restrictions"] = kPlace;
  rig.connects(kPolicyd);
  CHECK_THAT(only_complaint(rig, "submission", State::Error).text,
             ContainsSubstring("smtpd_recipient_restrictions"));
}

TEST_CASE("doctor reads a context with blanks in braces, and the one in main.cf") {
  Ways ways;
  ways.recipient = std::string("permit_mynetworks, check_policy_service { ") + kPolicyd +
                   ", { policy_context = submission } }";
  CHECK_THAT(only_word(ways, State::Error).looked_at,
             ContainsSubstring("policy_context=submission"));
  ways.recipient = std::string("permit_mynetworks, check_policy_service ") + kPolicyd;
  auto rig = submitting(ways);
  (*rig.instance().services[1].effective)["smtpd_policy_service_policy_context"] = "submission";
  CHECK_THAT(only_complaint(rig, "submission", State::Error).text,
             ContainsSubstring("permit_mynetworks"));
}

TEST_CASE("doctor sees that map sender-transport isn't asked") {
  Ways ways;
  ways.sender_transport.clear();
  const auto found = only_word(ways, State::Error);
  CHECK_THAT(found.text, ContainsSubstring("2 rows"));
  CHECK(test::fix_of(found) ==
        "postconf -e 'sender_dependent_default_transport_maps = " + kSenderTransport + "'");
  // What else a sender's table means for the rows is said by the check "relayhost".
  ways.sender_transport = "hash:/etc/postfix/sender_transport";
  auto found_others = submitting(ways).complaints("submission");
  REQUIRE(found_others.size() == 1);
  CHECK(test::fix_of(found_others.front()) ==
        "postconf -e 'sender_dependent_default_transport_maps = " + kSenderTransport +
            ", hash:/etc/postfix/sender_transport'");
  ways.sender_transport += ", " + kSenderTransport;
  found_others = submitting(ways).complaints("submission");
  REQUIRE(found_others.size() == 1);
  CHECK(found_others.front().state == State::Warning);
  CHECK_THAT(found_others.front().text, ContainsSubstring("asked before"));
  // Senders that are observed alone send as they did.
  ways.sender_transport.clear();
  auto rig = submitting(ways);
  rig.ours.submission.tls_only_rules = 0;
  CHECK(rig.complaints().empty());
}

TEST_CASE("doctor sees that the TLS-only transport is missing, or isn't one") {
  Ways ways;
  ways.has_strict = false;
  const auto missing = only_word(ways, State::Error);
  CHECK_THAT(missing.text, ContainsSubstring("it isn't there"));
  CHECK(test::fix_of(missing) ==
        "postconf -M 'smtp-strict/unix=smtp-strict unix - - y - - smtp'\n"
        "postconf -P 'smtp-strict/unix/smtp_tls_policy_maps = " +
            kStrict +
            "'\n"
            "postconf -P 'smtp-strict/unix/smtp_tls_security_level = encrypt'");
  ways.has_strict = true;
  ways.strict["smtp_tls_policy_maps"] = std::string("socketmap:") + test::kEndpoint + ":policy";
  const auto loose = only_word(ways, State::Error);
  CHECK_THAT(loose.text, ContainsSubstring("map strict"));
  CHECK(test::fix_of(loose) ==
        "postconf -P 'smtp-strict/unix/smtp_tls_policy_maps = " + kStrict + "'");
  ways.strict["smtp_tls_policy_maps"] = kStrict;
  for (const std::string level : {"may", "dane", "none", ""}) {
    INFO(level);
    ways.strict["smtp_tls_security_level"] = level;
    CHECK_THAT(only_word(ways, State::Error).text, ContainsSubstring("without a row"));
  }
}

TEST_CASE("doctor sees rows of submission that no smtpd asks about") {
  Ways ways;
  ways.sender = ways.recipient = "reject_unauth_destination";
  CHECK_THAT(only_word(ways, State::Warning).text,
             ContainsSubstring("no smtpd of this instance asks policyd_listen"));
  auto rig = submitting(ways);
  rig.ours.submission = {};
  CHECK(rig.complaints("submission").empty());
}

TEST_CASE("doctor takes questions about submitted mail for no question about incoming mail") {
  auto rig = submitting({});
  rig.ours.inbound.rules = 1;
  const auto found = rig.complaints("inbound");
  REQUIRE(found.size() == 1);
  CHECK_THAT(found.front().text, ContainsSubstring("no smtpd of this instance asks"));
}
