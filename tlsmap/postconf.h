// What postconf(1) and postmulti(1) print, and the small grammars inside main.cf's values: lists of
// tables, of next-hops, of restrictions. Text in, values out; runs nothing.
//
// All of it is somebody else's text: whatever doesn't fit is left out, never guessed.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/model/postfix_version.h"

namespace tlsmap {

using Parameters = std::map<std::string, std::string, std::less<>>;

// `postconf -n`, `-x`, `-d`: "name = value" lines; of a name printed twice the last one counts.
Parameters parse_parameters(std::string_view output);

struct MasterService {
  std::string name;        // "smtp", "127.0.0.1:2525"
  std::string type;        // "unix", "inet"
  std::string chroot;      // "y", "n" or "-"
  std::string program;     // first word of the command
  Parameters overrides{};  // its -o options, as written
};
inline constexpr std::size_t kMostServices = 1000;

// `postconf -F` ("smtp/unix/chroot = y") together with `postconf -P` ("smtp/unix/name = value"), in
// the order of master.cf; at most kMostServices.
std::vector<MasterService> parse_master(std::string_view fields, std::string_view overrides);

struct ListedInstance {
  std::string name;       // "-" for the first one
  std::string directory;  // its configuration
};
// `postmulti -l`: name, group, whether it is enabled, directory. Those switched off are left out.
std::vector<ListedInstance> parse_instances(std::string_view output);

// "3.7.11", "3.12-20260821" (mail_version(5)): the numbers.
std::optional<model::PostfixVersion> parse_mail_version(std::string_view text);

// A list's parts, split at commas and blanks outside braces (mystrtokq() with CHARS_COMMA_SP, as in
// global/maps.c), braces kept.
std::vector<std::string_view> split_list(std::string_view list);

// A server's address as Postfix writes it: unix:PATH (or local:), inet:HOST:PORT.
struct Endpoint {
  std::string text;  // as written
  bool is_unix = false;
  std::string path;
  std::string host;  // without brackets; "127.0.0.1" for localhost and where none is given
  std::string port;
};
std::optional<Endpoint> parse_endpoint(std::string_view text);

// One table of a list. `proxy:` and `debug:` in front are taken off.
struct TableSpec {
  std::string text;  // as written
  std::string type;  // "socketmap", "hash", ...
  bool is_proxied = false;
  // Of a socketmap alone [F 1.1].
  std::optional<Endpoint> endpoint{};
  std::string map{};
};
std::vector<TableSpec> parse_tables(std::string_view list);

// transport(5): "smtp:[relay.example]:25", "smtp:", ":", "[relay.example]" never (that is a
// relayhost). Several next-hops where Postfix takes a list.
struct Route {
  std::string transport;  // empty: the one that would have been used
  std::vector<std::string> hops{};
};
Route parse_route(std::string_view text);

// The endpoints that stand behind check_policy_service in a list of restrictions.
std::vector<Endpoint> find_policy_services(std::string_view restrictions);

// Whether smtp_tls_loglevel makes Postfix log each TLS session with its security level
// ("... TLS connection established"); a number, names, or a list of both (tls/tls_misc.c,
// tls_log_table).
bool logs_tls_sessions(std::string_view smtp_tls_loglevel);

// The addresses on `nameserver` lines of a resolv.conf(5).
std::vector<std::string> parse_nameservers(std::string_view resolv_conf);

}  // namespace tlsmap
