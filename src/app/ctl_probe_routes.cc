#include "src/app/ctl_probe_routes.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <memory>

#include "src/base/handle.h"
#include "src/jobs/route_search.h"
#include "src/wire/resolver_choice.h"

namespace app::ctl {
namespace {

constexpr const char* kResolvConf = "/etc/resolv.conf";
constexpr std::size_t kLargestResolvConf = 64U * 1024;

// What can't be read is as good as empty, for the C library too: 127.0.0.1 is asked.
std::string read_resolv_conf() {
  const base::UniqueFd opened(::open(kResolvConf, O_RDONLY | O_CLOEXEC));
  std::string text;
  std::array<char, 4096> buffer{};
  while (opened && text.size() < kLargestResolvConf) {
    const auto got = ::read(opened.get(), buffer.data(), buffer.size());
    if (got <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return text;
}

base::Result<wire::ResolverChoice> choose_resolver(const Context& context) {
  if (context.config.resolver.empty()) return wire::parse_resolv_conf(read_resolv_conf());
  auto choice = wire::parse_resolver_setting(context.config.resolver);
  if (!choice) return base::Error{"resolver: " + choice.error()};
  return choice;
}

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
  const auto choice = choose_resolver(context);
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
