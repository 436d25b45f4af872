#include "src/jobs/mail_route.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "src/base/text.h"
#include "src/model/next_hop.h"

namespace jobs {
namespace {

using model::RouteFault;
using wire::DnsLookup;
using wire::RecordType;
using Kind = model::Route::Kind;
using Outcome = DnsLookup::Outcome;

// What Postfix takes for the host of an MX record (valid_hostname.c): '_' is a letter there.
bool is_host_name(std::string_view name) {
  std::string plain(name);
  std::replace(plain.begin(), plain.end(), '_', 'x');
  return model::is_domain(plain);
}

// Of an outcome that is no record.
RouteFault fault_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::NoName:
      return RouteFault::NoSuchName;
    case Outcome::AliasLoop:
      return RouteFault::AliasLoop;
    case Outcome::Bogus:
      return RouteFault::DnssecInvalid;
    case Outcome::Timeout:
      return RouteFault::Timeout;
    case Outcome::Failure:
    case Outcome::Malformed:
    case Outcome::Unreachable:
      return RouteFault::DnsFailure;
    case Outcome::Found:
    case Outcome::NoData:
    case Outcome::Alias:
      return RouteFault::NoAddress;
  }
  return RouteFault::DnsFailure;
}

// "is unknown" is the first thing to say: it may be all that is wrong.
int weight_of(RouteFault fault) {
  if (model::is_unknown(fault)) return 3;
  return fault == RouteFault::NoAddress ? 1 : 2;
}

// What there is to say of `name` ("example.com", "MX host mx.example.com") after such a failure.
std::string sentence_of(RouteFault fault, std::string_view name, std::string_view why) {
  switch (fault) {
    case RouteFault::NotAName:
      return fmt::format("{} is no host name", name);
    case RouteFault::NoSuchName:
      return fmt::format("{} does not exist in DNS (NXDOMAIN)", name);
    case RouteFault::NoAddress:
      return fmt::format("{} has no address", name);
    case RouteFault::NullMx:
      return fmt::format("{} takes no mail: its MX record is \".\" (RFC 7505)", name);
    case RouteFault::AliasLoop:
      return fmt::format("{} is an alias that leads nowhere: {}", name, why);
    case RouteFault::DnssecInvalid:
      return fmt::format(
          "{} can't be looked up: its DNSSEC signatures do not hold, by the resolver's word", name);
    case RouteFault::Timeout:
      return fmt::format("{} can't be looked up: the resolver did not answer in time", name);
    case RouteFault::DnsFailure:
      return fmt::format("{} can't be looked up now; the resolver's answer: {}", name, why);
  }
  return {};
}

Kind kind_of(model::KeyKind kind) {
  switch (kind) {
    case model::KeyKind::Host:
      return Kind::Host;
    case model::KeyKind::Literal:
      return Kind::Literal;
    case model::KeyKind::Domain:
    case model::KeyKind::PortedDomain:
    case model::KeyKind::Parent:
    case model::KeyKind::Any:
    case model::KeyKind::AnyHost:
    case model::KeyKind::Opaque:
      return Kind::Mx;
  }
  return Kind::Mx;
}

}  // namespace

MailRoute::MailRoute(std::string_view next_hop) {
  const auto key = model::normalise_key(next_hop);
  route_.kind = kind_of(key.kind);
  route_.next_hop = key.text;
  if (!model::is_deliverable(key.kind)) {
    end_with(RouteFault::NotAName,
             fmt::format("\"{}\" is no next-hop: allowed are example.com, example.com:587, "
                         "[mx.example.com]:587 and [192.0.2.1]",
                         base::printable(next_hop, 100)));
    return;
  }
  route_.name = model::host_of(key.text);
  if (route_.kind == Kind::Mx) {
    steps_.push_back({{route_.name, RecordType::Mx}, std::nullopt});
    return;
  }
  search_host(route_.name, 0, true);
  settle_if_done();
}

std::vector<wire::DnsQuestion> MailRoute::take_questions() {
  std::vector<wire::DnsQuestion> questions;
  for (auto& step : steps_) {
    if (std::exchange(step.is_asked, true)) continue;
    // Two hosts may be aliases of one: asked once, answered for both.
    const bool is_open = std::any_of(steps_.begin(), steps_.end(), [&](const Step& other) {
      return &other != &step && other.is_asked && other.question == step.question;
    });
    if (!is_open) questions.push_back(step.question);
  }
  return questions;
}

