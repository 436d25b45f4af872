#include "src/app/held_routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "src/app/doctor_checks.h"
#include "src/app/table_lookup.h"
#include "src/model/next_hop.h"
#include "tlsmap/postconf.h"

namespace app::held {
namespace {

constexpr std::array<std::string_view, 2> kSenderTables{"sender_dependent_relayhost_maps",
                                                        "sender_dependent_default_transport_maps"};

std::string_view domain_in(std::string_view address) {
  const auto at = address.rfind('@');
  return at == std::string_view::npos ? address : address.substr(at + 1);
}

// Types that match parts of a key themselves (dict.h: DICT_FLAG_PATTERN).
bool is_pattern_type(std::string_view type) {
  constexpr std::array<std::string_view, 5> kPatterns{"regexp", "pcre", "cidr", "tcp", "socketmap"};
  return std::find(kPatterns.begin(), kPatterns.end(), type) != kPatterns.end();
}

// Of a list of next-hops Postfix tries the first one first.
std::string first_hop(const tlsmap::Route& route) {
  return route.hops.empty() ? std::string() : route.hops.front();
}

}  // namespace

std::vector<std::string> transport_keys(std::string_view address, std::string_view delimiter,
                                        bool is_pattern) {
  std::vector<std::string> keys;
  const auto domain = domain_in(address);
  if (domain.size() != address.size()) {
    keys.emplace_back(address);
    const auto local = address.substr(0, address.size() - domain.size() - 1);
    const auto cut = local.find_first_of(delimiter);
    if (cut != std::string_view::npos && cut > 0) {
      keys.push_back(fmt::format("{}@{}", local.substr(0, cut), domain));
    }
  }
  if (!is_pattern) {
    keys.emplace_back(domain);
    for (auto dot = domain.find('.'); dot != std::string_view::npos;
         dot = domain.find('.', dot + 1)) {
      keys.emplace_back(domain.substr(dot));
    }
  }
  keys.emplace_back("*");
  return keys;
}

Routes::Routes(const doctor::Instance& instance, const Config& config)
    : directory_(instance.directory),
      delimiter_(instance.value("recipient_delimiter")),
      default_hop_(first_hop(tlsmap::parse_route(instance.value("default_transport")))) {
  if (default_hop_.empty()) default_hop_ = instance.value("relayhost");
  depends_on_sender_ =
      std::any_of(kSenderTables.begin(), kSenderTables.end(),
                  [&](std::string_view name) { return !instance.value(name).empty(); });
  for (auto& [parameter, table] : doctor::list_routing_tables(instance, config)) {
    const auto specs = tlsmap::parse_tables(table);
    tables_.push_back({table, !specs.empty() && is_pattern_type(specs.front().type)});
  }
}

base::Result<void> Routes::look_up(const std::vector<std::string>& addresses) {
  for (Table& table : tables_) {
    if (auto asked = ask(table, addresses); !asked) return asked;
  }
  return {};
}

base::Result<void> Routes::ask(Table& table, const std::vector<std::string>& addresses) const {
  std::set<std::string> keys;
  for (const auto& address : addresses) {
    for (auto& key : transport_keys(address, delimiter_, table.is_pattern)) {
      keys.insert(std::move(key));
    }
  }
  auto results = doctor::look_up_all(directory_, table.name, keys);
  if (!results) {
    return base::Error{fmt::format("transport_maps, {}: {}", table.name, results.error())};
  }
  table.results.merge(*results);
  return {};
}

// Each key is looked for in all tables before the next weaker one.
std::optional<std::string> Routes::find_route(const std::string& address) const {
  for (const auto& key : transport_keys(address, delimiter_, false)) {
    for (const Table& table : tables_) {
      const auto at = table.results.find(key);
      if (at != table.results.end()) return at->second;
    }
  }
  return std::nullopt;
}

std::string Routes::next_hop_of(const std::string& address) const {
  const std::string domain = model::normalise_key(domain_in(address)).text;
  std::string usual = default_hop_.empty() ? domain : default_hop_;
  const auto text = find_route(address);
  if (!text) return usual;
  const auto route = tlsmap::parse_route(*text);
  auto hop = first_hop(route);
  if (!hop.empty()) return hop;
  // A transport alone is for the recipient's own domain; neither changes nothing (transport(5)).
  return route.transport.empty() ? usual : domain;
}

}  // namespace app::held
