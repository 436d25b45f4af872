#include "src/jobs/patrol.h"

#include <algorithm>
#include <utility>

#include "src/model/smtp_port.h"

namespace jobs {
namespace {

using base::sys_seconds;
using engine::ProbeEnding;
using engine::ProbeTarget;
using std::chrono::seconds;

// Results are asked for as long as the schedule shares them, and a little longer.
constexpr seconds kRememberedLonger{3600};
constexpr seconds kLongestSleep{3600};
constexpr std::size_t kEntrySize = 1024;  // of one without names, roughly

sys_seconds at_second(std::int64_t since_epoch) {
  return sys_seconds(seconds(since_epoch));
}

// What a later look at it needs.
model::ProbedAddress without_bulk(model::ProbedAddress probed) {
  probed.steps.clear();
  probed.steps.shrink_to_fit();
  probed.capabilities.clear();
  probed.capabilities.shrink_to_fit();
  probed.capabilities_in_tls.clear();
  probed.capabilities_in_tls.shrink_to_fit();
  if (probed.tls && probed.tls->chain.size() > 1) {
    probed.tls->chain.resize(1);
    probed.tls->chain.shrink_to_fit();
  }
  return probed;
}

std::size_t size_of(const model::ProbedAddress& probed) {
  std::size_t size = kEntrySize + probed.banner.size() + probed.trouble.size();
  if (!probed.tls || probed.tls->chain.empty()) return size;
  const auto& leaf = probed.tls->chain.front();
  for (const auto& name : leaf.dns_names) size += sizeof(std::string) + name.size();
  for (const auto& address : leaf.addresses) size += sizeof(std::string) + address.size();
  return size + leaf.subject.size() + leaf.issuer.size();
}

ProbeTarget target_of(const model::Route& route, const model::RouteHost& host,
                      const model::AddressBytes& address) {
  return {host.name, address, model::smtp_port_of(route.next_hop).value_or(model::kSmtpPort)};
}

Prober::Settings prober_settings(const Patrol::Settings& settings) {
  Prober::Settings made;
  made.dialogue.ehlo_name = settings.ehlo_name;
  made.at_once = settings.etiquette.at_once;
  return made;
}

}  // namespace

Patrol::Patrol(net::Loop& loop, const base::Clock& clock, DnsDesk& desk, const net::TlsContext& tls,
               const Settings& settings, std::function<void(const Checked&)> on_checked)
    : loop_(loop),
      clock_(clock),
      desk_(desk),
      on_checked_(std::move(on_checked)),
      began_(clock.now()),
      began_steady_(clock.steady()),
      remembered_for_(settings.etiquette.shared_for + kRememberedLonger),
      schedule_(settings.etiquette, settings.opt_out, settings.seed),
      prober_(loop, clock, tls, prober_settings(settings), *this),
      turn_(loop, [this] { go_on(); }) {}

sys_seconds Patrol::now() const {
  return began_ + std::chrono::duration_cast<seconds>(clock_.steady() - began_steady_);
}

void Patrol::take_list(std::string_view records) {
  schedule_.begin_list();
  while (const auto record = wire::take_watched_record(records)) {
    std::optional<sys_seconds> checked;
    if (record->checked_at > 0) checked = at_second(record->checked_at);
    if (!schedule_.watch(record->destination, checked, now())) continue;
    schedule_.set_downgraded(record->destination, record->is_downgraded, now());
    if (record->failed_at > 0) {
      schedule_.take_failure(record->destination, at_second(record->failed_at),
                             seconds(record->retry_after));
    }
  }
  schedule_.end_list();
  turn_.start(std::chrono::microseconds{0});
}

void Patrol::take_event(const wire::WatchEvent& event) {
  using Kind = wire::WatchEvent::Kind;
  const auto at = at_second(event.at);
  const bool is_delivery = event.kind == Kind::Delivered;
  if (!schedule_.watch(event.destination, is_delivery ? std::optional(at) : std::nullopt, now())) {
    return;
  }
  switch (event.kind) {
    case Kind::Delivered:
      schedule_.take_delivery(event.destination, at);
      break;
    case Kind::Failed:
      schedule_.take_failure(event.destination, at, seconds(event.retry_after));
      break;
    case Kind::Downgraded:
    case Kind::Restored:
      schedule_.set_downgraded(event.destination, event.kind == Kind::Downgraded, now());
      break;
    case Kind::Asked:
      schedule_.ask_for(event.destination, std::max(at, now()));
      break;
  }
  turn_.start(std::chrono::microseconds{0});
}

void Patrol::go_on() {
  const auto steps = schedule_.take_steps(now());
  for (const auto& destination : steps.put_back) journeys_.erase(destination);
  for (const auto& destination : steps.routes) find_route(destination);
  for (const auto& target : steps.probes) {
    open_.emplace(added_++, target);
    prober_.add({model::address_text(target.address), target.port});
  }
  counts_.probes += steps.probes.size();
  counts_.refused += steps.refused.size();
  for (const auto& refused : steps.refused) {
    const auto journey = journeys_.find(refused.destination);
    if (journey != journeys_.end()) {
      journey->second.refused.emplace(refused.target, refused.reason);
    }
  }
  for (const auto& checked : steps.checked) report(checked);
  forget_old();
  const auto due = schedule_.next_due();
  const auto wait = due ? *due - now() : kLongestSleep;
  turn_.start(std::clamp<seconds>(wait, seconds{1}, kLongestSleep));
}

void Patrol::find_route(const std::string& destination) {
  auto& journey = journeys_[destination] = {};
  journey.search = std::make_unique<RouteSearch>(
      loop_, desk_, destination,
      [this, destination](const model::Route& route) { on_route(destination, route); });
}

void Patrol::on_route(const std::string& destination, const model::Route& route) {
  const auto journey = journeys_.find(destination);
  if (journey == journeys_.end()) return;
  journey->second.route = route;
  std::vector<ProbeTarget> targets;
  for (const auto& host : route.hosts) {
    for (const auto& address : host.addresses) targets.push_back(target_of(route, host, address));
  }
  const bool is_unknown = route.fault && model::is_unknown(*route.fault);
  schedule_.take_route(destination, targets,
                       is_unknown ? ProbeEnding::PutOff : ProbeEnding::Answered, now());
  turn_.start(std::chrono::microseconds{0});
  journey->second.search.reset();  // which called this, and may go now
}

void Patrol::on_done(std::size_t index, model::ProbedAddress probed) {
  const auto open = open_.find(index);
  if (open == open_.end()) return;
  const auto target = open->second;
  open_.erase(open);
  const bool is_known = probed.outcome.cause || probed.outcome.security != model::Security::Unknown;
  remember(target, std::move(probed));
  schedule_.take_result(target, is_known ? ProbeEnding::Answered : ProbeEnding::PutOff, now());
  turn_.start(std::chrono::microseconds{0});
}

void Patrol::remember(const ProbeTarget& target, model::ProbedAddress probed) {
  auto& entry = remembered_[target];
  remembered_bytes_ -= entry.size;
  entry.probed = std::make_unique<const model::ProbedAddress>(without_bulk(std::move(probed)));
  entry.size = size_of(*entry.probed);
  entry.at = now();
  remembered_bytes_ += entry.size;
  by_age_.emplace_back(entry.at, target);
}

void Patrol::forget_old() {
  while (!by_age_.empty() &&
         (remembered_bytes_ > kMostRemembered || by_age_.front().first < now() - remembered_for_)) {
    forget_first();
  }
}

void Patrol::forget_first() {
  const auto entry = remembered_.find(by_age_.front().second);
  // It may have been probed again since.
  if (entry != remembered_.end() && entry->second.at == by_age_.front().first) {
    remembered_bytes_ -= entry->second.size;
    remembered_.erase(entry);
  }
  by_age_.pop_front();
}

void Patrol::report(const engine::ProbeSchedule::Checked& checked) {
  const auto journey = journeys_.find(checked.destination);
  if (journey == journeys_.end()) return;
  ++counts_.checks;
  if (checked.is_put_off) ++counts_.put_off;
  const auto& route = journey->second.route;
  Checked found{route, {}, checked.is_put_off, now()};
  for (const auto& host : route.hosts) {
    for (const auto& address : host.addresses) {
      engine::CheckedTarget seen{target_of(route, host, address), nullptr, {}};
      const auto refused = journey->second.refused.find(seen.target);
      const auto remembered = remembered_.find(seen.target);
      if (refused != journey->second.refused.end()) {
        seen.refused = refused->second;
      } else if (remembered != remembered_.end()) {
        seen.seen = remembered->second.probed.get();
      }
      found.targets.push_back(std::move(seen));
    }
  }
  on_checked_(found);
  journeys_.erase(journey);
}

}  // namespace jobs
