#include <cerrno>

#include "tests/unit/doctor_rig.h"

using app::doctor::Reach;
using Catch::Matchers::ContainsSubstring;
using test::fix_of;
using test::only_complaint;
using test::Rig;
using test::State;

namespace {

const std::string kMap = std::string("socketmap:") + test::kEndpoint + ":policy";
const std::string kOutcome = std::string("socketmap:") + test::kEndpoint + ":outcome";
const std::string kSetMap =
    "postconf -e 'smtp_tls_policy_maps = socketmap:unix:tlspolicyd/tlsmap.sock:policy'";
const std::string kSetOutcome =
    "postconf -e 'smtp_delivery_status_filter = socketmap:unix:tlspolicyd/tlsmap.sock:outcome, "
    "$default_delivery_status_filter'";

}  // namespace

TEST_CASE("doctor: a host that is set up right has no complaint, and every check speaks") {
  const Rig rig;
  CHECK(rig.complaints().empty());
  for (const auto* check : {"config", "daemon", "policy", "instance", "maps", "names", "outcome",
                            "sockets", "relayhost", "fallback-relay", "connection-cache",
                            "tls-required", "ca-store", "delay-warning", "dane", "files"}) {
    const auto found = rig.examine();
    INFO(check);
    CHECK(std::any_of(found.begin(), found.end(),
                      [&](const auto& each) { return each.check == check; }));
  }
}

TEST_CASE("doctor: smtp(8) that does not ask us is an error, with the line that makes it ask") {
  Rig rig;
  rig.set("smtp_tls_policy_maps", "");
  CHECK(fix_of(only_complaint(rig, "maps", State::Error)) == kSetMap);
  rig.set("smtp_tls_policy_maps", "hash:/etc/postfix/tls_policy");
  CHECK(fix_of(only_complaint(rig, "maps", State::Error)) ==
        "postconf -e 'smtp_tls_policy_maps = socketmap:unix:tlspolicyd/tlsmap.sock:policy, "
        "hash:/etc/postfix/tls_policy'");
}

TEST_CASE("doctor: a transport of its own that asks nobody is named, unless it is mandatory") {
  Rig rig;
  rig.add_service("out", "smtp", true, {{"smtp_tls_policy_maps", ""}});
  const auto found = only_complaint(rig, "maps", State::Error);
  CHECK(found.service == "out/unix");
  CHECK(fix_of(found) ==
        "postconf -P 'out/unix/smtp_tls_policy_maps = "
        "socketmap:unix:tlspolicyd/tlsmap.sock:policy'");
  rig.ours.policy->uses.clear();
  only_complaint(rig, "maps", State::Warning);

  Rig mandatory;
  mandatory.add_service("out", "smtp", true,
                        {{"smtp_tls_policy_maps", ""}, {"smtp_tls_security_level", "encrypt"}});
  CHECK(mandatory.complaints().empty());
}

TEST_CASE("doctor: a transport for a content filter need not ask") {
  Rig rig;
  rig.add_service("filter", "smtp", true, {{"smtp_tls_policy_maps", ""}});
  rig.set("content_filter", "filter:[127.0.0.1]:10024");
  CHECK(rig.complaints().empty());
}

TEST_CASE("doctor: the order of the tables counts") {
  Rig rig;
  rig.set("smtp_tls_policy_maps", kMap + ", hash:/etc/postfix/tls_policy");
  CHECK(rig.complaints().empty());
  rig.set("smtp_tls_policy_maps", "hash:/etc/postfix/tls_policy, " + kMap);
  CHECK(fix_of(only_complaint(rig, "maps", State::Warning)) ==
        "postconf -e 'smtp_tls_policy_maps = socketmap:unix:tlspolicyd/tlsmap.sock:policy, "
        "hash:/etc/postfix/tls_policy'");
  rig.set("smtp_tls_policy_maps", "static:may, " + kMap);
  only_complaint(rig, "maps", State::Error);
  rig.set("smtp_tls_policy_maps", kMap + ", " + kMap);
  CHECK(fix_of(only_complaint(rig, "maps", State::Warning)) == kSetMap);
}

TEST_CASE("doctor: a map for a newer Postfix than the installed one is an error") {
  Rig rig;
  rig.set("smtp_tls_policy_maps", kMap + "-3.10");
  CHECK(rig.complaints().empty());
  rig.set("smtp_tls_policy_maps", kMap + "-3.11");
  CHECK_THAT(fix_of(only_complaint(rig, "names", State::Error)),
             ContainsSubstring(":policy-3.10'"));
  rig.set("smtp_tls_policy_maps", kMap + "-3.10");
  rig.set("smtp_connection_cache_on_demand", "no");
  rig.set_version("3.7.11", {3, 7, 11});
  CHECK_THAT(fix_of(only_complaint(rig, "names", State::Error)), ContainsSubstring(":policy-3.7'"));
}

