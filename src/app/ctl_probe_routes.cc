#include "src/app/ctl_probe_routes.h"

#include <memory>

#include "src/app/probe_setup.h"
#include "src/jobs/route_search.h"

namespace app::ctl {
namespace {

struct Search {
  std::size_t index;
  std::unique_ptr<jobs::RouteSearch> running;
};

}  // namespace

base::Result<std::vector<model::Route>> find_routes(const Context& context,
                                                    const std::vector<std::string>& destinations) {
  std::vector<model::Route> routes(destinations.size());
  std::vector<Search> searches;
  for (std::size_t i = 0; i < destinations.size(); ++i) {
    // An address needs no resolver, not even one that works.
    jobs::MailRoute known(destinations[i]);
    if (known.take_questions().empty()) {
      routes[i] = known.route();
    } else {
      searches.push_back({i, nullptr});
    }
  }
  if (searches.empty()) return routes;
  const auto choice = choose_resolver(context.config);
  if (!choice) return base::Error{choice.error()};
  net::Loop loop;
  auto desk = jobs::DnsDesk::make(loop, *choice, {});
  if (!desk) return base::Error{desk.error()};
  std::size_t left = searches.size();
  for (auto& search : searches) {
    search.running = std::make_unique<jobs::RouteSearch>(loop, **desk, destinations[search.index],
                                                         [&](const model::Route& route) {
                                                           routes[search.index] = route;
                                                           if (--left == 0) loop.stop();
                                                         });
  }
  loop.run();
  return routes;
}

}  // namespace app::ctl
