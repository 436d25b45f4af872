// The part of PolicyDb that counts what its rows ask for.
#include "src/store/policy_summary.h"

#include <fmt/format.h>

#include <tuple>

#include "src/store/policy_db_state.h"

namespace store {
namespace {

// ?1: now. A destination in brackets or with a colon is a next-hop that somebody configured.
constexpr std::string_view kInForce =
    "FROM outbound WHERE mode = 'enforce' AND (expires_at IS NULL OR expires_at > ?1) ";
constexpr std::string_view kIsHop = "(destination LIKE '[%' OR instr(destination, ':') > 0)";

constexpr std::string_view kDomains = "AND NOT {hop} ";
constexpr std::string_view kHops = "AND {hop} ";
constexpr std::string_view kUnmatched =
    "AND NOT {hop} AND match IS NULL AND destination NOT LIKE '.%' AND destination <> '*' ";

}  // namespace

base::Result<std::vector<std::string>> PolicyDb::list_names_in_force(std::string_view profile,
                                                                     std::string_view which,
                                                                     std::int64_t now,
                                                                     std::int64_t limit) {
  auto [statement, failure] = state_->db.prepare(
      fmt::format("SELECT destination {}AND profile = ?2 {}ORDER BY destination LIMIT ?3", kInForce,
                  fmt::format(fmt::runtime(which), fmt::arg("hop", kIsHop))));
  if (failure.failed()) return state_->describe(failure);
  statement.bind(1, now);
  statement.bind(2, profile);
  statement.bind(3, limit);
  std::vector<std::string> names;
  while (statement.step()) names.emplace_back(statement.text(0));
  if (statement.failure().failed()) return state_->describe(statement.failure());
  return names;
}

base::Result<void> PolicyDb::name_examples(ProfileUse& use, std::int64_t now, std::int64_t limit) {
  for (const auto& [which, count, names] :
       {std::tuple{kDomains, use.domains, &use.domain_names},
        std::tuple{kHops, use.hops, &use.hop_names},
        std::tuple{kUnmatched, use.unmatched, &use.unmatched_names}}) {
    if (count == 0) continue;
    auto listed = list_names_in_force(use.profile.name, which, now, limit);
    if (!listed) return base::Error{listed.error()};
    *names = std::move(*listed);
  }
  return {};
}

base::Result<PolicySummary> PolicyDb::summarise(std::int64_t now, std::int64_t limit) {
  auto [transaction, begin_failure] = Transaction::begin(state_->db, Transaction::Kind::Read);
  if (begin_failure.failed()) return state_->describe(begin_failure);
  auto [statement, failure] = state_->db.prepare(
      fmt::format("SELECT profile, sum(NOT {0}), sum({0}), sum(NOT {0} AND match IS NULL) {1}"
                  "GROUP BY profile ORDER BY profile",
                  kIsHop, kInForce));
  if (failure.failed()) return state_->describe(failure);
  statement.bind(1, now);
  PolicySummary summary;
  while (statement.step()) {
    ProfileUse use;
    const std::string name(statement.text(0));
    use.domains = statement.integer(1);
    use.hops = statement.integer(2);
    use.unmatched = statement.integer(3);
    auto profile = load_profile(name);
    if (!profile || !*profile) {
      summary.faults.push_back(profile ? fmt::format("there is no profile \"{}\"", name)
                                       : profile.error());
      continue;
    }
    use.profile = std::move(**profile);
    if (auto named = name_examples(use, now, limit); !named) return base::Error{named.error()};
    summary.uses.push_back(std::move(use));
  }
  if (statement.failure().failed()) return state_->describe(statement.failure());
  return summary;
}

}  // namespace store
