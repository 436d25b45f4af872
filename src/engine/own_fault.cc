#include "src/engine/own_fault.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "src/base/clock.h"
#include "src/model/unrelated.h"

namespace engine {
namespace {

struct Owner {
  std::int64_t lost_since = 0;
  std::string network;
  bool is_crossed_out = false;
};

std::string owner_of(const OfferCheck& check) {
  return std::string(model::registrable_name(check.host));
}

std::string network_of(const OfferCheck& check) {
  auto network = model::network_of(fmt::format("{}[{}]", check.host, check.address));
  return network.empty() ? owner_of(check) : network;
}

std::string sentence_of(const OwnFault& fault) {
  const auto crossed =
      fault.crossed_out == 0
          ? std::string()
          : fmt::format(", {} of them with capabilities crossed out", fault.crossed_out);
  return fmt::format(
      "{} of {} unrelated hosts that offered STARTTLS before do not since {}{}: it is likely our "
      "own network that strips it, a firewall that looks into SMTP for instance",
      fault.lost, fault.checked,
      base::iso_time(base::sys_seconds(std::chrono::seconds(fault.since))), crossed);
}

}  // namespace

std::optional<OwnFault> find_own_fault(std::span<const OfferCheck> checks,
                                       const OwnFaultLimits& limits, std::int64_t now) {
  std::set<std::string> checked;
  std::map<std::string, Owner> losing;
  for (const auto& check : checks) {
    if (now - check.at >= limits.window) continue;
    checked.insert(owner_of(check));
    // What lacks for longer than the window has not begun to fail with the others.
    if (check.lost_since == 0 || now - check.lost_since >= limits.window) continue;
    auto& owner = losing[owner_of(check)];
    if (owner.lost_since == 0 || check.lost_since < owner.lost_since) {
      owner.lost_since = check.lost_since;
    }
    if (owner.network.empty()) owner.network = network_of(check);
    owner.is_crossed_out = owner.is_crossed_out || check.is_crossed_out;
  }
  // A host of theirs that still offers it has passed our network.
  for (const auto& check : checks) {
    if (check.lost_since == 0 && now - check.at < limits.window) losing.erase(owner_of(check));
  }
  std::set<std::string_view> networks;
  OwnFault fault;
  for (const auto& [name, owner] : losing) {
    networks.insert(owner.network);
    fault.crossed_out += owner.is_crossed_out ? 1 : 0;
    if (fault.since == 0 || owner.lost_since < fault.since) fault.since = owner.lost_since;
  }
  fault.lost = static_cast<std::int64_t>(std::min(losing.size(), networks.size()));
  fault.crossed_out = std::min(fault.crossed_out, fault.lost);
  fault.checked = static_cast<std::int64_t>(checked.size());
  if (fault.lost < limits.names || 100 * fault.lost < limits.share * fault.checked) {
    return std::nullopt;
  }
  fault.text = sentence_of(fault);
  return fault;
}

std::vector<OfferCheck> offer_checks_of(const model::ProbeRecord& record,
                                        const model::WatchMemory& memory) {
  std::vector<OfferCheck> checks;
  for (const auto& host : memory.hosts) {
    if (host.offered_at == 0) continue;
    const auto has_spoken = [&](const auto& peer) {
      return peer.host == host.name && peer.has_spoken;
    };
    const auto peer = std::find_if(record.peers.begin(), record.peers.end(), has_spoken);
    if (peer == record.peers.end()) continue;
    checks.push_back(
        {host.name, peer->address, record.at, host.absent_since, peer->is_crossed_out});
  }
  return checks;
}

void OfferBook::take(const model::ProbeRecord& record, const model::WatchMemory& memory) {
  for (const auto& check : offer_checks_of(record, memory)) {
    auto known = hosts_.find(check.host);
    if (known == hosts_.end()) {
      if (hosts_.size() >= kMost) continue;
      known = hosts_.emplace(check.host, Seen{}).first;
    }
    // One host may be that of many destinations.
    if (known->second.at > check.at) continue;
    known->second = {std::string(check.address), check.at, check.lost_since, check.is_crossed_out};
  }
}

std::optional<OwnFault> OfferBook::find(const OwnFaultLimits& limits, std::int64_t now) {
  std::erase_if(hosts_, [&](const auto& one) { return now - one.second.at >= limits.window; });
  std::vector<OfferCheck> checks;
  checks.reserve(hosts_.size());
  for (const auto& [host, seen] : hosts_) {
    checks.push_back({host, seen.address, seen.at, seen.lost_since, seen.is_crossed_out});
  }
  return find_own_fault(checks, limits, now);
}

std::optional<OfferBook::Word> OfferBook::look(const OwnFaultLimits& limits, std::int64_t now) {
  auto fault = find(limits, now);
  if (!fault) {
    if (!std::exchange(said_at_, std::nullopt)) return std::nullopt;
    return Word{false, true, "hosts offer STARTTLS again, or too few were checked lately"};
  }
  if (said_at_ && now - *said_at_ < kSayAgain) return std::nullopt;
  const bool is_new = !std::exchange(said_at_, now);
  return Word{true, is_new, std::move(fault->text)};
}

}  // namespace engine
