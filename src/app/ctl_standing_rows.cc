#include "src/app/ctl_standing_rows.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "src/model/next_hop.h"

namespace app::ctl {
namespace {

bool is_missing(const std::string& path) {
  struct stat ignored {};
  return ::stat(path.c_str(), &ignored) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

}  // namespace

base::Result<StandingRows> StandingRows::open(const Context& context) {
  StandingRows standing(context);
  if (is_missing(context.config.policy_db)) return standing;
  auto db = open_policy_db(context, store::PolicyDb::Access::ReadOnly);
  if (!db) return base::Error{db.error()};
  standing.db_ = std::make_unique<store::PolicyDb>(std::move(*db));
  standing.rows_ = std::make_unique<PolicyDbRows>(*standing.db_);
  return standing;
}

const StandingRows::Loaded& StandingRows::load(std::string_view profile) {
  const auto known = profiles_.find(profile);
  if (known != profiles_.end()) return known->second;
  return profiles_.emplace(profile, db_->load_profile(profile)).first->second;
}

base::Result<StandingRows::Beside> StandingRows::compare(const std::string& destination,
                                                         std::string_view profile) {
  const auto& loaded = load(profile);
  if (!loaded) {
    return base::Error{
        fmt::format("profile \"{}\" can't be used: {}", profile, plain_sentence(loaded.error()))};
  }
  if (!*loaded) {
    return base::Error{
        fmt::format("{} has no profile \"{}\"", context_->config.policy_db, profile)};
  }
  Beside beside;
  beside.proposed.profile = &**loaded;
  const auto key = model::normalise_key(destination);
  const auto verdict = engine::judge(*rows_, {key, {}, model::Transport::Usual},
                                     model::RowMode::Enforce, context_->now, &beside.considered);
  if (!rows_->trouble().empty()) return base::Error{plain_sentence(rows_->trouble())};
  if (verdict.kind == model::Verdict::Kind::Unknown) {
    return base::Error{"a row that applies has a fault; tlspolicyctl explain says which"};
  }
  if (verdict.kind == model::Verdict::Kind::Policy) beside.held = verdict.row;
  return beside;
}

}  // namespace app::ctl