void MailRoute::take_answer(const wire::DnsQuestion& asked, const DnsLookup& lookup) {
  std::vector<Step> answered;
  std::vector<Step> waiting;
  for (auto& step : steps_) {
    auto& list = step.is_asked && step.question == asked ? answered : waiting;
    list.push_back(std::move(step));
  }
  steps_ = std::move(waiting);
  // `list` may be either of them.
  // cppcheck-suppress knownConditionTrueFalse
  if (answered.empty()) return;
  for (auto& step : answered) {
    DnsLookup mine = lookup;
    if (goes_on(step, mine)) continue;
    const bool is_secure = step.is_secure && mine.is_secure;
    if (step.host) {
      take_addresses(*step.host, step.question.type, mine, is_secure);
    } else {
      take_mx(mine, is_secure);
    }
  }
  settle_if_done();
}

// Asks on behind an alias that leads out of the answer, as Postfix does, ten times at most. False
// where the answer is one.
bool MailRoute::goes_on(Step step, DnsLookup& lookup) {
  step.aliases += lookup.aliases;
  if (lookup.outcome != Outcome::Alias) return false;
  if (step.aliases > wire::kMostAliases) {
    lookup.outcome = Outcome::AliasLoop;
    lookup.why = "its aliases go round in a circle, or are too many";
    return false;
  }
  if (!wire::is_question_name(lookup.canonical_name)) {
    lookup.outcome = Outcome::AliasLoop;
    lookup.why = fmt::format("\"{}\" is no host name", base::printable(lookup.canonical_name, 100));
    return false;
  }
  step.question.name = lookup.canonical_name;
  step.is_secure = step.is_secure && lookup.is_secure;
  step.is_asked = false;
  steps_.push_back(std::move(step));
  return true;
}

void MailRoute::take_mx(const DnsLookup& lookup, bool is_secure) {
  route_.is_secure = is_secure;
  switch (lookup.outcome) {
    case Outcome::Found: {
      std::vector<wire::MxData> found;
      found.reserve(lookup.records.size());
      for (const auto& record : lookup.records) {
        found.push_back(std::get<wire::MxData>(record.data));
      }
      return add_hosts(std::move(found), is_secure);
    }
    case Outcome::NoData:
    case Outcome::NoName:
    case Outcome::Alias:
      // For NXDOMAIN too: so does Postfix, and a broken server knows an address all the same.
      route_.kind = Kind::ImplicitMx;
      return search_host(route_.name, 0, is_secure);
    case Outcome::AliasLoop:
    case Outcome::Bogus:
    case Outcome::Failure:
    case Outcome::Malformed:
    case Outcome::Timeout:
    case Outcome::Unreachable: {
      const auto fault = fault_of(lookup.outcome);
      return end_with(fault, sentence_of(fault, "the MX record of " + route_.name, lookup.why));
    }
  }
}

void MailRoute::add_hosts(std::vector<wire::MxData> found, bool is_secure) {
  // One "." among others is enough for Postfix to give up (dns_lookup.c, DNS_NULLMX).
  if (std::any_of(found.begin(), found.end(), [](const auto& mx) { return mx.host.empty(); })) {
    return end_with(RouteFault::NullMx, sentence_of(RouteFault::NullMx, route_.name, {}));
  }
  // Hosts of one preference are all alike to a sender; by name, the order doesn't change each time.
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return std::pair(a.preference, std::string_view(a.host)) <
           std::pair(b.preference, std::string_view(b.host));
  });
  for (auto& mx : found) {
    const bool is_known = std::any_of(route_.hosts.begin(), route_.hosts.end(),
                                      [&](const auto& host) { return host.name == mx.host; });
    if (is_known) continue;
    if (route_.hosts.size() == kMostRouteHosts) {
      route_.text = fmt::format("{} has more than {} MX hosts; the others are left out",
                                route_.name, kMostRouteHosts);
      break;
    }
    search_host(std::move(mx.host), mx.preference, is_secure);
  }
}

