// What follows from what probes saw: which profiles would deliver, per address, MX and destination,
// and the commands to type next.
#include <fmt/format.h>

#include <algorithm>

#include "src/app/ctl_probe.h"
#include "src/base/shell_word.h"
#include "src/base/text.h"

namespace app::ctl {
namespace {

constexpr std::size_t kMostMatchNames = 8;

template <class Visit>
void for_each_endpoint(const ProbedTarget& target, Visit visit) {
  for (const auto& host : target.hosts) {
    for (const auto& endpoint : host.endpoints) visit(host, endpoint);
  }
}

std::vector<engine::WouldDeliver> answers_of(const ProbedTarget& target) {
  std::vector<engine::WouldDeliver> answers;
  for_each_endpoint(target,
                    [&](const auto&, const auto& endpoint) { answers.push_back(endpoint.would); });
  return answers;
}

// The names of the MX hosts, where each of them is shown by its certificate: what `secure` can hold
// a hosted domain to.
std::string host_names(const ProbedTarget& target) {
  std::vector<std::string> names;
  for (const auto& host : target.hosts) {
    if (host.would.verified == true) names.push_back(host.name);
  }
  const bool is_all = names.size() == target.hosts.size() && names.size() <= kMostMatchNames;
  return is_all ? base::join(names, ":") : std::string();
}

}  // namespace

void judge(ProbedTarget& target) {
  std::vector<engine::WouldDeliver> of_all;
  for (auto& host : target.hosts) {
    std::vector<engine::WouldDeliver> of_host;
    for (auto& endpoint : host.endpoints) {
      if (endpoint.refused.empty()) {
        endpoint.would = engine::would_deliver(endpoint.seen, endpoint.expected);
      }
      of_host.push_back(endpoint.would);
    }
    host.would = engine::any_of(of_host);
    of_all.push_back(host.would);
  }
  target.would = engine::any_of(of_all);
}

bool is_well(const ProbedTarget& target) {
  bool is_good = !target.fault && !target.hosts.empty();
  for (const auto& host : target.hosts) is_good = is_good && !host.endpoints.empty();
  for_each_endpoint(target, [&](const auto&, const auto& endpoint) {
    is_good = is_good && endpoint.would.required.value_or(false) &&
              endpoint.seen.plain_mail != model::PlainMail::Accepted;
  });
  return is_good;
}

std::string common_pin(const ProbedTarget& target) {
  std::string pin;
  bool is_common = true;
  for_each_endpoint(target, [&](const auto&, const auto& endpoint) {
    const auto& tls = endpoint.seen.tls;
    if (!tls || tls->chain.empty() || !endpoint.would.pinned.value_or(false)) {
      is_common = false;
      return;
    }
    const auto& own = tls->chain.front().key_fingerprint;
    is_common = is_common && (pin.empty() || pin == own);
    pin = own;
  });
  return is_common ? pin : std::string();
}

NextStep next_step(const Context& context, const ProbedTarget& target) {
  const auto profile = engine::strictest_for_all(answers_of(target));
  if (!profile) return {};
  if (auto objection = find_stricter_row(context, target.destination, *profile);
      !objection.empty()) {
    return {{}, std::move(objection)};
  }
  const auto option = context.config_file == kDefaultConfigFile
                          ? std::string()
                          : " --config " + base::shell_word(context.config_file);
  const auto set =
      fmt::format("tlspolicyctl{} set {} ", option, base::shell_word(target.destination));
  std::vector<std::string> lines{set + std::string(*profile)};
  if (*profile == "verified") {
    if (const auto names = host_names(target); !names.empty()) {
      lines.push_back(fmt::format("{}secure --match {}", set, names));
    }
  } else if (*profile == "required") {
    if (const auto pin = common_pin(target); !pin.empty()) {
      lines.push_back(fmt::format("{}pinned --match {}", set, pin));
    }
  }
  return {std::move(lines), {}};
}

}  // namespace app::ctl
