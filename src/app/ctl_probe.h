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
#include "src/engine/own_side.h"
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
  std::vector<engine::Remark> remarks;  // of our own side alone, from here on
};

struct ProbedHost {
  std::string name;
  std::uint16_t preference = 0;
  std::string trouble;  // why there is no address, or what is odd about those there are
  std::vector<ProbedEndpoint> endpoints;
  engine::WouldDeliver would;
  std::vector<engine::Remark> remarks;
};

struct ProbedTarget {
  std::string destination;  // as a row would have it
  model::Route::Kind kind = model::Route::Kind::Mx;
  std::optional<model::RouteFault> fault;
  std::string trouble;
  std::vector<ProbedHost> hosts;
  engine::WouldDeliver would;
  std::vector<engine::Remark> remarks;
};

// Probes every address of every route and prints what came of it: the way from routes to the end of
// the verb, whoever found the routes.
Exit probe_routes(const Context& context, const Arguments& arguments,
                  const std::vector<model::Route>& routes);

// ctl_probe_list: of the command line and of --file, in their order and normal form, none twice.
base::Result<std::vector<std::string>> destinations_of(const Arguments& arguments);

// ctl_probe_run: the endpoints still to be probed, `seen` filled in; live on a terminal's way.
base::Result<void> run_probes(const Context& context, const Arguments& arguments,
                              std::vector<ProbedTarget>& targets);

// ctl_probe_verdict: what follows from what was seen.
void judge(ProbedTarget& target);
// TLS is sure at every address, and nobody takes mail without it who was to refuse that.
[[nodiscard]] bool is_well(const ProbedTarget& target);
struct NextStep {
  std::vector<std::string> commands;  // to type next; empty where nothing can be recommended
  std::string objection;              // why there is none, where a row asks for more already
};
NextStep next_step(const Context& context, const ProbedTarget& target);
// The one pin of all endpoints, of the public key, or empty.
std::string common_pin(const ProbedTarget& target);

// ctl_probe_standing: a sentence where a row in force asks for more than `profile`, or where that
// can't be told; else empty.
std::string find_stricter_row(const Context& context, const std::string& destination,
                              std::string_view profile);

// ctl_probe_text: what a terminal gets; the texts are filtered.
std::string title_of(const ProbedHost& host, const ProbedEndpoint& endpoint);
std::string text_of(const model::ProbeStep& step);
std::string verdicts_of(const ProbedEndpoint& endpoint, base::sys_seconds now);

// ctl_probe_show: the end of the verb, for people.
// `is_self`: without commands to type.
void show_summary(const Context& context, const std::vector<ProbedTarget>& targets, bool is_self);
void show_details(const Context& context, const std::vector<ProbedTarget>& targets);

// ctl_probe_self: probe --self. The destinations, in `arguments` or of the Postfix on this host.
base::Result<std::vector<std::string>> find_own_destinations(const Arguments& arguments);
// What a strict sender would say, on each level. `is_named`: an admin has named the domain.
void judge_own_side(const Context& context, bool is_named, ProbedTarget& target);
// Nobody objects, and all could be seen.
[[nodiscard]] bool is_unobjected(const ProbedTarget& target);
void show_own_side(const std::vector<ProbedTarget>& targets);

// ctl_probe_json
// `is_self`: with remarks instead of commands.
Json to_json(const Context& context, const ProbedTarget& target, bool is_self);

}  // namespace app::ctl
