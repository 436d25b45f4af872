#include "src/app/overview_partners.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "src/app/watch_list.h"
#include "src/base/text.h"
#include "src/engine/watch_verdict.h"

namespace app {
namespace {

using Partner = model::Overview::Partner;

// Beyond these nobody is looked at closely, only counted.
constexpr std::size_t kMostLookedAt = 200;
constexpr std::size_t kLongestText = 300;

// Nothing where it works again.
std::optional<Partner> describe(store::StateDb& db, const jobs::PutOff& put_off) {
  Partner partner;
  partner.destination = put_off.destination;
  partner.cause = model::to_word(put_off.cause);
  partner.since = put_off.first_hour;
  partner.deferred = put_off.deferred;
  std::string seen(partner.cause);
  const auto stored = db.find_state(put_off.view, put_off.destination);
  if (stored && *stored) {
    const auto& state = (*stored)->state;
    const bool is_normal = state.phase == model::Phase::Normal;
    const bool is_over =
        is_normal && state.failures.empty() && state.worked_at >= put_off.last_hour;
    if (is_over) return std::nullopt;
    if (!is_normal) partner.since = state.since;
    if (!state.failures.empty()) {
      const auto& last = state.failures.back().evidence;
      partner.since = state.failures.front().at.wall;
      partner.mx = last.mx;
      if (last.outcome.cause) partner.cause = model::to_word(*last.outcome.cause);
      if (!last.text.empty()) seen = last.text;
    }
  }
  partner.text = fmt::format("{} {} put off for TLS today: {}", put_off.deferred,
                             put_off.deferred == 1 ? "delivery was" : "deliveries were",
                             base::printable(seen, kLongestText));
  return partner;
}

// Nothing where its row is content by now.
std::optional<Partner> describe(store::StateDb& db, const image::Image* image,
                                const std::string& destination, std::int64_t now) {
  const auto stored = db.find_probe(destination);
  const auto asked = find_asked(image, destination, now);
  if (!stored || !*stored || !asked) return std::nullopt;
  const auto& record = (*stored)->record;
  const auto verdict = engine::judge_record(*asked, record);
  if (verdict.delivers != false) return std::nullopt;
  Partner partner;
  partner.destination = destination;
  partner.since = (*stored)->memory.since != 0 ? (*stored)->memory.since : record.at;
  partner.text =
      fmt::format("The last check says that {} would not deliver: {}", model::to_word(asked->level),
                  base::printable(verdict.why, kLongestText));
  for (const auto& peer : record.peers) {
    if (engine::judge_peer(*asked, peer, destination).delivers != false) continue;
    partner.mx = peer.host;
    if (peer.outcome.cause) partner.cause = model::to_word(*peer.outcome.cause);
    break;
  }
  return partner;
}

}  // namespace

FoundPartners find_partners(store::StateDb& db, const image::Image* image,
                            const std::vector<jobs::PutOff>& put_off, std::int64_t watched_since,
                            std::int64_t now) {
  std::map<std::string, Partner> by_name;
  FoundPartners found;
  const auto looked_at = std::min(put_off.size(), kMostLookedAt);
  found.total = put_off.size() - looked_at;
  for (std::size_t i = 0; i < looked_at; ++i) {
    auto partner = describe(db, put_off[i]);
    if (!partner) continue;
    const auto [known, is_new] = by_name.try_emplace(partner->destination, *partner);
    if (!is_new) known->second.deferred += partner->deferred;  // in another view
  }
  const auto failing = db.list_failing(watched_since, kMostLookedAt);
  for (const auto& destination : failing ? *failing : std::vector<std::string>()) {
    if (by_name.contains(destination)) continue;
    if (auto partner = describe(db, image, destination, now)) {
      by_name.emplace(destination, std::move(*partner));
    }
  }
  found.total += by_name.size();
  for (auto& [name, partner] : by_name) found.shown.push_back(std::move(partner));
  std::stable_sort(found.shown.begin(), found.shown.end(), [](const auto& a, const auto& b) {
    return a.deferred != b.deferred ? a.deferred > b.deferred : a.since < b.since;
  });
  if (found.shown.size() > model::kMostShownPartners) found.shown.resize(model::kMostShownPartners);
  return found;
}

}  // namespace app
