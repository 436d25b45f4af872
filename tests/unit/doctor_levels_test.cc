#include "tests/unit/doctor_rig.h"

using Catch::Matchers::ContainsSubstring;
using model::Fallback;
using model::Level;
using test::fix_of;
using test::only_complaint;
using test::Rig;
using test::State;
using test::use_of;

TEST_CASE("doctor: before 3.10 kept connections are a warning, from there on they are not") {
  Rig rig;
  rig.set("smtp_tls_connection_reuse", "yes");
  CHECK(rig.complaints().empty());
  rig.set_version("3.9.1", {3, 9, 1});
  CHECK(fix_of(only_complaint(rig, "connection-cache", State::Warning)) ==
        "postconf -e 'smtp_connection_cache_on_demand = no'\n"
        "postconf -e 'smtp_tls_connection_reuse = no'");
  rig.set("smtp_connection_cache_on_demand", "no");
  rig.set("smtp_tls_connection_reuse", "no");
  CHECK(rig.complaints().empty());
  rig.set("smtp_connection_cache_destinations", "static:all");
  CHECK(fix_of(only_complaint(rig, "connection-cache", State::Warning)) ==
        "postconf -e 'smtp_connection_cache_destinations ='");
}

TEST_CASE("doctor: before 3.10 a profile that reuses connections is a warning") {
  Rig rig;
  rig.set_version("3.9.1", {3, 9, 1});
  rig.set("smtp_connection_cache_on_demand", "no");
  rig.ours.policy->uses.front().profile.connection_reuse = true;
  CHECK_THAT(fix_of(only_complaint(rig, "connection-cache", State::Warning)),
             ContainsSubstring("profile set required connection_reuse="));
}

TEST_CASE("doctor: TLS-Required: no must not override a mandatory row") {
  Rig rig;
  rig.set("tls_required_enable", "yes");
  CHECK(fix_of(only_complaint(rig, "tls-required", State::Error)) ==
        "postconf -e 'tls_required_enable = no'");
  rig.ours.policy->uses.clear();
  CHECK(rig.complaints().empty());
}

TEST_CASE("doctor: rows at verify need somebody to trust") {
  Rig rig;
  rig.set("smtp_tls_CAfile", "");
  CHECK(rig.complaints().empty());
  rig.add_rows(use_of("verified", Level::Verify, Fallback::Never, {"v.example"}));
  CHECK(fix_of(only_complaint(rig, "ca-store", State::Error)) ==
        "postconf -e 'smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt'");
  rig.set("tls_append_default_CA", "yes");
  CHECK(rig.complaints().empty());
  rig.set("tls_append_default_CA", "no");
  rig.set("smtp_tls_CAfile", "/nowhere.pem");
  rig.host.files["/nowhere.pem"] = {};
  CHECK_THAT(only_complaint(rig, "ca-store", State::Error).text, ContainsSubstring("no such file"));
}

TEST_CASE("doctor: a folder of authorities is looked for inside the chroot") {
  Rig rig;
  rig.add_rows(use_of("verified", Level::Verify, Fallback::Never, {"v.example"}));
  rig.set("smtp_tls_CAfile", "");
  rig.set("smtp_tls_CApath", "/etc/ssl/certs");
  rig.add_file("/etc/ssl/certs", 0755, 0, 0);
  rig.host.files["/var/spool/postfix/etc/ssl/certs"] = {};
  CHECK_THAT(only_complaint(rig, "ca-store", State::Error).text,
             ContainsSubstring("/var/spool/postfix/etc/ssl/certs"));
  rig.add_file("/var/spool/postfix/etc/ssl/certs", 0755, 0, 0);
  CHECK(rig.complaints().empty());
}

