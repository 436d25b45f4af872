// probe: what the mail hosts behind a destination do about TLS, tried by talking to each of their
// addresses. Sends no message, needs no daemon.
#include "src/app/ctl_probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "src/app/ctl_probe_routes.h"
#include "src/app/ctl_time.h"
#include "src/base/text.h"
#include "src/engine/probe_summary.h"
#include "src/model/next_hop.h"
#include "src/model/reserved_address.h"
#include "src/model/smtp_port.h"

namespace app::ctl {
namespace {

constexpr std::size_t kLongestSender = 254;  // RFC 5321 4.5.3.1.3, without the brackets

std::string find_usage_fault(const std::vector<std::string>& destinations) {
  if (destinations.empty()) return "name a destination, or a file of them with --file";
  for (const auto& each : destinations) {
    if (!model::is_deliverable(model::normalise_key(each).kind)) {
      return fmt::format(
          "\"{}\" is no destination that mail can go to: example.com, [mx.example.com], "
          "[mx.example.com]:587 or [192.0.2.1] are",
          base::printable(each, 100));
    }
    if (!model::smtp_port_of(each)) {
      return fmt::format("{}: the port must be a number, smtp or submission", each);
    }
  }
  return {};
}

bool is_sender(std::string_view text) {
  return text.size() <= kLongestSender && std::all_of(text.begin(), text.end(), [](char c) {
           return c > ' ' && c <= '~' && c != '<' && c != '>';
         });
}

// Documentation networks are nobody's: there is nothing to be led into.
std::string find_objection(const Context& context, const model::AddressBytes& address,
                           const std::vector<model::Network>& allowed) {
  const auto reserved = model::reserved_as(address);
  if (!reserved || *reserved == "documentation" || model::may_probe(address, allowed)) return {};
  return fmt::format(
      "{} is reserved ({}); to probe it all the same add it, or its network, to probe_allow in {}",
      model::address_text(address), *reserved, context.config_file);
}

ProbedTarget target_of(const Context& context, const model::Route& route,
                       const std::vector<model::Network>& allowed) {
  ProbedTarget target;
  target.destination = route.next_hop;
  target.kind = route.kind;
  target.fault = route.fault;
  target.trouble = route.text;
  const auto port = model::smtp_port_of(route.next_hop).value_or(model::kSmtpPort);
  for (const auto& host : route.hosts) {
    ProbedHost probed;
    probed.name = host.name;
    probed.preference = host.preference;
    probed.trouble = host.text;
    for (const auto& address : host.addresses) {
      ProbedEndpoint endpoint;
      endpoint.address = model::address_text(address);
      endpoint.port = port;
      endpoint.refused = find_objection(context, address, allowed);
      endpoint.expected = engine::expected_of(route, host.name);
      probed.endpoints.push_back(std::move(endpoint));
    }
    target.hosts.push_back(std::move(probed));
  }
  return target;
}

// Why nothing at all can be probed, or empty.
std::string find_hopelessness(const std::vector<ProbedTarget>& targets) {
  std::string why;
  for (const auto& target : targets) {
    if (target.fault && !model::is_unknown(*target.fault)) return {};
    if (why.empty()) why = fmt::format("{}: {}", target.destination, target.trouble);
    for (const auto& host : target.hosts) {
      for (const auto& endpoint : host.endpoints) {
        if (endpoint.refused.empty()) return {};
        why = endpoint.refused;
      }
    }
  }
  return why;
}

Exit run_probe(const Context& context, const Arguments& arguments) {
  if (!is_sender(arguments.sender))
    return refuse_usage("--from must be an address: user@example.com");
  if (!arguments.duration.empty() && !parse_duration(arguments.duration)) {
    return refuse_usage(
        fmt::format("--timeout takes a duration like 30s or 2m, not \"{}\"", arguments.duration));
  }
  if (arguments.is_self && !arguments.file.empty()) {
    return refuse_usage("--self takes the domains of Postfix, or those named; no --file");
  }
  Arguments asked = arguments;
  if (arguments.is_self) {
    auto own = find_own_destinations(arguments);
    if (!own) return fail(own.error());
    asked.destinations = std::move(*own);
  }
  const auto destinations = destinations_of(asked);
  if (!destinations) return fail(destinations.error());
  if (const auto fault = find_usage_fault(*destinations); !fault.empty())
    return refuse_usage(fault);
  const auto routes = find_routes(context, *destinations);
  if (!routes) return fail(routes.error());
  return probe_routes(context, arguments, *routes);
}

}  // namespace

Exit probe_routes(const Context& context, const Arguments& arguments,
                  const std::vector<model::Route>& routes) {
  const auto allowed = model::parse_networks(context.config.probe_allow);
  if (!allowed) return fail("probe_allow: " + allowed.error());
  std::vector<ProbedTarget> targets;
  targets.reserve(routes.size());
  for (const auto& route : routes) targets.push_back(target_of(context, route, *allowed));
  if (const auto why = find_hopelessness(targets); !why.empty()) return fail(why);
  if (const auto done = run_probes(context, arguments, targets); !done) return fail(done.error());
  bool is_all_well = true;
  for (auto& target : targets) {
    judge(target);
    if (arguments.is_self) {
      judge_own_side(context, !arguments.destinations.empty(), target);
      is_all_well = is_all_well && is_unobjected(target);
    } else {
      is_all_well = is_all_well && is_well(target);
    }
  }
  if (context.is_json) {
    JsonArray array;
    for (const auto& target : targets) array.add(to_json(context, target, arguments.is_self));
    array.finish();
  } else {
    show_summary(context, targets, arguments.is_self);
    if (targets.size() > 1) show_details(context, targets);
    if (arguments.is_self) show_own_side(targets);
  }
  return is_all_well ? Exit::Done : Exit::NotWell;
}

void add_probe_verb(const Verb& root, CommandLine& line) {
  Arguments& to = line.arguments;
  const Verb verb = add_verb(root, line, "probe",
                             "Talk to every mail host of a destination and say what it does about "
                             "TLS, and which profiles would deliver",
                             run_probe, ConfigNeed::Optional);
  verb.group(kAskingGroup);
  verb.add_option("DEST", to.destinations,
                  "example.com, [mx.example.com], [mx.example.com]:587 or [192.0.2.1]");
  verb.add_option("-f,--file", to.file, "A file with one destination a line; - is standard input")
      .type_name("FILE");
  verb.add_flag("--self", to.is_self,
                "Our own mail hosts, of the domains given or of those in Postfix's main.cf: what a "
                "strict sender would object to, and what to do");
  add_postfix_option(verb, line);
  verb.add_flag("--refuses-plaintext", to.asks_for_plain_mail,
                "Try on a second connection whether MAIL FROM is taken without TLS");
  verb.add_flag("--skip-weak", to.leaves_weak_tls,
                "Do not try on two more connections whether TLS 1.1 and older, and broken ciphers, "
                "are taken too");
  verb.add_option("--from", to.sender, "The sender that it names there; without it none, <>")
      .type_name("ADDRESS");
  verb.add_option("--timeout", to.duration, "Patience with each conversation; without it 30s")
      .type_name("DURATION");
  verb.footer(
      "Exit status: 0 every address does TLS (profile required would deliver there), 1 one does "
      "not, or puts us off,\nor takes mail in clear that --refuses-plaintext asked about, or a "
      "strict sender would object (--self), 3 nothing\ncould be probed.");
}

}  // namespace app::ctl
