// probe --self: our own mail hosts as a strict sender sees them, and what to do about it.
#include <fmt/format.h>

#include <algorithm>

#include "src/app/ctl_probe.h"
#include "src/app/ctl_table.h"
#include "src/app/doctor_gather.h"
#include "src/app/own_domains.h"
#include "src/base/text.h"

namespace app::ctl {
namespace {

using engine::Remark;
using Weight = Remark::Weight;

constexpr const char* kNameThem = "name your domains: tlspolicyctl probe --self example.com";

// Why a domain comes to no host. One that main.cf knows and DNS does not gets mail from here alone.
Remark remark_of(const ProbedTarget& target, bool is_named) {
  const auto fault = *target.fault;
  if (model::is_unknown(fault)) {
    return {Weight::Objection, target.trouble, "see that senders can look it up: its mail waits"};
  }
  if (fault == model::RouteFault::NullMx) return {Weight::Fine, target.trouble, {}};
  const bool is_absent =
      target.kind == model::Route::Kind::ImplicitMx && fault == model::RouteFault::NoSuchName;
  if (is_absent && !is_named) {
    return {Weight::Fine, fmt::format("{}: no mail from outside comes to it", target.trouble), {}};
  }
  return {Weight::Objection, target.trouble,
          "give it an MX record, and the host of that an address"};
}

template <class Visit>
void for_each_list(const ProbedTarget& target, Visit visit) {
  visit(target.destination, target.remarks);
  for (const auto& host : target.hosts) {
    visit(host.name, host.remarks);
    for (const auto& endpoint : host.endpoints) visit(title_of(host, endpoint), endpoint.remarks);
  }
}

std::string text_of(const std::vector<Remark>& remarks) {
  Table table;
  for (const auto& remark : remarks) {
    table.add({std::string(to_word(remark.weight)), remark.what});
    if (!remark.action.empty()) table.add({"", "to do: " + remark.action});
  }
  return table.render(2);
}

}  // namespace

base::Result<std::vector<std::string>> find_own_destinations(const Arguments& arguments) {
  if (!arguments.destinations.empty()) return arguments.destinations;
  const auto host = doctor::read_instances(arguments.postfix_configs);
  if (!host) return base::Error{fmt::format("{}; or {}", host.error(), kNameThem)};
  auto own = doctor::find_own_domains(*host);
  for (const auto& each : own.unread) {
    warn(fmt::format("{} is not read; name the domains in it", base::printable(each)));
  }
  if (own.names.empty()) {
    return base::Error{
        fmt::format("main.cf names no domain that gets mail from outside; {}", kNameThem)};
  }
  return std::move(own.names);
}

void judge_own_side(const Context& context, bool is_named, ProbedTarget& target) {
  if (target.fault) target.remarks.push_back(remark_of(target, is_named));
  for (auto& host : target.hosts) {
    if (!host.trouble.empty() && !target.fault) {
      host.remarks.push_back({Weight::Objection, host.trouble, "mend its records in DNS"});
    }
    for (auto& endpoint : host.endpoints) {
      if (endpoint.refused.empty()) {
        endpoint.remarks = engine::find_remarks(endpoint.seen, endpoint.expected,
                                                context.now.time_since_epoch().count());
      } else {
        endpoint.remarks = {{Weight::Unknown, endpoint.refused, {}}};
      }
    }
  }
}

bool is_unobjected(const ProbedTarget& target) {
  bool is_good = true;
  for_each_list(target, [&](const auto&, const auto& remarks) {
    is_good = is_good && std::all_of(remarks.begin(), remarks.end(), [](const Remark& remark) {
                return remark.weight == Weight::Fine;
              });
  });
  return is_good;
}

void show_own_side(const std::vector<ProbedTarget>& targets) {
  say("\nWHAT A STRICT SENDER SAYS");
  for (const auto& target : targets) {
    say("\n" + terminal_text(target.destination) +
        (is_unobjected(target) ? ": nothing against it" : ""));
    for_each_list(target, [&](const std::string& title, const auto& remarks) {
      if (remarks.empty()) return;
      if (&remarks != &target.remarks) say(terminal_text(title));
      fmt::print(stdout, "{}", text_of(remarks));
    });
  }
}

}  // namespace app::ctl
