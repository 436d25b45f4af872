#include <arpa/inet.h>
#include <sys/un.h>

#include <array>
#include <cstring>
#include <optional>

#include "src/app/alarm_mail.h"
#include "src/app/config.h"
#include "src/base/text.h"
#include "src/engine/opt_out.h"
#include "src/model/reserved_address.h"
#include "src/wire/resolver_choice.h"

namespace app {
namespace {

constexpr std::string_view kPath = "an absolute path";
constexpr std::string_view kListenRule =
    "inet:ADDRESS:PORT, unix:/PATH (at most 107 bytes) or systemd:NAME, several with commas";
constexpr std::string_view kHttpListenRule =
    "inet:127.0.0.1:PORT, inet:[::1]:PORT, unix:/PATH (at most 107 bytes) or systemd:NAME, several "
    "with commas; no other address, for what it shows is for this host alone";
constexpr std::string_view kSocketPath = "an absolute path of at most 107 bytes, or empty";
constexpr std::string_view kYesNo = "yes or no";
constexpr std::string_view kName = "a name, or empty";

bool is_path(std::string_view value) {
  return value.starts_with('/') && value.find('\0') == std::string_view::npos;
}

template <std::string Config::*Field>
bool set_path(Config& config, std::string_view value) {
  if (!is_path(value)) return false;
  config.*Field = value;
  return true;
}

template <std::string Config::*Field>
bool set_optional_path(Config& config, std::string_view value) {
  if (!value.empty() && !is_path(value)) return false;
  config.*Field = value;
  return true;
}

bool set_resolver(Config& config, std::string_view value) {
  if (!value.empty() && !wire::parse_resolver_setting(value).ok()) return false;
  config.resolver = value;
  return true;
}

bool set_alarm_mail(Config& config, std::string_view value) {
  if (!value.empty() && !is_mailbox(value)) return false;
  config.alarm_mail = value;
  return true;
}

// A user, group or uid: what getpwnam and getgrnam are asked for, never more.
template <std::string Config::*Field>
bool set_account(Config& config, std::string_view value) {
  for (const char c : value) {
    if (!base::is_alnum(c) && c != '_' && c != '-' && c != '.' && c != '$') return false;
  }
  config.*Field = value;
  return true;
}

template <bool Config::*Field>
bool set_yes_no(Config& config, std::string_view value) {
  if (value != "yes" && value != "no") return false;
  config.*Field = value == "yes";
  return true;
}

template <std::int64_t Config::*Field, std::int64_t Least, std::int64_t Most>
bool set_number(Config& config, std::string_view value) {
  const auto number = base::parse_number<std::int64_t>(value);
  if (!number || *number < Least || *number > Most) return false;
  config.*Field = *number;
  return true;
}

std::optional<Listen> parse_inet(std::string_view text, std::string_view address) {
  const auto colon = address.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string host(address.substr(0, colon));
  const auto port = base::parse_number<std::uint16_t>(address.substr(colon + 1));
  if (!port || *port == 0) return std::nullopt;
  if (host == "localhost") host = "127.0.0.1";
  in6_addr ignored{};
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    if (::inet_pton(AF_INET6, host.c_str(), &ignored) != 1) return std::nullopt;
  } else if (::inet_pton(AF_INET, host.c_str(), &ignored) != 1) {
    return std::nullopt;
  }
  return Listen{Listen::Kind::Inet, std::string(text), host, *port, {}};
}

std::optional<Listen> parse_listen(std::string_view text) {
  constexpr std::string_view kInet = "inet:";
  constexpr std::string_view kUnix = "unix:";
  constexpr std::string_view kPassed = "systemd:";
  if (text.starts_with(kInet)) return parse_inet(text, text.substr(kInet.size()));
  if (text.starts_with(kUnix)) {
    const auto path = text.substr(kUnix.size());
    if (!is_path(path) || path.size() >= sizeof(sockaddr_un::sun_path)) return std::nullopt;
    return Listen{Listen::Kind::Unix, std::string(text), {}, 0, std::string(path)};
  }
  if (text.starts_with(kPassed) && text.size() > kPassed.size()) {
    const auto name = text.substr(kPassed.size());
    return Listen{Listen::Kind::Passed, std::string(text), {}, 0, std::string(name)};
  }
  return std::nullopt;
}

template <std::vector<Listen> Config::*Field>
bool set_listen(Config& config, std::string_view value) {
  std::vector<Listen> parsed;
  for (const auto part : base::split(value, ", \t")) {
    auto listen = parse_listen(part);
    if (!listen) return false;
    parsed.push_back(std::move(*listen));
  }
  config.*Field = std::move(parsed);
  return true;
}

// 127.0.0.0/8 and ::1, as parse_inet() leaves them.
bool is_loopback(const Listen& listen) {
  in6_addr address{};
  if (::inet_pton(AF_INET6, listen.host.c_str(), &address) == 1) {
    return std::memcmp(&address, &in6addr_loopback, sizeof address) == 0;
  }
  return listen.host.starts_with("127.");
}

bool set_http_listen(Config& config, std::string_view value) {
  Config parsed;
  if (!set_listen<&Config::http_listen>(parsed, value)) return false;
  for (const Listen& listen : parsed.http_listen) {
    if (listen.kind == Listen::Kind::Inet && !is_loopback(listen)) return false;
  }
  config.http_listen = std::move(parsed.http_listen);
  return true;
}

bool set_control_socket(Config& config, std::string_view value) {
  if (!is_path(value) || value.size() >= sizeof(sockaddr_un::sun_path)) return false;
  config.control_socket = value;
  return true;
}

// A path that fits a unix socket's address, or empty.
template <std::string Config::*Field>
bool set_socket_path(Config& config, std::string_view value) {
  if (!value.empty() && (!is_path(value) || value.size() >= sizeof(sockaddr_un::sun_path))) {
    return false;
  }
  config.*Field = value;
  return true;
}

bool set_maillog(Config& config, std::string_view value) {
  if (!value.empty() && !is_path(value) && value != kJournald) return false;
  config.maillog = value;
  return true;
}

bool set_probe_allow(Config& config, std::string_view value) {
  if (!model::parse_networks(value)) return false;
  config.probe_allow = value;
  return true;
}

bool set_probe_opt_out(Config& config, std::string_view value) {
  if (!engine::parse_opt_out(value)) return false;
  config.probe_opt_out = value;
  return true;
}

bool set_socket_mode(Config& config, std::string_view value) {
  unsigned mode = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), mode, 8);
  if (error != std::errc{} || end != value.data() + value.size() || mode > 0777) return false;
  config.socket_mode = mode;
  return true;
}