TEST_CASE("doctor: postfix_version newer than the installed one is an error of our configuration") {
  Rig rig;
  rig.ours.config.postfix_version = {3, 10, 13};
  CHECK(rig.complaints().empty());
  rig.ours.config.postfix_version = {3, 11, 0};
  CHECK(fix_of(only_complaint(rig, "names", State::Error)) ==
        "/etc/tlspolicyd/tlspolicyd.conf: postfix_version = 3.10");
}

TEST_CASE("doctor: a name that is no policy map is an error") {
  for (const auto* name : {"polcy", "outcome", "transport", "tls"}) {
    Rig rig;
    rig.set("smtp_tls_policy_maps", std::string("socketmap:") + test::kEndpoint + ":" + name);
    INFO(name);
    CHECK(fix_of(only_complaint(rig, "names", State::Error)) == kSetMap);
  }
}

TEST_CASE("doctor: proxy: is an error, and a view survives the mending") {
  Rig rig;
  rig.add_service("proxymap", "proxymap", false);
  rig.connects(test::kEndpoint);
  rig.set("smtp_tls_policy_maps", "proxy:" + kMap + "@one");
  rig.set("smtp_delivery_status_filter", kOutcome + "@one, $default_delivery_status_filter");
  const auto fix = fix_of(only_complaint(rig, "names", State::Error));
  CHECK(fix == "postconf -e 'smtp_tls_policy_maps = " + kMap + "@one'");
}

TEST_CASE("doctor: the outcome stands at the same address, in the same view, not behind proxy:") {
  Rig rig;
  rig.set("smtp_delivery_status_filter", "$default_delivery_status_filter");
  CHECK(fix_of(only_complaint(rig, "outcome", State::Warning)) == kSetOutcome);
  for (const auto& wrong :
       {std::string("socketmap:unix:/var/spool/postfix/tlspolicyd/tlsmap.sock:outcome"),
        kOutcome + "@other", "proxy:" + kOutcome, kMap}) {
    rig.set("smtp_delivery_status_filter", wrong + ", $default_delivery_status_filter");
    INFO(wrong);
    const auto found = rig.complaints("outcome");
    REQUIRE(found.size() == 1);
    CHECK(found.front().state == State::Error);
    CHECK(fix_of(found.front()) == kSetOutcome);
  }
}

TEST_CASE("doctor: the outcome's table is shown as it stands in main.cf") {
  Rig rig;
  for (const auto& each : rig.examine()) {
    if (each.check != "outcome") continue;
    CHECK(each.looked_at == "smtp_delivery_status_filter = " + kOutcome +
                                ", $default_delivery_status_filter (main.cf)");
  }
}

TEST_CASE("doctor: $default_delivery_status_filter is kept behind the outcome") {
  Rig rig;
  rig.set("smtp_delivery_status_filter", kOutcome);
  CHECK(fix_of(only_complaint(rig, "outcome", State::Warning)) == kSetOutcome);
  rig.set("default_delivery_status_filter", "regexp:/etc/postfix/dsn");
  CHECK(fix_of(only_complaint(rig, "outcome", State::Error)) == kSetOutcome);
  rig.write("smtp_delivery_status_filter", kOutcome + ", $default_delivery_status_filter",
            kOutcome + ", regexp:/etc/postfix/dsn");
  CHECK(rig.complaints().empty());
  rig.set("smtp_delivery_status_filter",
          "hash:/x, " + kOutcome + " $default_delivery_status_filter");
  CHECK_THAT(fix_of(only_complaint(rig, "outcome", State::Warning)),
             ContainsSubstring("hash:/x, $default_delivery_status_filter'"));
}

TEST_CASE("doctor: an outcome map for every transport is an error") {
  Rig rig;
  rig.write("default_delivery_status_filter", kOutcome, kOutcome);
  CHECK(fix_of(only_complaint(rig, "outcome", State::Error)) ==
        "postconf -e 'default_delivery_status_filter ='");
}

TEST_CASE("doctor: an absolute socket path does not lead out of a chroot") {
  Rig rig;
  rig.ours.config.tlsmap_listen = {test::unix_listener("/run/tlspolicyd/tlsmap.sock"),
                                   test::inet_listener("127.0.0.1", 8460)};
  const std::string wrong = "unix:/run/tlspolicyd/tlsmap.sock";
  rig.set("smtp_tls_policy_maps", "socketmap:" + wrong + ":policy");
  rig.set("smtp_delivery_status_filter",
          "socketmap:" + wrong + ":outcome, $default_delivery_status_filter");
  rig.reach(wrong, {Reach::Outcome::Failed, ENOENT, "No such file or directory"});
  const auto found = rig.complaints("sockets");
  REQUIRE(found.size() == 2);
  CHECK(found[0].state == State::Error);
  CHECK_THAT(found[0].text, ContainsSubstring("runs chrooted in /var/spool/postfix"));
  CHECK(fix_of(found[0]) ==
        "postconf -e 'smtp_tls_policy_maps = socketmap:inet:127.0.0.1:8460:policy'");
  rig.ours.config.tlsmap_listen.pop_back();
  CHECK_THAT(fix_of(rig.complaints("sockets")[0]),
             ContainsSubstring("tlsmap_listen = unix:/run/tlspolicyd/tlsmap.sock, "
                               "unix:/var/spool/postfix/tlspolicyd/tlsmap.sock"));

  // The same without a chroot is right.
  rig.instance().services.front().is_chrooted = false;
  rig.connects(wrong);
  CHECK(rig.complaints().empty());
}

