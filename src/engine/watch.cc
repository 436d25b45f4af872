#include "src/engine/watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "src/base/clock.h"
#include "src/base/text.h"
#include "src/engine/certificate_end.h"

namespace engine {
namespace {

using model::KnownHost;
using model::ProbedPeer;
using model::WatchChangeKind;

class Watching {
 public:
  Watching(const model::WatchMemory* before, const WatchQuestion& question)
      : question_(question), found_(question.found) {
    if (before != nullptr) next_.memory = *before;
  }

  WatchStep run() {
    compare_hosts();
    for (auto& host : memory().hosts) look_at(host);
    compare_compliance();
    compare_end();
    return std::move(next_);
  }

 private:
  model::WatchMemory& memory() { return next_.memory; }
  [[nodiscard]] bool asks_for(bool (*is_meant)(model::Level)) const {
    return question_.asked && is_meant(question_.asked->level);
  }
  void note(WatchChangeKind kind, std::string_view host, std::string before, std::string after,
            std::string text) {
    next_.changes.push_back({found_.at, found_.destination, kind, std::string(host),
                             std::move(before), std::move(after), std::move(text)});
  }
  void raise(std::string what, std::string text, bool is_over = false) {
    next_.alarms.push_back({std::move(what), std::move(text), is_over});
  }

  void compare_hosts();
  void look_at(KnownHost& host);
  void compare_offer(KnownHost& host);
  void compare_issuer(KnownHost& host, const std::string& issuer);
  void compare_pin(KnownHost& host, const std::string& pin);
  void compare_compliance();
  void compare_end();
  void end_warning(std::string text);

