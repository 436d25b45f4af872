#include "src/app/config.h"

#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "src/app/reload.h"
#include "tests/unit/catch.h"

namespace {

using app::Listen;
using app::parse_config;
using app::ParsedConfig;

ParsedConfig parse(std::string_view text) {
  return parse_config(text, "t.conf");
}

// The only error of a text that has one.
std::string error_of(std::string_view text) {
  const auto parsed = parse(text);
  REQUIRE(parsed.errors.size() == 1);
  return parsed.errors.front();
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("config: an empty file holds the defaults of the table") {
  const auto parsed = parse("");
  REQUIRE(parsed.errors.empty());
  CHECK(parsed.config.policy_db == "/var/lib/tlspolicyd/policy.db");
  CHECK(parsed.config.mode == model::RowMode::Enforce);
  CHECK(parsed.config.postfix_version == model::PostfixVersion{3, 4, 0});
  CHECK(parsed.config.user.empty());
  CHECK(parsed.config.socket_mode == 0666);
  CHECK(parsed.config.stall_timeout == 10);
  REQUIRE(parsed.config.tlsmap_listen.size() == 1);
  CHECK(parsed.config.tlsmap_listen[0].port == 8460);
  REQUIRE(parsed.values.size() == app::options().size());
  for (std::size_t i = 0; i < parsed.values.size(); ++i) {
    CHECK(parsed.values[i] == app::options()[i].fallback);
  }
}

TEST_CASE("config: every default is allowed by its own option") {
  for (const auto& option : app::options()) {
    CAPTURE(option.name);
    app::Config config;
    CHECK(option.set(config, option.fallback));
    CHECK_FALSE(option.meaning.empty());
    CHECK_FALSE(option.allowed.empty());
  }
}

TEST_CASE("config: every key of the contract is known, once") {
  const std::vector<std::string_view> contract{
      "policy_db",          "state_db",         "image_file",    "control_socket",
      "tlsmap_listen",      "policyd_listen",   "http_listen",   "socket_mode",
      "socket_owner",       "socket_group",     "mode",          "evidence_uid",
      "trust_tcp_outcomes", "maillog",          "trust_maillog", "tlsrpt_socket",
      "tlsrpt_tee",         "freeze_domains",   "freeze_share",  "freeze_window",
      "tls_ca_file",        "resolver",         "probe_allow",   "alarm_command",
      "alarm_mail",         "sendmail_command", "user",          "group",
      "log_level",          "postfix_version"};
  for (const auto name : contract) {
    CAPTURE(name);
    int count = 0;
    for (const auto& option : app::options()) count += option.name == name ? 1 : 0;
    CHECK(count == 1);
  }
}

TEST_CASE("config: comments, blank lines, blanks and line ends of Windows are no values") {
  const auto parsed = parse("# first\r\n\r\n   # indented\n\tuser\t=  mail \t\r\n   \n#end");
  REQUIRE(parsed.errors.empty());
  CHECK(parsed.config.user == "mail");
}

TEST_CASE("config: a # behind a value belongs to it") {
  CHECK(has(error_of("mode = enforce # for now"), "\"enforce # for now\" is not allowed"));
}

TEST_CASE("config: a line that begins with a blank goes on with the one before") {
  const auto parsed = parse(
      "tlsmap_listen = inet:127.0.0.1:1,\n"
      "  # a comment in between\n"
      "\n"
      "  inet:[::1]:2,\n"
      "\tunix:/run/a b\n");
  CHECK(parsed.errors.size() == 1);  // a blank parts listeners, and "b" is none
  const auto good = parse("tlsmap_listen =\n inet:127.0.0.1:1,\n\tunix:/run/a\nmode = observe");
  REQUIRE(good.errors.empty());
  REQUIRE(good.config.tlsmap_listen.size() == 2);
  CHECK(good.config.tlsmap_listen[1] == Listen{Listen::Kind::Unix, "unix:/run/a", {}, 0, "/run/a"});
  CHECK(good.config.mode == model::RowMode::Observe);
}

TEST_CASE("config: a fault in a continuation names the line where the key stands") {
  CHECK(error_of("\n\ntlsmap_listen = inet:127.0.0.1:1,\n inet:nowhere\n")
            .starts_with("t.conf:3: tlsmap_listen: "));
}

TEST_CASE("config: an error names file, line, key and what is allowed") {
  struct Case {
    std::string_view line;
    std::string_view key;
    std::string_view allowed;
  };
  const auto c = GENERATE(
      Case{"policy_db = policy.db", "policy_db", "an absolute path"},
      Case{"policy_db =", "policy_db", "an absolute path"},
      Case{"control_socket = run/x", "control_socket", "an absolute path of at most 107 bytes"},
      Case{"tlsmap_listen = 127.0.0.1:8460", "tlsmap_listen", "inet:ADDRESS:PORT"},
      Case{"tlsmap_listen = inet:127.0.0.1:0", "tlsmap_listen", "inet:ADDRESS:PORT"},
      Case{"tlsmap_listen = inet:127.0.0.1:65536", "tlsmap_listen", "inet:ADDRESS:PORT"},
      Case{"tlsmap_listen = inet:127.0.0.1:+25", "tlsmap_listen", "inet:ADDRESS:PORT"},
      Case{"tlsmap_listen = inet:127.0.0.1", "tlsmap_listen", "inet:ADDRESS:PORT"},
      Case{"tlsmap_listen = inet:mail.example:25", "tlsmap_listen", "inet:ADDRESS:PORT"},
      Case{"tlsmap_listen = inet:::1:25", "tlsmap_listen", "inet:ADDRESS:PORT"},
      Case{"tlsmap_listen = inet:[127.0.0.1]:25", "tlsmap_listen", "inet:ADDRESS:PORT"},
      Case{"tlsmap_listen = inet:[::1%lo]:25", "tlsmap_listen", "inet:ADDRESS:PORT"},
      Case{"tlsmap_listen = inet::25", "tlsmap_listen", "inet:ADDRESS:PORT"},
      Case{"tlsmap_listen = unix:run/x", "tlsmap_listen", "unix:/PATH"},
      Case{"policyd_listen = systemd:", "policyd_listen", "systemd:NAME"},
      Case{"socket_mode = 0888", "socket_mode", "an octal mode up to 0777"},
      Case{"socket_mode = 1777", "socket_mode", "an octal mode up to 0777"},
      Case{"socket_mode = -1", "socket_mode", "an octal mode up to 0777"},
      Case{"socket_mode =", "socket_mode", "an octal mode up to 0777"},
      Case{"socket_owner = a b", "socket_owner", "a name, or empty"},
      Case{"mode = Enforce", "mode", "enforce or observe"},
      Case{"postfix_version = 3", "postfix_version", "from 3.4"},
      Case{"postfix_version = 3.3", "postfix_version", "from 3.4"},
      Case{"postfix_version = 3.04", "postfix_version", "MAJOR.MINOR"},
      Case{"postfix_version = 3.4.", "postfix_version", "MAJOR.MINOR"},
      Case{"trust_maillog = true", "trust_maillog", "yes or no"},
      Case{"trust_tcp_outcomes = YES", "trust_tcp_outcomes", "yes or no"},
      Case{"maillog = mail.log", "maillog", "an absolute path, journald, or empty"},
      Case{"freeze_domains = 0", "freeze_domains", "1 to 100000"},
      Case{"freeze_share = 101", "freeze_share", "1 to 100"},
      Case{"freeze_window = 10s", "freeze_window", "1 to 86400"},
      Case{"freeze_window = 99999999999999999999", "freeze_window", "1 to 86400"},
      Case{"stall_timeout = 0", "stall_timeout", "1 to 3600"},
      Case{"log_level = verbose", "log_level", "debug, info, warning or error"});
  CAPTURE(c.line);
  const auto error = error_of(std::string("# head\n") + std::string(c.line) + "\nuser = mail\n");
  CHECK(error.starts_with("t.conf:2: " + std::string(c.key) + ": "));
  CHECK(has(error, "allowed is "));
  CHECK(has(error, c.allowed));
}

TEST_CASE("config: an unknown key is named, with the keys that there are") {
  const auto error = error_of("policydb = /x");
  CHECK(error.starts_with("t.conf:1: policydb: unknown key"));
  CHECK(has(error, "policy_db"));
  CHECK(has(error, "stall_timeout"));
  CHECK(has(error_of("Mode = enforce"), "unknown key"));
  CHECK(has(error_of("= enforce"), "unknown key"));
}

TEST_CASE("config: a line without = is named") {
  CHECK(error_of("user = mail\nenforce\n").starts_with("t.conf:2: \"enforce\" is not of the form"));
}

TEST_CASE("config: a key may stand once; the error names both lines") {
  const auto error = error_of("mode = observe\n\nmode = observe\n");
  CHECK(error.starts_with("t.conf:3: mode: "));
  CHECK(has(error, "line 1"));
  // The second doesn't take effect beside the error.
  const auto parsed = parse("user = a\nuser = b\n");
  CHECK(parsed.config.user == "a");
}

TEST_CASE("config: every fault of a file is said at once, in order") {
  const auto parsed = parse("mode = x\nnonsense\nuser = mail\nlog_level = y\n");
  REQUIRE(parsed.errors.size() == 3);
  CHECK(parsed.errors[0].starts_with("t.conf:1: "));
  CHECK(parsed.errors[1].starts_with("t.conf:2: "));
  CHECK(parsed.errors[2].starts_with("t.conf:4: "));
}

TEST_CASE("config: a NUL byte anywhere refuses the whole file") {
  const auto text = GENERATE(as<std::string>{}, std::string("\0", 1),
                             std::string("user = mail\nmode = obs\0erve\n", 28),
                             std::string("# a \0 comment", 13));
  const auto error = error_of(text);
  CHECK(error.starts_with("t.conf:"));
  CHECK(has(error, "NUL"));
}

TEST_CASE("config: what a message quotes is fit for a terminal and not too long") {
  const auto error = error_of("mode = \x1b[31m\xff" + std::string(5000, 'x'));
  CHECK(error.size() < 300);
  CHECK(error.find('\x1b') == std::string::npos);
  CHECK(error.find('\xff') == std::string::npos);
  CHECK(has(error, "?[31m?xxx"));
}

TEST_CASE("config: listeners of all three kinds") {
  const auto parsed = parse(
      "tlsmap_listen = inet:127.0.0.1:8460 inet:[2001:db8::1]:65535,unix:/run/t/map, "
      "systemd:tlsmap\npolicyd_listen = inet:localhost:1\n");
  REQUIRE(parsed.errors.empty());
  const auto& all = parsed.config.tlsmap_listen;
  REQUIRE(all.size() == 4);
  CHECK(all[0] == Listen{Listen::Kind::Inet, "inet:127.0.0.1:8460", "127.0.0.1", 8460, {}});
  CHECK(all[1] == Listen{Listen::Kind::Inet, "inet:[2001:db8::1]:65535", "2001:db8::1", 65535, {}});
  CHECK(all[2] == Listen{Listen::Kind::Unix, "unix:/run/t/map", {}, 0, "/run/t/map"});
  CHECK(all[3] == Listen{Listen::Kind::Passed, "systemd:tlsmap", {}, 0, "tlsmap"});
  REQUIRE(parsed.config.policyd_listen.size() == 1);
  CHECK(parsed.config.policyd_listen[0].host == "127.0.0.1");
}

TEST_CASE("config: a unix socket's path ends where the kernel's does") {
  const std::string fits(106, 'x');
  CHECK(parse("tlsmap_listen = unix:/" + fits).errors.empty());
  CHECK(parse("control_socket = /" + fits).errors.empty());
  CHECK_FALSE(parse("tlsmap_listen = unix:/x" + fits).errors.empty());
  CHECK_FALSE(parse("control_socket = /x" + fits).errors.empty());
}

TEST_CASE("config: without a socketmap listener there is nothing to do") {
  CHECK(error_of("user = mail\ntlsmap_listen =\n").starts_with("t.conf:2: tlsmap_listen: "));
  CHECK(error_of("tlsmap_listen = , ,\n").starts_with("t.conf:1: tlsmap_listen: "));
  CHECK(parse("policyd_listen =\n").errors.empty());
}

TEST_CASE("config: group needs user") {
  CHECK(error_of("\ngroup = mail\n").starts_with("t.conf:2: group: "));
  CHECK(parse("group = mail\nuser = mail\n").errors.empty());
  CHECK(parse("group =\n").errors.empty());
}

TEST_CASE("config: databases and image must be different files; the line at fault is named") {
  CHECK(error_of("# x\npolicy_db = /a\nimage_file = /a\n").starts_with("t.conf:3: image_file: "));
  CHECK(error_of("state_db = /a\npolicy_db = /a\n").starts_with("t.conf:2: policy_db: "));
  CHECK(error_of("state_db = /var/lib/tlspolicyd/policy.db\n").starts_with("t.conf:1: state_db: "));
  CHECK(error_of("image_file = /a\nstate_db = /a\n").starts_with("t.conf:2: state_db: "));
}

TEST_CASE("config: http_listen takes what this host alone can reach") {
  const auto parsed = parse(
      "http_listen = inet:127.0.0.1:8461, inet:[::1]:8461, inet:localhost:1, unix:/h, "
      "systemd:http\n");
  CHECK(parsed.errors.empty());
  CHECK(parsed.config.http_listen.size() == 5);
  for (const std::string other : {"inet:0.0.0.0:8461", "inet:192.0.2.1:80", "inet:[::]:80",
                                  "inet:[2001:db8::1]:80", "inet:[::ffff:127.0.0.1]:80"}) {
    CAPTURE(other);
    const auto error = error_of("http_listen = inet:127.0.0.1:8461, " + other + "\n");
    CHECK(error.starts_with("t.conf:1: http_listen: "));
    CHECK(error.find("this host alone") != error.npos);
  }
}

TEST_CASE("config: probe_allow holds networks and nothing else") {
  const auto parsed = parse("probe_allow = 10.0.0.0/8, fd00::/8\n");
  REQUIRE(parsed.errors.empty());
  CHECK(parsed.config.probe_allow == "10.0.0.0/8, fd00::/8");
  CHECK(error_of("probe_allow = 10.0.0.0/8, here\n").starts_with("t.conf:1: probe_allow: "));
  CHECK(error_of("probe_allow = 10.0.0.1/8\n").starts_with("t.conf:1: probe_allow: "));
}

TEST_CASE("config: probe_opt_out holds names and networks, and probes are on unless told") {
  CHECK(parse("").config.probe_watch);
  const auto parsed =
      parse("probe_opt_out = a.example, .b.example, 192.0.2.0/24\nprobe_watch = no");
  REQUIRE(parsed.errors.empty());
  CHECK(parsed.config.probe_opt_out == "a.example, .b.example, 192.0.2.0/24");
  CHECK_FALSE(parsed.config.probe_watch);
  CHECK(error_of("probe_opt_out = *").starts_with("t.conf:1: probe_opt_out: "));
  CHECK(error_of("probe_watch = maybe").starts_with("t.conf:1: probe_watch: "));
}

TEST_CASE("config: the resolver is an address") {
  for (const auto* good : {"resolver = 127.0.0.1", "resolver =", "resolver = [::1]:5353",
                           "resolver = 192.0.2.53 trust-ad"}) {
    INFO(good);
    CHECK(parse(good).errors.empty());
  }
  CHECK(has(error_of("resolver = localhost"), "\"localhost\" is not allowed"));
  CHECK(has(error_of("resolver = 127.0.0.1, ::1"), "trust-ad"));
}

TEST_CASE(
    "reload: what waits for a restart is named each time and keeps its value; the rest changes") {
  const auto before =
      parse("state_db = /a.db\nmaillog = /var/log/mail.log\nprobe_allow = ::1/128\n");
  REQUIRE(before.errors.empty());
  auto in_force = before;
  for (int i = 0; i < 2; ++i) {
    const auto reloaded = app::reload_config(
        in_force, "state_db = /b.db\nuser = mail\nmode = observe\nfreeze_window =\n  900\n",
        "t.conf");
    REQUIRE(reloaded.parsed.errors.empty());
    CHECK(reloaded.waiting == std::vector<std::string>{"state_db", "maillog", "user"});
    for (const auto& told : {reloaded.parsed, parse(reloaded.text)}) {
      REQUIRE(told.errors.empty());
      CHECK(told.values == reloaded.parsed.values);
      CHECK(told.config.state_db == "/a.db");
      CHECK(told.config.maillog == "/var/log/mail.log");
      CHECK(told.config.user.empty());
      CHECK(told.config.mode == model::RowMode::Observe);
      CHECK(told.config.freeze_window == 900);
      CHECK(told.config.probe_allow.empty());
    }
    in_force = reloaded.parsed;
  }
}

TEST_CASE(
    "reload: a file that says the same changes nothing, and a bad one is refused as it stands") {
  const auto before = parse("user = mail\n");
  CHECK(app::reload_config(before, "# x\nuser = mail\nsocket_mode = 0666\n", "t.conf")
            .waiting.empty());
  const auto refused = app::reload_config(before, "\nmode = sometimes\n", "t.conf");
  REQUIRE(refused.parsed.errors.size() == 1);
  CHECK(refused.parsed.errors[0].starts_with("t.conf:2: mode: "));
  CHECK_FALSE(
      app::reload_config(before, std::string_view("\0", 1), "t.conf").parsed.errors.empty());
}

TEST_CASE("reload: new values that contradict those which wait for a restart are refused") {
  const auto before = parse("policy_db = /a\nstate_db = /b\n");
  const auto swapped = app::reload_config(before, "policy_db = /b\nstate_db = /a\n", "t.conf");
  REQUIRE(swapped.parsed.errors.size() == 1);
  CHECK(swapped.parsed.errors[0] ==
        "t.conf: state_db changed, which takes a restart, and until then state_db: must not be the "
        "same file as policy_db");
}

TEST_CASE("reload: what the roles are told fits into a message") {
  const std::string log = "maillog = /" + std::string(3 * 1024, 'a') + "\n";
  const auto before = parse(log);
  REQUIRE(before.errors.empty());
  const auto reloaded =
      app::reload_config(before, "image_file = /" + std::string(59 * 1024, 'i'), "t.conf");
  REQUIRE(reloaded.parsed.errors.size() == 1);
  CHECK(has(reloaded.parsed.errors[0], "larger than"));
}

TEST_CASE("config: a file that can't be read, or is too large, says so") {
  CHECK(has(app::read_config_file("/nonexistent/t.conf").error(), "/nonexistent/t.conf: "));
  CHECK_FALSE(app::read_config_file("/").ok());
  std::string name = "/tmp/config_test.XXXXXX";
  const int fd = ::mkstemp(name.data());
  REQUIRE(fd >= 0);
  ::close(fd);
  const auto write = [&](std::size_t size) {
    std::ofstream(name, std::ios::trunc) << std::string(size, '#');
    return app::read_config_file(name);
  };
  const auto largest = write(app::kLargestConfig);
  REQUIRE(largest.ok());
  CHECK(largest->size() == app::kLargestConfig);
  CHECK(has(write(app::kLargestConfig + 1).error(), "larger than"));
  CHECK(write(0).value().empty());
  std::remove(name.c_str());
}