TEST_CASE("doctor: a profile's own authorities are looked for inside the chroot") {
  Rig rig;
  auto use = use_of("mine", Level::Verify, Fallback::Never, {"v.example"});
  use.profile.tafile = "/etc/ssl/mine.pem";
  rig.add_rows(use);
  rig.host.files["/var/spool/postfix/etc/ssl/mine.pem"] = {};
  CHECK(fix_of(only_complaint(rig, "ca-store", State::Error)) ==
        "install -D -m 644 /etc/ssl/mine.pem /var/spool/postfix/etc/ssl/mine.pem");
  rig.add_file("/var/spool/postfix/etc/ssl/mine.pem", 0644, 0, 0);
  CHECK(rig.complaints().empty());
}

TEST_CASE("doctor: senders are warned where mail may wait") {
  Rig rig;
  for (const auto* never : {"0", "0h", ""}) {
    rig.set("delay_warning_time", never);
    INFO(never);
    CHECK(fix_of(only_complaint(rig, "delay-warning", State::Warning)) ==
          "postconf -e 'delay_warning_time = 4h'");
  }
  rig.ours.policy->uses.clear();
  CHECK(rig.complaints().empty());
}

TEST_CASE("doctor: rows at dane need DNSSEC of Postfix") {
  const auto wrong = GENERATE(
      table<std::string, std::string, std::string>({{"smtp_dns_support_level", "", "dnssec"},
                                                    {"smtp_dns_support_level", "enabled", "dnssec"},
                                                    {"ignore_mx_lookup_error", "yes", "no"},
                                                    {"smtp_host_lookup", "native", "dns"}}));
  const auto& [name, value, right] = wrong;
  Rig rig;
  rig.set(name, value);
  CHECK(rig.complaints().empty());
  rig.add_rows(use_of("dane", Level::Dane, Fallback::Never, {"d.example"}));
  CHECK(fix_of(only_complaint(rig, "dane", State::Error)) ==
        "postconf -e '" + name + " = " + right + "'");
}

TEST_CASE("doctor: rows at dane need a resolver on this host, as the chroot has it") {
  Rig rig;
  rig.add_rows(use_of("dane-only", Level::DaneOnly, Fallback::Never, {"d.example"}));
  CHECK(rig.complaints().empty());
  rig.host.nameservers["/var/spool/postfix/etc/resolv.conf"] = {"127.0.0.1", "192.0.2.53"};
  const auto found = only_complaint(rig, "dane", State::Warning);
  CHECK_THAT(found.looked_at, ContainsSubstring("192.0.2.53"));
  // A line in the chroot's own file would be gone at the next start of Postfix.
  CHECK(fix_of(found) == "/etc/resolv.conf: nameserver 127.0.0.1\nsystemctl restart postfix");
  rig.host.nameservers.clear();
  only_complaint(rig, "dane", State::Skipped);
}

TEST_CASE("doctor: a hosted domain at secure needs a match") {
  Rig rig;
  rig.add_rows(use_of("secure", Level::Secure, Fallback::Never, {"s.example"}));
  only_complaint(rig, "match", State::Warning);  // nobody knows its MX hosts
  rig.ours.mx["s.example"] = {{"mx1.hoster.example", "mx2.hoster.example"}, {}};
  CHECK(fix_of(only_complaint(rig, "match", State::Error)) ==
        "tlspolicyctl set s.example secure --match mx1.hoster.example:mx2.hoster.example");
  rig.ours.mx["s.example"] = {{"mx.s.example", "mxs.example"}, {}};
  only_complaint(rig, "match", State::Error);
  rig.ours.mx["s.example"] = {{"mx.s.example", "s.example"}, {}};
  CHECK(rig.complaints().empty());
  rig.ours.mx["s.example"] = {{"mx.notours.example"}, {}};
  rig.ours.policy->uses.back().unmatched_names.clear();
  CHECK(rig.complaints().empty());
}

TEST_CASE("doctor: files that anybody may change are an error") {
  for (const auto* path :
       {"/etc/tlspolicyd/tlspolicyd.conf", "/var/lib/tlspolicyd/policy.db", "/var/lib/tlspolicyd",
        "/var/spool/postfix/tlspolicyd", "/run/tlspolicyd/control.sock"}) {
    Rig rig;
    rig.add_file(path, 0777, 500, 500);
    INFO(path);
    CHECK(fix_of(only_complaint(rig, "files", State::Error)) == std::string("chmod o-w ") + path);
  }
}

