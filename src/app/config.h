// tlspolicyd.conf: `key = value` lines, `#` comments, continuation lines that begin with a blank.
//
// Text in, values out: reads no file by itself, so that a role can take its configuration from a
// message and a fuzzer from anywhere. The table of options in options.cc is the only place that
// knows a key; the sample file and the messages come from it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/log.h"
#include "src/base/result.h"
#include "src/model/level.h"
#include "src/model/postfix_version.h"

namespace app {

// One address to serve: inet:127.0.0.1:8460, inet:[::1]:8460, unix:/path, or systemd:NAME for a
// socket that was passed in under that name (sd_listen_fds(3), FileDescriptorName=).
struct Listen {
  enum class Kind : std::uint8_t { Inet, Unix, Passed };
  Kind kind = Kind::Inet;
  std::string text;  // as written
  std::string host;  // literal address, Inet alone
  std::uint16_t port = 0;
  std::string path;  // Unix: the path; Passed: the name
  bool operator==(const Listen&) const = default;
};

// Defaults stand in the table of options; parse_config sets them first.
struct Config {
  std::string policy_db;
  std::string state_db;
  std::string image_file;
  std::string control_socket;
  std::vector<Listen> tlsmap_listen;
  std::vector<Listen> policyd_listen;
  std::vector<Listen> http_listen;
  unsigned socket_mode = 0;
  std::string socket_owner;
  std::string socket_group;
  model::RowMode mode = model::RowMode::Enforce;
  model::PostfixVersion postfix_version;
  std::string evidence_uid;
  bool trust_tcp_outcomes = false;
  std::string maillog;
  bool trust_maillog = false;
  bool probe_watch = false;
  std::string tlsrpt_socket;
  std::string tlsrpt_tee;
  std::int64_t freeze_domains = 0;
  std::int64_t freeze_share = 0;
  std::int64_t freeze_window = 0;
  std::string tls_ca_file;
  std::string resolver;
  std::string probe_allow;
  std::string probe_opt_out;
  std::string alarm_command;
  std::string alarm_mail;
  std::string sendmail_command;
  std::string user;
  std::string group;
  base::LogLevel log_level = base::LogLevel::Info;
  std::int64_t stall_timeout = 0;
};

struct Option {
  std::string_view name;
  std::string_view fallback;  // the default, as it would be written
  bool reloads;               // false: a change waits for a restart, and reload says so
  std::string_view meaning;   // one sentence for the sample file and the man page
  std::string_view allowed;   // ends the error message
  // Takes a value; false where it isn't allowed.
  bool (*set)(Config& config, std::string_view value);
};
std::span<const Option> options();

struct ParsedConfig {
  Config config;
  std::vector<std::string> errors;  // "FILE:LINE: KEY: ..."; not empty: the config must not be used
  std::vector<std::string> values;  // as written, or the default, in the order of options()
};

inline constexpr std::size_t kLargestConfig = 60 * 1024;

// `file` stands in messages alone.
ParsedConfig parse_config(std::string_view text, std::string_view file);

// The bytes of a config file, or why it can't be read; at most kLargestConfig.
base::Result<std::string> read_config_file(const std::string& file);

// The value of `maillog` that is no file.
inline constexpr std::string_view kJournald = "journald";

inline constexpr std::string_view kDefaultConfigFile = "/etc/tlspolicyd/tlspolicyd.conf";

}  // namespace app
