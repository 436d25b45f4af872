#include "src/app/doctor_mx.h"

#include <fmt/format.h>

#include "src/app/ctl_probe_routes.h"
#include "src/model/next_hop.h"

namespace app::doctor {
namespace {

MxFact fact_of(const model::Route& route) {
  MxFact fact;
  for (const auto& host : route.hosts) {
    if (model::is_domain(host.name)) fact.hosts.push_back(host.name);
  }
  if (fact.hosts.empty()) {
    fact.trouble = route.text.empty() ? "no usable MX host was found" : route.text;
  }
  return fact;
}

}  // namespace

std::map<std::string, MxFact> find_mx_hosts(const ctl::Context& context,
                                            const std::vector<std::string>& domains) {
  std::map<std::string, MxFact> facts;
  const auto routes = ctl::find_routes(context, domains);
  for (std::size_t i = 0; i < domains.size(); ++i) {
    facts.emplace(domains[i], routes ? fact_of((*routes)[i]) : MxFact{{}, routes.error()});
  }
  return facts;
}

}  // namespace app::doctor