void MailRoute::search_host(std::string name, std::uint16_t preference, bool is_secure) {
  const std::size_t index = route_.hosts.size();
  model::RouteHost host{std::move(name), preference};
  host.canonical_name = host.name;
  Search search;
  search.is_secure = is_secure;
  if (const auto address = model::parse_address(host.name)) {
    // RFC 5321 5.1 forbids it in an MX record, and Postfix connects to it (smtp_addr_one()).
    host.addresses.push_back(*address);
    if (route_.kind == Kind::Mx) {
      host.text =
          fmt::format("MX host {} is an address, which no certificate will name", host.name);
    }
  } else if (!is_host_name(host.name)) {
    host.fault = RouteFault::NotAName;
    host.text = sentence_of(RouteFault::NotAName,
                            fmt::format("MX host \"{}\"", base::printable(host.name, 100)), {});
  } else {
    search.open = 2;
    for (const auto type : {RecordType::A, RecordType::Aaaa}) {
      steps_.push_back({{host.name, type}, index});
    }
  }
  route_.hosts.push_back(std::move(host));
  searches_.push_back(std::move(search));
}

void MailRoute::take_addresses(std::size_t host, RecordType type, const DnsLookup& lookup,
                               bool is_secure) {
  Search& search = searches_.at(host);
  search.is_secure = search.is_secure && is_secure;
  if (lookup.outcome == Outcome::Found) {
    route_.hosts.at(host).canonical_name = lookup.canonical_name;
    auto& found = type == RecordType::A ? search.found_v4 : search.found_v6;
    for (const auto& record : lookup.records) {
      const auto& address = std::get<model::AddressBytes>(record.data);
      if (std::find(found.begin(), found.end(), address) != found.end()) continue;
      if (search.found_v4.size() + search.found_v6.size() == kMostHostAddresses) {
        ++search.left_out;
      } else {
        found.push_back(address);
      }
    }
  } else {
    const auto fault = fault_of(lookup.outcome);
    if (!search.fault || weight_of(fault) > weight_of(*search.fault)) {
      search.fault = fault;
      search.why = lookup.why;
    }
  }
  if (--search.open == 0) settle_host(host);
}

void MailRoute::settle_host(std::size_t index) {
  model::RouteHost& host = route_.hosts.at(index);
  Search& search = searches_.at(index);
  host.addresses = std::move(search.found_v4);
  host.addresses.insert(host.addresses.end(), search.found_v6.begin(), search.found_v6.end());
  host.is_secure = search.is_secure;
  const std::string name =
      route_.kind == Kind::Mx ? fmt::format("MX host {}", host.name) : host.name;
  if (host.addresses.empty()) {
    host.fault = search.fault.value_or(RouteFault::NoAddress);
    host.text = sentence_of(*host.fault, name, search.why);
  } else if (search.fault && model::is_unknown(*search.fault)) {
    host.text =
        fmt::format("perhaps not all addresses: {}", sentence_of(*search.fault, name, search.why));
  } else if (search.left_out > 0) {
    host.text = fmt::format("{} has more than {} addresses; the others are left out", name,
                            kMostHostAddresses);
  } else if (route_.kind == Kind::Mx && host.canonical_name != host.name) {
    host.text = fmt::format(
        "{} is an alias of {}, which RFC 2181 10.3 forbids; its certificate "
        "must name {}",
        name, host.canonical_name, host.name);
  }
}

// Sums the hosts up, once all of them are known.
void MailRoute::settle_if_done() {
  if (!steps_.empty() || route_.fault || route_.hosts.empty()) return;
  const model::RouteHost* worst = nullptr;
  for (const auto& host : route_.hosts) {
    if (!host.fault) {
      worst = nullptr;
      break;
    }
    if (worst == nullptr || weight_of(*host.fault) > weight_of(*worst->fault)) worst = &host;
  }
  if (route_.kind == Kind::Host) route_.is_secure = route_.hosts.front().is_secure;
  if (worst == nullptr) return;
  std::string text = worst->text;
  if (route_.kind == Kind::ImplicitMx && worst->fault == RouteFault::NoAddress) {
    text = fmt::format("{} has neither an MX record nor an address", route_.name);
  } else if (route_.kind == Kind::Mx && route_.hosts.size() > 1) {
    text = fmt::format("none of the {} MX hosts of {} has an address; {}", route_.hosts.size(),
                       route_.name, text);
  }
  end_with(*worst->fault, std::move(text));
}

void MailRoute::end_with(RouteFault fault, std::string text) {
  route_.fault = fault;
  route_.text = std::move(text);
}

}  // namespace jobs
