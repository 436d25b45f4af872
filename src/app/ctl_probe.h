// What the parts of `probe` share: the targets with what was seen at each of their addresses, from
// the routes that DNS gave to the verdicts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/app/ctl_context.h"
#include "src/app/ctl_verbs.h"
#include "src/base/result.h"
#include "src/engine/would_deliver.h"
#include "src/model/mail_route.h"
#include "src/model/probed_address.h"

namespace app::ctl {

struct ProbedEndpoint {
  std::string address;
  std::uint16_t port = 25;
  std::string refused;  // why it was not probed, as a sentence; empty: it was
  model::ProbedAddress seen;
  engine::Expected expected;
  engine::WouldDeliver would;
};

struct ProbedHost {
  std::string name;
  std::uint16_t preference = 0;
  std::string trouble;  // why there is no address, or what is odd about those there are
  std::vector<ProbedEndpoint> endpoints;
  engine::WouldDeliver would;
};

struct ProbedTarget {
  std::string destination;  // as a row would have it
  model::Route::Kind kind = model::Route::Kind::Mx;
  std::optional<model::RouteFault> fault;
  std::string trouble;
  std::vector<ProbedHost> hosts;
  engine::WouldDeliver would;
};

// Probes every address of every route and prints what came of it: the way from routes to the end of
// the verb, whoever found the routes.
Exit probe_routes(const Context& context, const Arguments& arguments,
                  const std::vector<model::Route>& routes);

// ctl_probe_run: the endpoints still to be probed, `seen` filled in; live on a terminal's way.
base::Result<void> run_probes(const Context& context, const Arguments& arguments,
                              std::vector<ProbedTarget>& targets);

// ctl_probe_verdict: what follows from what was seen.
void judge(ProbedTarget& target);
// TLS is sure at every address, and nobody takes mail without it who was to refuse that.
[[nodiscard]] bool is_well(const ProbedTarget& target);
// The lines to type next; empty where nothing can be recommended.
std::vector<std::string> next_commands(const Context& context, const ProbedTarget& target);
// The one pin of all endpoints, of the public key, or empty.
std::string common_pin(const ProbedTarget& target);

// ctl_probe_text: what a terminal gets; the texts are filtered.
std::string title_of(const ProbedHost& host, const ProbedEndpoint& endpoint);
std::string text_of(const model::ProbeStep& step);
std::string verdicts_of(const ProbedEndpoint& endpoint, base::sys_seconds now);

// ctl_probe_show: the end of the verb, for people.
void show_summary(const Context& context, const std::vector<ProbedTarget>& targets);
void show_details(const Context& context, const std::vector<ProbedTarget>& targets);

// ctl_probe_json
Json to_json(const Context& context, const ProbedTarget& target);

}  // namespace app::ctl
