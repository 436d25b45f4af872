#include "src/wire/resolver_choice.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "src/base/text.h"
#include "src/model/reserved_address.h"

namespace wire {
namespace {

constexpr std::size_t kMostServers = 3;
constexpr std::string_view kTrust = "trust-ad";

bool is_on_this_host(const ResolverChoice::Server& server) {
  const auto address = model::parse_address(server.address);
  return address && model::reserved_as(*address) == "loopback";
}

bool are_on_this_host(const ResolverChoice& choice) {
  return std::all_of(choice.servers.begin(), choice.servers.end(), is_on_this_host);
}

std::optional<ResolverChoice::Server> parse_server(std::string_view text) {
  ResolverChoice::Server server;
  if (model::parse_address(text)) {
    server.address = text;
    return server;
  }
  const auto colon = text.rfind(':');
  if (colon == text.npos) return std::nullopt;
  auto host = text.substr(0, colon);
  const bool is_bracketed = host.starts_with('[') && host.ends_with(']');
  if (is_bracketed) host = host.substr(1, host.size() - 2);
  const auto port = base::parse_number<std::uint16_t>(text.substr(colon + 1));
  const bool is_v6 = host.find(':') != host.npos;
  if (!port || *port == 0 || is_v6 != is_bracketed || !model::parse_address(host)) {
    return std::nullopt;
  }
  server.address = host;
  server.port = *port;
  return server;
}

}  // namespace

base::Result<ResolverChoice> parse_resolver_setting(std::string_view text) {
  const auto words = base::split(text, " \t");
  const auto server = words.empty() ? std::nullopt : parse_server(words.front());
  const bool has_trust = words.size() == 2 && words.back() == kTrust;
  if (!server || (words.size() > 1 && !has_trust)) {
    return base::Error{fmt::format("\"{}\" is no resolver; allowed is {}",
                                   base::printable(text, 100), kResolverRule)};
  }
  ResolverChoice choice{{*server}, has_trust};
  choice.is_trusted = has_trust || are_on_this_host(choice);
  return choice;
}

ResolverChoice parse_resolv_conf(std::string_view text) {
  ResolverChoice choice;
  bool has_trust = false;
  for (const auto line : base::split(text, "\n")) {
    // A comment's mark is one in the first column alone.
    if (line.starts_with('#') || line.starts_with(';')) continue;
    const auto words = base::split(line, " \t\r");
    if (words.size() < 2) continue;
    if (words.front() == "nameserver" && model::parse_address(words[1])) {
      if (choice.servers.size() < kMostServers) choice.servers.push_back({std::string(words[1])});
    } else if (words.front() == "options") {
      has_trust = has_trust || std::find(words.begin(), words.end(), kTrust) != words.end();
    }
  }
  if (choice.servers.empty()) choice.servers.push_back({"127.0.0.1"});
  choice.is_trusted = has_trust || are_on_this_host(choice);
  return choice;
}

}  // namespace wire