  const WatchQuestion& question_;
  const model::ProbeRecord& found_;
  WatchStep next_;
  std::vector<std::string> new_hosts_;  // that an MX change brought
};

const KnownHost* find(const std::vector<KnownHost>& hosts, std::string_view name) {
  const auto found = std::find_if(hosts.begin(), hosts.end(),
                                  [name](const auto& host) { return host.name == name; });
  return found == hosts.end() ? nullptr : &*found;
}

std::string names_of(const std::vector<KnownHost>& hosts) {
  std::vector<std::string> names;
  names.reserve(hosts.size());
  for (const auto& host : hosts) names.push_back(host.name);
  return base::join(names, " ");
}

// The newest last; the oldest give way.
void remember(std::vector<std::string>& known, const std::string& one) {
  std::erase(known, one);
  known.push_back(one);
  if (known.size() > model::WatchMemory::kMostOfAHost) known.erase(known.begin());
}

bool has_pin(const AskedLevel& asked, std::string_view pin) {
  const auto pins = base::split(asked.match, "|");
  return std::any_of(pins.begin(), pins.end(),
                     [pin](auto one) { return base::is_equal_ignoring_case(one, pin); });
}

void Watching::compare_hosts() {
  if (found_.fault || found_.hosts.empty()) return;
  auto names = found_.hosts;
  std::sort(names.begin(), names.end());
  names.resize(std::min(names.size(), model::WatchMemory::kMostHosts));
  const auto before = std::exchange(memory().hosts, {});
  for (const auto& name : names) {
    const auto* known = find(before, name);
    memory().hosts.push_back(known != nullptr ? *known : KnownHost{name, 0, 0, {}, {}});
    if (known == nullptr && !before.empty()) new_hosts_.push_back(name);
  }
  std::vector<std::string> gone;
  for (const auto& host : before) {
    if (find(memory().hosts, host.name) == nullptr) gone.push_back(host.name);
  }
  if (gone.empty() && new_hosts_.empty()) return;
  auto text = fmt::format("the MX hosts of {} have changed", found_.destination);
  if (!gone.empty()) text += fmt::format("; gone: {}", base::join(gone, " "));
  if (!new_hosts_.empty()) text += fmt::format("; learnt anew: {}", base::join(new_hosts_, " "));
  if (asks_for(model::is_tls_required)) raise("mx-changed", text);
  note(WatchChangeKind::MxChanged, {}, names_of(before), names_of(memory().hosts), std::move(text));
}

void Watching::look_at(KnownHost& host) {
  compare_offer(host);
  for (const auto& peer : found_.peers) {
    if (peer.host != host.name || peer.fingerprint.empty()) continue;
    compare_issuer(host, issuing_organisation(peer.issuer));
    compare_pin(host, peer.pin);
  }
}

void Watching::compare_offer(KnownHost& host) {
  bool is_offered = false;
  const ProbedPeer* without = nullptr;
  for (const auto& peer : found_.peers) {
    if (peer.host != host.name || !peer.has_spoken) continue;
    is_offered = is_offered || peer.was_offered;
    if (!peer.was_offered && without == nullptr) without = &peer;
  }
  if (is_offered) {
    host.offered_at = found_.at;
    if (std::exchange(host.absent_since, 0) != 0) {
      note(WatchChangeKind::StarttlsBack, host.name, "absent", "offered",
           fmt::format("{} offers STARTTLS again", host.name));
    }
    return;
  }
  if (without == nullptr || host.absent_since != 0) return;
  // What mail saw was seen of the hosts that there were then.
  const bool is_new =
      std::find(new_hosts_.begin(), new_hosts_.end(), host.name) != new_hosts_.end();
  if (host.offered_at == 0 && !is_new) host.offered_at = question_.tls_by_mail_at;
  if (host.offered_at == 0) return;
  host.absent_since = found_.at;
  note(WatchChangeKind::StarttlsVanished, host.name, "offered",
       without->is_crossed_out ? "crossed out" : "absent",
       fmt::format("{} offered STARTTLS before, and does not any more{}", host.name,
                   without->is_crossed_out ? ": its capabilities are crossed out on the way" : ""));
}

void Watching::compare_issuer(KnownHost& host, const std::string& issuer) {
  const bool is_known =
      std::find(host.issuers.begin(), host.issuers.end(), issuer) != host.issuers.end();
  if (!is_known && !host.issuers.empty()) {
    auto text = fmt::format("the certificate of {} is issued by {}, no longer by {}", host.name,
                            issuer, host.issuers.back());
    if (asks_for(minds_expiry)) raise("issuer-changed", text);
    note(WatchChangeKind::IssuerChanged, host.name, host.issuers.back(), issuer, std::move(text));
  }
  remember(host.issuers, issuer);
}

void Watching::compare_pin(KnownHost& host, const std::string& pin) {
  const bool is_known = std::find(host.pins.begin(), host.pins.end(), pin) != host.pins.end();
  if (!is_known && !host.pins.empty()) {
    auto text = fmt::format("{} has another key: {}", host.name, pin);
    const bool is_pinned = question_.asked && question_.asked->level == model::Level::Fingerprint;
    if (is_pinned && !has_pin(*question_.asked, pin)) raise("pin-changed", text);
    note(WatchChangeKind::PinChanged, host.name, host.pins.back(), pin, std::move(text));
  }
  remember(host.pins, pin);
}

void Watching::compare_compliance() {
  const bool was_failing = memory().delivers == false;
  if (!question_.asked) {
    if (was_failing) raise("compliance", "no row asks for a level any more", true);
    memory().delivers.reset();
    memory().since = 0;
    return;
  }
  const auto verdict = judge_record(*question_.asked, found_);
  if (!verdict.delivers || verdict.delivers == memory().delivers) return;
  const bool is_first = !memory().delivers;
  memory().delivers = verdict.delivers;
  memory().since = found_.at;
  const auto level = model::to_word(question_.asked->level);
  if (*verdict.delivers) {
    if (is_first) return;
    auto text = fmt::format("mail to {} would go at level {} again", found_.destination, level);
    raise("compliance", text, true);
    note(WatchChangeKind::ComplianceRegained, {}, "fails", "ok", std::move(text));
    return;
  }
  auto text = fmt::format("mail to {} would {} go at level {}: {}", found_.destination,
                          is_first ? "not" : "no longer", level, verdict.why);
  raise("compliance", text);
  note(WatchChangeKind::ComplianceLost, {}, is_first ? "" : "ok", verdict.why, std::move(text));
}

void Watching::end_warning(std::string text) {
  raise("certificate-expiry", text, true);
  note(WatchChangeKind::ExpiryOver, {}, std::to_string(memory().warned_of), {}, std::move(text));
  memory().warned_of = memory().warned_days = 0;
}

void Watching::compare_end() {
  const bool is_warned = memory().warned_of != 0;
  if (!asks_for(minds_expiry)) {
    if (is_warned) end_warning("no row asks for a certificate any more");
    return;
  }
  const auto end = earliest_end(*question_.asked, found_);
  if (!end) return;
  if (is_warned && end->at > memory().warned_of) {
    end_warning(fmt::format("the certificates of {} hold until {}", found_.destination,
                            base::iso_time(base::sys_seconds(std::chrono::seconds(end->at)))));
  }
  const auto days = warning_due(end->at, question_.now);
  const bool is_said = memory().warned_of == end->at && memory().warned_days <= days;
  const bool is_fresh = question_.now - found_.at <= kFreshCheck;
  if (days == 0 || is_said || !is_fresh) return;
  memory().warned_of = end->at;
  memory().warned_days = days;
  auto text = describe_end(*end, question_.weekly_deliveries, question_.now);
  raise("certificate-expiry", text);
  note(WatchChangeKind::ExpiryWarning, end->host, {}, std::to_string(days), std::move(text));
}

}  // namespace

WatchStep watch(const model::WatchMemory* before, const WatchQuestion& question) {
  return Watching(before, question).run();
}

std::optional<std::int64_t> next_expiry_check(const model::WatchMemory& memory,
                                              const model::ProbeRecord& last,
                                              const std::optional<AskedLevel>& asked) {
  if (!asked || !minds_expiry(asked->level)) return std::nullopt;
  const auto end = earliest_end(*asked, last);
  if (!end) return std::nullopt;
  for (const auto days : kWarningDays) {
    const bool is_said = memory.warned_of == end->at && memory.warned_days <= days;
    if (!is_said) return end->at - days * kDay;
  }
  return end->at + 1;
}

}  // namespace engine