bool set_mode(Config& config, std::string_view value) {
  const auto mode = model::parse_row_mode(value);
  if (mode) config.mode = *mode;
  return mode.has_value();
}

bool set_postfix_version(Config& config, std::string_view value) {
  const auto version = model::parse_postfix_version(value);
  if (!version || *version < model::PostfixVersion{3, 4, 0}) return false;
  config.postfix_version = *version;
  return true;
}

bool set_log_level(Config& config, std::string_view value) {
  const auto level = base::parse_log_level(value);
  if (level) config.log_level = *level;
  return level.has_value();
}

using C = Config;
constexpr std::array kOptions{
    Option{"policy_db", "/var/lib/tlspolicyd/policy.db", true,
           "The admin's database: profiles and destinations.", kPath, set_path<&C::policy_db>},
    Option{"state_db", "/var/lib/tlspolicyd/state.db", false,
           "The daemon's own database: what it learnt and decided.", kPath, set_path<&C::state_db>},
    Option{"image_file", "/var/lib/tlspolicyd/policy.image", true,
           "The last known good policy, from which a cold start answers.", kPath,
           set_path<&C::image_file>},
    Option{"control_socket", "/run/tlspolicyd/control.sock", false,
           "Where tlspolicyctl reaches the daemon.", "an absolute path of at most 107 bytes",
           set_control_socket},
    Option{"tlsmap_listen", "inet:127.0.0.1:8460", false,
           "Where Postfix asks for TLS policies (socketmap).", kListenRule,
           set_listen<&C::tlsmap_listen>},
    Option{"policyd_listen", "", false,
           "Where Postfix asks about incoming and submitted mail (policy delegation).", kListenRule,
           set_listen<&C::policyd_listen>},
    Option{"http_listen", "", false,
           "Where metrics, health checks and the status page are served; empty: nowhere.",
           kHttpListenRule, set_http_listen},
    Option{"socket_mode", "0666", false, "Permissions of the unix sockets that Postfix talks to.",
           "an octal mode up to 0777", set_socket_mode},
    Option{"socket_owner", "", false, "Owner of those sockets; empty: unchanged.", kName,
           set_account<&C::socket_owner>},
    Option{"socket_group", "", false, "Group of those sockets; empty: unchanged.", kName,
           set_account<&C::socket_group>},
    Option{"mode", "enforce", true,
           "enforce, or observe: answer as if there were no rows, and change nothing.",
           "enforce or observe", set_mode},
    Option{"postfix_version", "3.4", true,
           "The oldest Postfix that asks map `policy`; answers hold only what it understands.",
           "MAJOR.MINOR or MAJOR.MINOR.PATCH, from 3.4", set_postfix_version},
    Option{"evidence_uid", "postfix", true,
           "The user whose delivery outcomes on a unix socket are believed.", kName,
           set_account<&C::evidence_uid>},
    Option{"trust_tcp_outcomes", "no", true,
           "Whether delivery outcomes that come over TCP are believed.", kYesNo,
           set_yes_no<&C::trust_tcp_outcomes>},
    Option{"maillog", "", false,
           "The mail log to follow: a file, or journald for the systemd journal.",
           "an absolute path, journald, or empty", set_maillog},
    Option{"trust_maillog", "no", true,
           "Whether a log file may change an answer; any local user can write to syslog.", kYesNo,
           set_yes_no<&C::trust_maillog>},
    Option{"tlsrpt_socket", "", false, "Where Postfix sends its TLSRPT datagrams.", kSocketPath,
           set_socket_path<&C::tlsrpt_socket>},
    Option{"tlsrpt_tee", "", false, "Another collector that gets each TLSRPT datagram too.",
           kSocketPath, set_socket_path<&C::tlsrpt_tee>},
    Option{"freeze_domains", "5", true,
           "So many destinations failing at once are taken for a fault of ours.", "1 to 100000",
           set_number<&C::freeze_domains, 1, 100'000>},
    Option{"freeze_share", "20", true,
           "The same as a share of the destinations tried, in per cent.", "1 to 100",
           set_number<&C::freeze_share, 1, 100>},
    Option{"freeze_window", "600", true, "The time within which they count, in seconds.",
           "1 to 86400", set_number<&C::freeze_window, 1, 86'400>},
    Option{"tls_ca_file", "", true, "Certificate authorities for probes; empty: the system's own.",
           "an absolute path, or empty", set_optional_path<&C::tls_ca_file>},
    Option{"resolver", "", true, "The validating resolver; empty: /etc/resolv.conf.",
           wire::kResolverRule, set_resolver},
    Option{"probe_allow", "", true, "Networks that may be probed though private or reserved.",
           "addresses and networks like 10.0.0.0/8, fd00::/8, or empty", set_probe_allow},
    Option{"probe_opt_out", "", true,
           "Domains, mail hosts and networks that scheduled probes leave alone.",
           "names like example.com or .example.com and networks like 192.0.2.0/24, or empty",
           set_probe_opt_out},
    Option{"probe_watch", "yes", true,
           "Whether destinations that matter are probed once a day, and sooner in trouble.", kYesNo,
           set_yes_no<&C::probe_watch>},
    Option{"alarm_command", "", true, "A program to run when an alarm rises.",
           "an absolute path, or empty", set_optional_path<&C::alarm_command>},
    Option{"alarm_mail", "", true, "Whom alarms are mailed to, by sendmail_command.",
           "user@example.com, a local name, or empty", set_alarm_mail},
    Option{"sendmail_command", "/usr/sbin/sendmail", true,
           "What takes a mail on its standard input, with -i -t.", kPath,
           set_path<&C::sendmail_command>},
    Option{"user", "", false, "Whom the daemon runs as once its sockets are bound.", kName,
           set_account<&C::user>},
    Option{"group", "", false, "Its group; empty: the user's own.", kName, set_account<&C::group>},
    Option{"log_level", "info", true, "The least important line that is logged.",
           "debug, info, warning or error", set_log_level},
    Option{
        "stall_timeout", "10", true,
        "Seconds after which a peer that stops in the middle of a request, or leaves its answers "
        "unread, is hung up on.",
        "1 to 3600", set_number<&C::stall_timeout, 1, 3'600>},
};

}  // namespace

std::span<const Option> options() {
  return kOptions;
}

}  // namespace app
