#include "tlsmap/postconf.h"

#include "tests/unit/catch.h"

using namespace std::string_literals;

TEST_CASE("postconf: parameters are read line by line, the last of a name counts") {
  const auto found = tlsmap::parse_parameters(
      "relayhost =\nsmtp_tls_policy_maps = inline:{ {a = b} }, static:may\nx = 1\nx = 2\n"
      "postconf: warning: no setting\nfoo=bar\n = 3\n");
  CHECK(found == tlsmap::Parameters{{"relayhost", ""},
                                    {"smtp_tls_policy_maps", "inline:{ {a = b} }, static:may"},
                                    {"x", "2"}});
}

TEST_CASE("postconf: services come with their chroot, program and overrides") {
  const auto services = tlsmap::parse_master(
      "smtp/inet/service = smtp\nsmtp/inet/chroot = y\nsmtp/inet/command = smtpd -v\n"
      "[::1]:25/inet/chroot = -\n[::1]:25/inet/command = smtpd\n"
      "smtp/unix/chroot = n\nsmtp/unix/command = smtp -o a=b\n",
      "smtp/unix/a = b = c\nsmtp/unix/empty =\nnowhere/unix/a = b\n");
  REQUIRE(services.size() == 3);
  CHECK(services[0].name == "smtp");
  CHECK(services[0].type == "inet");
  CHECK(services[0].chroot == "y");
  CHECK(services[0].program == "smtpd");
  CHECK(services[0].overrides.empty());
  CHECK(services[1].name == "[::1]:25");
  CHECK(services[1].chroot == "-");
  CHECK(services[2].program == "smtp");
  CHECK(services[2].overrides == tlsmap::Parameters{{"a", "b = c"}, {"empty", ""}});
}

TEST_CASE("postconf: a table of services without end is cut") {
  std::string fields;
  for (int i = 0; i < 3000; ++i) fields += "s" + std::to_string(i) + "/unix/chroot = y\n";
  CHECK(tlsmap::parse_master(fields, "").size() == tlsmap::kMostServices);
}

TEST_CASE("postconf: instances that are switched on, whatever their directory is called") {
  const auto listed = tlsmap::parse_instances(
      "-               -               y         /etc/postfix\n"
      "postfix-out     out             y         /etc/postfix out\n"
      "postfix-off     -               n         /etc/postfix-off\nnonsense\n");
  REQUIRE(listed.size() == 2);
  CHECK(listed[0].name == "-");
  CHECK(listed[0].directory == "/etc/postfix");
  CHECK(listed[1].directory == "/etc/postfix out");
}

TEST_CASE("postconf: versions, also of snapshots") {
  CHECK(tlsmap::parse_mail_version("3.7.11") == model::PostfixVersion{3, 7, 11});
  CHECK(tlsmap::parse_mail_version("3.12-20260821") == model::PostfixVersion{3, 12, 0});
  CHECK(!tlsmap::parse_mail_version("nonsense"));
}

TEST_CASE("postconf: lists are split outside braces") {
  using Parts = std::vector<std::string_view>;
  CHECK(tlsmap::split_list(" a, b\tc ,, {d, e} inline:{ {f = g}, h }") ==
        Parts{"a", "b", "c", "{d, e}", "inline:{ {f = g}, h }"});
  CHECK(tlsmap::split_list("}a b") == Parts{"}a", "b"});
  CHECK(tlsmap::split_list("{a b") == Parts{"{a b"});
  CHECK(tlsmap::split_list("").empty());
}

