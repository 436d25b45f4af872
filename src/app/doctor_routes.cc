// Where mail goes besides the domain it is addressed to: relays, fallback relays, tables that
// route. Postfix asks for the next-hop it uses [F 2.1.1]; the row of the domain is not asked then.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "src/app/doctor_checks.h"
#include "src/app/doctor_ours.h"
#include "src/base/text.h"
#include "src/model/next_hop.h"

namespace app::doctor {
namespace {

constexpr std::array kSenderTables{"sender_dependent_relayhost_maps",
                                   "sender_dependent_default_transport_maps"};

// Final transports and those that send nothing anywhere.
bool sends_nothing(std::string_view transport) {
  constexpr std::array<std::string_view, 4> kSilent{"error", "retry", "discard", "hold"};
  return std::find(kSilent.begin(), kSilent.end(), transport) != kSilent.end();
}

std::vector<std::string> hops_of_list(std::string_view list) {
  std::vector<std::string> hops;
  for (const auto hop : tlsmap::split_list(list)) hops.emplace_back(hop);
  return hops;
}

const HopRow* row_of(const OurSide& ours, std::string_view hop) {
  const auto at = ours.hops.find(hop);
  return at == ours.hops.end() || at->second.row.empty() ? nullptr : &at->second;
}

bool has_mandatory_row(const OurSide& ours, const std::vector<std::string>& hops) {
  return !hops.empty() && std::all_of(hops.begin(), hops.end(), [&](const std::string& hop) {
    const auto* row = row_of(ours, hop);
    return row != nullptr && !row->is_faulty && !may_go_clear(row->level, row->fallback);
  });
}

std::vector<std::string> require_hops(const OurSide& ours, const std::vector<std::string>& hops,
                                      std::string_view profile) {
  std::vector<std::string> lines;
  for (const auto& hop : hops) {
    if (!has_mandatory_row(ours, {hop})) lines.push_back(set_row(ours, hop, profile));
  }
  return lines;
}

// All mail goes to these hops, by `parameter`.
void check_relay(const Instance& instance, const OurSide& ours, const char* parameter,
                 const std::vector<std::string>& hops, Findings& findings) {
  Notes note(findings, "relayhost", &instance);
  const auto looked_at = describe(instance, nullptr, parameter);
  if (hops.empty()) return note.ok(looked_at, "mail goes to its own domain");
  if (!ours.policy) return note.skip(looked_at, "policy.db could not be read");
  const auto rows = mandatory_domains(ours);
  const auto names = base::join(hops, ", ");
  if (!rows) {
    return note.ok(looked_at, fmt::format("mail goes to {}, and Postfix asks for that alone; no "
                                          "row of a domain demands TLS",
                                          names));
  }
  if (has_mandatory_row(ours, hops)) {
    return note.warn(looked_at,
                     fmt::format("mail goes to {} by TLS, as its row demands; {} is never asked, "
                                 "and what the relay does then is its own affair",
                                 names, name_rows(rows)));
  }
  note.fail(looked_at,
            fmt::format("mail goes to {}, and Postfix asks for that alone: {} is never asked, and "
                        "its mail may go in clear. Demand TLS of the relay, or let mail go to its "
                        "own domain",
                        names, name_rows(rows)),
            require_hops(ours, hops, "required"));
}

void check_sender_tables(const Instance& instance, const OurSide& ours, Findings& findings) {
  const Service outside;
  for (const char* parameter : kSenderTables) {
    const auto list = tlsmap::parse_tables(instance.value(parameter));
    if (list.size() == find_our_tables(ours.config, instance, outside, list).size()) continue;
    const auto rows = mandatory_domains(ours);
    Notes(findings, "relayhost", &instance)
        .complain(
            static_cast<bool>(rows), describe(instance, nullptr, parameter),
            fmt::format("mail of the senders in it goes to another next-hop, and Postfix asks "
                        "for that alone{}",
                        rows ? fmt::format(": {} does not hold for them", name_rows(rows)) : ""),
            {set_parameter(instance, nullptr, parameter, "")});
  }
}

void check_fallback(const Instance& instance, const Service& service, const OurSide& ours,
                    Findings& findings) {
  constexpr const char* kParameter = "smtp_fallback_relay";
  Notes note(findings, "fallback-relay", &instance, &service);
  const auto looked_at = describe(instance, &service, kParameter);
  const auto hops = hops_of_list(instance.value(service, kParameter));
  if (hops.empty()) return note.ok(looked_at, "none");
  const auto rows = mandatory_domains(ours);
  note.complain(
      static_cast<bool>(rows), looked_at,
      fmt::format("mail that its own MX hosts don't take goes to {}, under the row of that name{}",
                  base::join(hops, ", "),
                  rows ? fmt::format(": where TLS fails, {} is passed by", name_rows(rows)) : ""),
      {set_parameter(instance, &service, kParameter, "")});
}

const Service* find_service(const Instance& instance, std::string_view name) {
  const auto at = std::find_if(
      instance.services.begin(), instance.services.end(),
      [&](const Service& each) { return each.master.name == name && each.master.type == "unix"; });
  return at == instance.services.end() ? nullptr : &*at;
}

bool holds_to_rows(const Instance& instance, const OurSide& ours, const std::string& transport) {
  const auto* service = find_service(
      instance, transport.empty()
                    ? tlsmap::parse_route(instance.value("default_transport")).transport
                    : transport);
  if (service == nullptr || !is_smtp_client(*service)) return false;
  const auto level = model::parse_level(instance.value(*service, "smtp_tls_security_level"));
  return policy_table_of(ours.config, instance, *service) ||
         (level && model::is_tls_required(*level));
}

void check_route(const Instance& instance, const OurSide& ours, const RouteFact& fact,
                 Findings& findings) {
  Notes note(findings, "routes", &instance);
  const auto looked_at = fmt::format("{}: {} in {}", fact.parameter, fact.destination, fact.table);
  if (!fact.trouble.empty()) {
    return note.skip(looked_at, fmt::format("could not be looked up: {}", fact.trouble));
  }
  auto route = tlsmap::parse_route(fact.result);
  if (sends_nothing(route.transport)) return note.ok(looked_at, fact.result + ": nothing is sent");
  if (!holds_to_rows(instance, ours, route.transport)) {
    return note.fail(looked_at,
                     fmt::format("it goes by {}, which does not ask tlspolicyd: row {} does not "
                                 "hold. Take it out of that table, or name a transport that asks",
                                 fact.result, fact.destination));
  }
  std::erase(route.hops, fact.destination);
  if (route.hops.empty() || has_mandatory_row(ours, route.hops)) {
    return note.ok(looked_at,
                   fmt::format("{}: the row of that next-hop demands TLS as well", fact.result));
  }
  note.fail(looked_at,
            fmt::format("it goes to {}, and Postfix asks for that alone: row {} is never asked",
                        fact.result, fact.destination),
            require_hops(ours, route.hops, fact.profile));
}

// A next-hop that the configuration names, and the service that carries mail there.
struct HopUse {
  const Service* service = nullptr;
  std::string hop{};
  std::string from{};  // the parameter
  bool is_filter = false;
};

void add_hops(const Instance& instance, std::string_view transport, std::vector<std::string> hops,
              std::string_view from, bool is_filter, std::vector<HopUse>& uses) {
  const auto* service = find_service(instance, transport);
  if (service == nullptr || !is_smtp_client(*service)) return;
  for (auto& hop : hops) {
    const bool is_known = std::any_of(uses.begin(), uses.end(), [&](const HopUse& each) {
      return each.service == service && each.hop == hop && each.is_filter == is_filter;
    });
    if (!is_known) uses.push_back({service, std::move(hop), std::string(from), is_filter});
  }
}

std::vector<HopUse> list_hop_uses(const Instance& instance) {
  std::vector<HopUse> uses;
  for (const char* parameter : {"default_transport", "relay_transport"}) {
    const auto route = tlsmap::parse_route(instance.value(parameter));
    add_hops(instance, route.transport, route.hops, parameter, false, uses);
    if (route.hops.empty()) {
      add_hops(instance, route.transport, hops_of_list(instance.value("relayhost")), "relayhost",
               false, uses);
    }
  }
  const auto add_filter = [&](std::string_view value) {
    const auto route = tlsmap::parse_route(value);
    add_hops(instance, route.transport, route.hops, "content_filter", true, uses);
  };
  add_filter(instance.value("content_filter"));
  for (const Service& service : instance.services) {
    if (service.effective) add_filter(instance.value(service, "content_filter"));
    if (!is_smtp_client(service)) continue;
    add_hops(instance, service.master.name,
             hops_of_list(instance.value(service, "smtp_fallback_relay")), "smtp_fallback_relay",
             false, uses);
  }
  return uses;
}

std::string name_answer(const HopRow* row, const Instance& instance, const Service& service) {
  if (row != nullptr) {
    return fmt::format("row {} ({}, {}) answers for it", row->row, model::to_word(row->level),
                       model::to_word(row->fallback));
  }
  const auto level = instance.value(service, "smtp_tls_security_level");
  return fmt::format("no row answers for it, and smtp_tls_security_level is {}",
                     level.empty() ? "none" : level);
}

void check_filter(const Instance& instance, const OurSide& ours, const HopUse& use,
                  Findings& findings) {
  Notes note(findings, "content-filter", &instance, use.service);
  const auto looked_at = fmt::format("{} = {}:{}", use.from, use.service->master.name, use.hop);
  const auto* row = row_of(ours, use.hop);
  const auto answer = name_answer(row, instance, *use.service);
  if (row == nullptr || row->row == model::normalise_key(use.hop).text ||
      row->level == model::Level::None) {
    return note.ok(looked_at, answer);
  }
  note.complain(model::is_tls_required(row->level) || row->is_faulty, looked_at,
                fmt::format("{}: it is meant for others, and a filter without TLS would hold up "
                            "all mail. Give the filter a row of its own",
                            answer),
                {set_row(ours, use.hop, "off")});
}

void check_secrets(const Instance& instance, const OurSide& ours, const HopUse& use,
                   Findings& findings) {
  const bool has_sasl = is_yes(instance.value(*use.service, "smtp_sasl_auth_enable"));
  const bool has_wrapper = is_yes(instance.value(*use.service, "smtp_tls_wrappermode"));
  if (!has_sasl && !has_wrapper) return;
  Notes note(findings, "sasl", &instance, use.service);
  const auto looked_at =
      fmt::format("{} {} with {}", use.from, use.hop,
                  has_wrapper ? "smtp_tls_wrappermode" : "smtp_sasl_auth_enable");
  const auto* row = row_of(ours, use.hop);
  const auto main_level =
      model::parse_level(instance.value(*use.service, "smtp_tls_security_level"));
  const auto level = row != nullptr ? row->level : main_level.value_or(model::Level::None);
  const auto fallback = row != nullptr ? row->fallback : model::Fallback::Never;
  const auto answer = name_answer(row, instance, *use.service);
  if (!may_go_clear(level, fallback)) return note.ok(looked_at, answer);
  note.complain(
      has_wrapper || row != nullptr, looked_at,
      fmt::format("{}: {}", answer,
                  has_wrapper ? "below encrypt Postfix sends nothing to a port that opens with TLS"
                              : "the password may go over the wire in clear"),
      {set_row(ours, use.hop, "required")});
}

}  // namespace

void check_relays(const Instance& instance, const OurSide& ours, Findings& findings) {
  check_relay(instance, ours, "relayhost", hops_of_list(instance.value("relayhost")), findings);
  for (const char* parameter : {"default_transport", "relay_transport"}) {
    const auto route = tlsmap::parse_route(instance.value(parameter));
    if (!route.hops.empty()) check_relay(instance, ours, parameter, route.hops, findings);
  }
  check_sender_tables(instance, ours, findings);
  for (const Service& service : instance.services) {
    if (is_smtp_client(service) && policy_table_of(ours.config, instance, service)) {
      check_fallback(instance, service, ours, findings);
    }
  }
}

void check_routes(const PostfixHost& host, const Instance& instance, const OurSide& ours,
                  Findings& findings) {
  const auto index = static_cast<std::size_t>(&instance - host.instances.data());
  for (const RouteFact& fact : host.routes) {
    if (fact.instance == index) check_route(instance, ours, fact, findings);
  }
}

void check_hops(const Instance& instance, const OurSide& ours, Findings& findings) {
  for (const HopUse& use : list_hop_uses(instance)) {
    if (!ours.policy) continue;
    if (!policy_table_of(ours.config, instance, *use.service)) {
      if (!use.is_filter) continue;
      Notes(findings, "content-filter", &instance, use.service)
          .ok(fmt::format("{} = {}:{}", use.from, use.service->master.name, use.hop),
              "this service does not ask tlspolicyd");
    } else if (use.is_filter) {
      check_filter(instance, ours, use, findings);
    } else {
      check_secrets(instance, ours, use, findings);
    }
  }
}

std::set<std::string> list_next_hops(const PostfixHost& host) {
  std::set<std::string> hops;
  for (const Instance& instance : host.instances) {
    for (const HopUse& use : list_hop_uses(instance)) hops.insert(use.hop);
    for (auto& hop : hops_of_list(instance.value("relayhost"))) hops.insert(std::move(hop));
  }
  for (const RouteFact& fact : host.routes) {
    for (auto& hop : tlsmap::parse_route(fact.result).hops) hops.insert(std::move(hop));
  }
  return hops;
}

std::vector<std::pair<std::string, std::string>> list_routing_tables(const Instance& instance,
                                                                     const Config& config) {
  std::vector<std::pair<std::string, std::string>> tables;
  const auto list = tlsmap::parse_tables(instance.value("transport_maps"));
  const auto ours = find_our_tables(config, instance, Service{}, list);
  for (std::size_t i = 0; i < list.size(); ++i) {
    const bool is_ours = std::any_of(ours.begin(), ours.end(),
                                     [&](const OurTable& each) { return each.place == i; });
    if (!is_ours) tables.emplace_back("transport_maps", list[i].text);
  }
  return tables;
}

}  // namespace app::doctor