TEST_CASE("doctor: a socket that user postfix may not open is an error with its permissions") {
  Rig rig;
  rig.reach(test::kEndpoint, {Reach::Outcome::Failed, EACCES, "Permission denied"});
  CHECK_THAT(fix_of(rig.complaints("sockets").front()),
             ContainsSubstring("chgrp postfix /var/spool/postfix/tlspolicyd/tlsmap.sock"));
  rig.add_file("/var/spool/postfix/tlspolicyd", 0700, 500, 500);
  CHECK(fix_of(rig.complaints("sockets").front()) == "chmod o+x /var/spool/postfix/tlspolicyd");
}

TEST_CASE("doctor: with the daemon down that is one error, and the sockets are skipped") {
  Rig rig;
  rig.ours.daemon = {false, true, "it can't be reached"};
  rig.reach(test::kEndpoint, {Reach::Outcome::Failed, ECONNREFUSED, "Connection refused"});
  const auto found = rig.complaints();
  REQUIRE(found.size() == 3);
  CHECK(found[0].check == "daemon");
  CHECK(found[0].state == State::Error);
  CHECK(found[1].state == State::Skipped);
  CHECK(found[2].state == State::Skipped);
  // Up, and yet nobody listens: a listener that waits for a restart.
  rig.ours.daemon.is_up = true;
  CHECK(rig.complaints("sockets").front().state == State::Error);
}

TEST_CASE("doctor: what was not tried is skipped, not passed") {
  Rig rig;
  rig.reach(test::kEndpoint, {Reach::Outcome::NotTried, 0, "only root can become user postfix"});
  const auto found = rig.complaints();
  REQUIRE(found.size() == 2);
  CHECK(found.front().state == State::Skipped);
  CHECK_THAT(found.front().text, ContainsSubstring("only root"));
}

TEST_CASE("doctor: a host name for the socket is no address to a chroot") {
  Rig rig;
  rig.ours.config.tlsmap_listen = {test::inet_listener("127.0.0.1", 8460)};
  for (const auto* endpoint : {"inet:localhost:8460", "inet:127.0.0.1:8460"}) {
    rig.set("smtp_tls_policy_maps", std::string("socketmap:") + endpoint + ":policy");
    rig.set("smtp_delivery_status_filter",
            std::string("socketmap:") + endpoint + ":outcome, $default_delivery_status_filter");
    rig.connects(endpoint);
    const auto found = rig.complaints("sockets");
    INFO(endpoint);
    if (endpoint == std::string("inet:127.0.0.1:8460")) {
      CHECK(rig.complaints().empty());
      continue;
    }
    REQUIRE(found.size() == 2);
    CHECK(found[0].state == State::Warning);
    CHECK(fix_of(found[0]) ==
          "postconf -e 'smtp_tls_policy_maps = socketmap:inet:127.0.0.1:8460:policy'");
    CHECK_THAT(fix_of(found[1]), ContainsSubstring("socketmap:inet:127.0.0.1:8460:outcome, $def"));
  }
}

TEST_CASE("doctor: trivial-rewrite(8) asks the map for its parameter") {
  Rig rig;
  rig.add_service("rewrite", "trivial-rewrite", true);
  rig.connects(test::kEndpoint);
  rig.set("transport_maps", "socketmap:unix:tlspolicyd/tlsmap.sock:transport, hash:/x");
  CHECK(rig.complaints().empty());
  rig.set("transport_maps", "hash:/x, " + kMap);
  CHECK(fix_of(only_complaint(rig, "names", State::Error)) ==
        "postconf -e 'transport_maps = socketmap:unix:tlspolicyd/tlsmap.sock:transport, hash:/x'");
}

TEST_CASE("doctor: smtpd(8) must reach the policy service from its chroot") {
  Rig rig;
  rig.ours.config.policyd_listen = {test::unix_listener("/run/tlspolicyd/policyd.sock")};
  rig.add_service("smtp", "smtpd", true);
  rig.set("smtpd_recipient_restrictions",
          "permit_mynetworks, check_policy_service { unix:/run/tlspolicyd/policyd.sock, "
          "timeout=10s }");
  rig.connects(test::kEndpoint);
  rig.reach("unix:/run/tlspolicyd/policyd.sock",
            {Reach::Outcome::Failed, ENOENT, "No such file or directory"});
  const auto found = only_complaint(rig, "sockets", State::Error);
  CHECK_THAT(fix_of(found), ContainsSubstring("policyd_listen = unix:/run/tlspolicyd/policyd.sock, "
                                              "unix:/var/spool/postfix/run/tlspolicyd/"));
}
