// `resolver_probe RESOLVER TIMEOUT TRIES DEADLINE NEXT_HOP...` asks RESOLVER, as config key
// `resolver` has it, where mail for each next-hop goes, all at once, and prints an array of routes
// as JSON. The two times are in milliseconds.
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "src/base/text.h"
#include "src/jobs/route_search.h"
#include "src/model/mail_route.h"

namespace {

using Json = nlohmann::ordered_json;

Json fault_of(const std::optional<model::RouteFault>& fault) {
  return fault ? Json(std::string(model::to_word(*fault))) : Json();
}

Json json_of(const model::Route& route) {
  Json hosts = Json::array();
  for (const auto& host : route.hosts) {
    Json addresses = Json::array();
    for (const auto& address : host.addresses) addresses.push_back(model::address_text(address));
    hosts.push_back({{"host", host.name},
                     {"preference", host.preference},
                     {"canonical", host.canonical_name},
                     {"addresses", addresses},
                     {"is_secure", host.is_secure},
                     {"fault", fault_of(host.fault)},
                     {"text", host.text}});
  }
  return {{"next_hop", route.next_hop},   {"kind", std::string(model::to_word(route.kind))},
          {"is_secure", route.is_secure}, {"fault", fault_of(route.fault)},
          {"text", route.text},           {"hosts", hosts}};
}

int milliseconds_of(const char* text) {
  return base::parse_number<int>(text).value_or(0);
}

}  // namespace

int main(int count, char** arguments) {
  const std::vector<std::string> words(arguments + 1, arguments + count);
  if (words.size() < 5) return 2;
  const auto choice = wire::parse_resolver_setting(words[0]);
  if (!choice) {
    fmt::print(stderr, "{}\n", choice.error());
    return 2;
  }
  net::Loop loop;
  net::Resolver::Limits limits;
  limits.timeout = std::chrono::milliseconds{milliseconds_of(arguments[2])};
  limits.tries = milliseconds_of(arguments[3]);
  limits.deadline = std::chrono::milliseconds{milliseconds_of(arguments[4])};
  auto desk = jobs::DnsDesk::make(loop, *choice, limits);
  if (!desk) {
    fmt::print(stderr, "{}\n", desk.error());
    return 3;
  }
  const std::vector<std::string> next_hops(words.begin() + 4, words.end());
  std::vector<Json> routes(next_hops.size());
  std::vector<std::unique_ptr<jobs::RouteSearch>> searches(next_hops.size());
  std::size_t left = next_hops.size();
  for (std::size_t i = 0; i < next_hops.size(); ++i) {
    searches[i] =
        std::make_unique<jobs::RouteSearch>(loop, **desk, next_hops[i], [&, i](const auto& route) {
          routes[i] = json_of(route);
          searches[i].reset();
          if (--left == 0) loop.stop();
        });
  }
  loop.run();
  fmt::print("{}\n", Json(routes).dump());
  return 0;
}
