#include "src/app/overview_rows.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "src/app/overview_partners.h"
#include "src/app/watch_list.h"
#include "src/base/text.h"
#include "src/engine/watch_verdict.h"

namespace app {
namespace {

using model::Overview;

constexpr std::chrono::seconds kAtMostEvery{2};
constexpr int kShare = 20;
// Of the hours of a day; the rest comes with the next look.
constexpr std::chrono::milliseconds kEnoughMail{100};
constexpr std::int64_t kDay = 86'400;
// Whom nobody watched for so long is no longer watched: `net` has the list anew once a day.
constexpr std::int64_t kWatched = 2 * kDay;
constexpr std::int64_t kDecisionsLookedAt = 8;
constexpr std::size_t kMostEnds = 200'000;
constexpr std::size_t kLongestText = 300;

// The decision that led to the phase, for its levels and its why.
bool is_about(const store::DecisionRow& row, const store::StoredState& stored) {
  const auto kind = model::parse_decision_kind(row.kind);
  return row.view == stored.view && kind &&
         (*kind == model::DecisionKind::Downgrade || *kind == model::DecisionKind::Reroute ||
          *kind == model::DecisionKind::Restore);
}

Overview::Downgrade describe(store::StateDb& db, const store::StoredState& stored) {
  Overview::Downgrade away;
  away.destination = stored.destination;
  away.view = stored.view;
  away.phase = model::to_word(stored.state.phase);
  away.since = stored.state.since;
  away.until = stored.state.until;
  if (stored.state.phase == model::Phase::Downgraded) away.to = model::to_word(stored.state.to);
  const auto rows = db.list_decisions(0, stored.destination, kDecisionsLookedAt);
  if (!rows) return away;
  const auto row = std::find_if(rows->begin(), rows->end(),
                                [&](const auto& each) { return is_about(each, stored); });
  if (row == rows->end()) return away;
  away.from = row->from_level.value_or("");
  if (row->to_level) away.to = *row->to_level;
  away.why = base::printable(row->why, kLongestText);
  away.affected = row->affected;
  return away;
}

std::size_t days_bucket(std::int64_t not_after, std::int64_t now) {
  const auto& days = Overview::kCertificateDays;
  const auto fits = std::find_if(days.begin(), days.end(),
                                 [&](int each) { return not_after <= now + each * kDay; });
  return static_cast<std::size_t>(fits - days.begin());
}

std::string issuer_of(store::StateDb& db, const store::StateDb::SeenEnd& end) {
  const auto stored = db.find_probe(end.destination);
  if (!stored || !*stored) return {};
  for (const auto& peer : (*stored)->record.peers) {
    if (peer.host == end.host && peer.not_after == end.not_after) {
      return base::printable(peer.issuer, kLongestText);
    }
  }
  return {};
}

}  // namespace

void OverviewRows::put(Overview& overview) {
  if (auto* db = find_db_(); db != nullptr && clock_.steady() >= due_) {
    const auto begun = clock_.steady();
    refresh(*db);
    const auto cost = clock_.steady() - begun;
    due_ = begun + std::max<base::SteadyPoint::duration>(kAtMostEvery, cost * kShare);
  }
  overview.phases = known_.phases;
  overview.downgrades = known_.downgrades;
  overview.downgrades_total = known_.downgrades_total;
  overview.partners = known_.partners;
  overview.partners_total = known_.partners_total;
  overview.certificates = known_.certificates;
  overview.certificates_by_days = known_.certificates_by_days;
  overview.traffic = known_.traffic;
  overview.decisions = known_.decisions;
  if (overview.checks) {
    overview.checks->compliant = static_cast<std::uint64_t>(checks_.compliant);
    overview.checks->failing = static_cast<std::uint64_t>(checks_.failing);
    overview.checks->unknown = static_cast<std::uint64_t>(checks_.unknown);
  }
}

void OverviewRows::refresh(store::StateDb& db) {
  read_away(db);
  read_mail(db);
  read_partners(db);
  read_certificates(db);
  read_decisions(db);
  if (const auto counts = db.count_checks(now() - kWatched)) checks_ = *counts;
}

void OverviewRows::read_away(store::StateDb& db) {
  const auto counts = db.count_phases();
  const auto away = db.list_away(static_cast<std::int64_t>(model::kMostShownDowngrades));
  if (!counts || !away) return;
  known_.phases.clear();
  known_.downgrades_total = 0;
  for (const auto phase : model::kPhases) {
    if (phase == model::Phase::Normal) continue;
    const auto found = std::find_if(counts->begin(), counts->end(),
                                    [phase](const auto& each) { return each.phase == phase; });
    const auto count = found == counts->end() ? 0 : static_cast<std::uint64_t>(found->count);
    known_.phases.push_back({std::string(model::to_word(phase)), count});
    known_.downgrades_total += count;
  }
  known_.downgrades.clear();
  for (const auto& stored : *away) known_.downgrades.push_back(describe(db, stored));
}

void OverviewRows::read_mail(store::StateDb& db) {
  const auto begun = clock_.steady();
  constexpr std::int64_t kHour = 3'600;
  const auto read = [&db](std::int64_t hour, const jobs::MailDay::Visit& visit) {
    return db
        .list_mail({}, hour, hour + kHour, store::StateDb::MailOrder::ByHour,
                   [&visit](const model::HourOfMail& seen) {
                     visit(seen);
                     return true;
                   })
        .ok();
  };
  mail_.refresh(now(), read, [&] { return clock_.steady() - begun >= kEnoughMail; });
  known_.traffic = mail_.hours();
}

void OverviewRows::read_partners(store::StateDb& db) {
  auto found = find_partners(db, find_image_(), mail_.put_off(), now() - kWatched, now());
  known_.partners = std::move(found.shown);
  known_.partners_total = found.total;
}

// Of levels that don't mind, a certificate that lapsed is no news.
void OverviewRows::read_certificates(store::StateDb& db) {
  const auto* image = find_image_();
  decltype(known_.certificates) shown;
  decltype(known_.certificates_by_days) by_days{};
  std::size_t looked_at = 0;
  const auto listed = db.list_ends([&](const store::StateDb::SeenEnd& end) {
    const auto asked = find_asked(image, end.destination, now());
    if (asked && engine::minds_expiry(asked->level)) {
      ++by_days.at(days_bucket(end.not_after, now()));
      if (shown.size() < model::kMostShownCertificates) {
        shown.push_back({std::string(end.destination), std::string(end.host), end.not_after, {}});
      }
    }
    return ++looked_at < kMostEnds;
  });
  if (!listed) return;
  for (auto& each : shown) {
    each.issuer = issuer_of(db, {each.destination, each.host, each.not_after});
  }
  known_.certificates = std::move(shown);
  known_.certificates_by_days = by_days;
}

void OverviewRows::read_decisions(store::StateDb& db) {
  const auto rows = db.list_decisions(0, {}, static_cast<std::int64_t>(model::kMostShownDecisions));
  if (!rows) return;
  known_.decisions.clear();
  for (const auto& row : *rows) {
    known_.decisions.push_back({row.seq, row.at, row.kind, row.destination.value_or(""),
                                row.from_level.value_or(""), row.to_level.value_or(""),
                                base::printable(row.why, kLongestText), row.until.value_or(0)});
  }
}

}  // namespace app