TEST_CASE("doctor: a folder that is missing is an error, a database or socket is not") {
  Rig rig;
  rig.host.files["/run/tlspolicyd/control.sock"] = {};
  rig.host.files["/var/lib/tlspolicyd/policy.db"] = {};  // said by check "policy"
  CHECK(rig.complaints().empty());
  rig.host.files["/var/lib/tlspolicyd"] = {};
  CHECK(fix_of(only_complaint(rig, "files", State::Error)) ==
        "install -d -o tlspolicyd /var/lib/tlspolicyd");
}

TEST_CASE("doctor: files that the daemon's user can't use are an error") {
  Rig rig;
  rig.add_file("/var/lib/tlspolicyd/policy.db", 0600, 0, 0);
  CHECK(fix_of(only_complaint(rig, "files", State::Error)) ==
        "chown tlspolicyd /var/lib/tlspolicyd/policy.db");
  rig.add_file("/var/lib/tlspolicyd/policy.db", 0640, 0, 500);
  only_complaint(rig, "files", State::Error);
  rig.add_file("/var/lib/tlspolicyd/policy.db", 0660, 0, 500);
  CHECK(rig.complaints().empty());
  rig.add_file("/var/lib/tlspolicyd", 0755, 0, 0);
  only_complaint(rig, "files", State::Error);
}

TEST_CASE("doctor: a listener beyond loopback is a warning, an error where outcomes are believed") {
  Rig rig;
  rig.ours.config.tlsmap_listen.push_back(test::inet_listener("0.0.0.0", 8460));
  CHECK_THAT(fix_of(only_complaint(rig, "listeners", State::Warning)),
             ContainsSubstring("tlsmap_listen = unix:/var/spool/postfix/tlspolicyd/tlsmap.sock, "
                               "inet:127.0.0.1:8460"));
  rig.ours.config.trust_tcp_outcomes = true;
  only_complaint(rig, "listeners", State::Error);
  rig.ours.config.tlsmap_listen.back() = test::inet_listener("127.0.0.1", 8460);
  CHECK(rig.complaints().empty());
}

TEST_CASE("doctor: every listener is named") {
  Rig rig;
  rig.ours.config.tlsmap_listen = {test::inet_listener("127.0.0.1", 8460),
                                   test::unix_listener(test::kSocket)};
  rig.ours.config.policyd_listen = {test::unix_listener("/var/spool/postfix/tlspolicyd/policyd")};
  std::string named;
  for (const auto& each : rig.examine()) {
    if (each.check != "listeners") continue;
    CHECK(each.state == State::Ok);
    named += each.looked_at + "\n";
  }
  const auto file = " (" + rig.ours.config_file + ")\n";
  CHECK(named == "tlsmap_listen: inet:127.0.0.1:8460" + file +
                     "tlsmap_listen: unix:/var/spool/postfix/tlspolicyd/tlsmap.sock" + file +
                     "policyd_listen: unix:/var/spool/postfix/tlspolicyd/policyd" + file);
}

TEST_CASE(
    "doctor: a broken config, a missing policy.db, mode observe, another instance's trouble") {
  Rig broken;
  broken.ours.config_errors = {"x.conf:3: nonsense"};
  only_complaint(broken, "config", State::Error);

  Rig missing;
  missing.ours.policy.reset();
  missing.ours.policy_trouble = "policy.db does not exist";
  CHECK(missing.complaints("policy").front().state == State::Error);
  for (const auto& each : missing.complaints()) {
    if (each.check != "policy") CHECK(each.state == State::Skipped);
  }

  Rig observing;
  observing.ours.config.mode = model::RowMode::Observe;
  CHECK_THAT(only_complaint(observing, "policy", State::Warning).text,
             ContainsSubstring("Once that has been watched long enough"));

  Rig other;
  other.host.troubles = {"/etc/postfix-out: postconf: exit status 1"};
  only_complaint(other, "instance", State::Error);
}