TEST_CASE("postconf: a socketmap is an endpoint and a name behind the last colon") {
  const auto tables = tlsmap::parse_tables(
      "socketmap:unix:tlspolicyd/a:b.sock:policy@one, proxy:socketmap:inet:localhost:8460:outcome, "
      "debug:socketmap:inet:[ipv6:::1]:8460:x socketmap:inet:[::1]:8460:y hash:/etc/a:b "
      "socketmap:nonsense socketmap:unix::name");
  REQUIRE(tables.size() == 7);
  CHECK(tables[0].endpoint->text == "unix:tlspolicyd/a:b.sock");
  CHECK(tables[0].endpoint->path == "tlspolicyd/a:b.sock");
  CHECK(tables[0].map == "policy@one");
  CHECK(!tables[0].is_proxied);
  CHECK(tables[1].is_proxied);
  CHECK(tables[1].endpoint->host == "127.0.0.1");
  CHECK(tables[1].endpoint->port == "8460");
  CHECK(tables[1].map == "outcome");
  CHECK(!tables[2].is_proxied);
  CHECK(tables[2].endpoint->host == "::1");
  CHECK(tables[3].endpoint->host == "::1");
  CHECK(tables[4].type == "hash");
  CHECK(!tables[4].endpoint);
  CHECK(!tables[5].endpoint);
  CHECK(!tables[6].endpoint);
}

TEST_CASE("postconf: a route is a transport and next-hops") {
  const auto listed = tlsmap::parse_route("smtp:[a.example]:25, b.example");
  CHECK(listed.transport == "smtp");
  CHECK(listed.hops == std::vector{"[a.example]:25"s, "b.example"s});
  CHECK(tlsmap::parse_route(":").transport.empty());
  CHECK(tlsmap::parse_route(":[a]").hops == std::vector{"[a]"s});
  CHECK(tlsmap::parse_route("smtp").transport == "smtp");
  CHECK(tlsmap::parse_route("").hops.empty());
}

TEST_CASE("postconf: policy services stand behind their word") {
  const auto found = tlsmap::find_policy_services(
      "permit_mynetworks, check_policy_service unix:a, check_policy_service { inet:127.0.0.1:1, "
      "timeout=10s } reject, check_policy_service");
  REQUIRE(found.size() == 2);
  CHECK(found[0].path == "a");
  CHECK(found[1].port == "1");
}

TEST_CASE("postconf: which log levels tell of each TLS session") {
  for (const auto* level : {"1", "2", "4", "9", "routine", "Summary", "cache, summary", "0 debug",
                            "untrusted,ssl-expert", "ssl-developer"}) {
    INFO(level);
    CHECK(tlsmap::logs_tls_sessions(level));
  }
  for (const auto* level : {"", "0", "none", "untrusted", "peercert, certmatch", "verbose cache",
                            "ssl-debug", "10", "summary2", "sum mary"}) {
    INFO(level);
    CHECK_FALSE(tlsmap::logs_tls_sessions(level));
  }
}

TEST_CASE("postconf: nameservers of a resolv.conf") {
  CHECK(tlsmap::parse_nameservers("# x\nnameserver 127.0.0.1\n nameserver\t::1 # y\noptions edns0\n"
                                  "nameserver\n") == std::vector{"127.0.0.1"s, "::1"s});
}

TEST_CASE("postconf: an endpoint has a path, or a port and perhaps a host; nothing else is one") {
  const auto shown = [](std::string_view text) -> std::string {
    const auto endpoint = tlsmap::parse_endpoint(text);
    if (!endpoint) return "none";
    return endpoint->is_unix ? endpoint->path : endpoint->host + " " + endpoint->port;
  };
  CHECK(shown("unix:private/x") == "private/x");
  CHECK(shown("local:/run/x") == "/run/x");
  CHECK(shown("inet:10025") == "127.0.0.1 10025");
  CHECK(shown("inet:LocalHost:smtp") == "127.0.0.1 smtp");
  CHECK(shown("inet:192.0.2.1:25") == "192.0.2.1 25");
  CHECK(shown("inet:[::1]:25") == "::1 25");
  for (const auto* text :
       {"", "unix:", "local:", "inet:", "inet:192.0.2.1:", "inet:[::1]", "tcp:25"}) {
    INFO(text);
    CHECK(shown(text) == "none");
  }
  for (const auto* text :
       {"check_policy_service", "check_policy_service {}", "check_policy_service {",
        "check_policy_service { timeout=1 }", "check_policy_service check_x"}) {
    INFO(text);
    CHECK(tlsmap::find_policy_services(text).empty());
  }
  CHECK(tlsmap::find_policy_services("check_policy_service {inet:25,timeout=1").size() == 1);
}
