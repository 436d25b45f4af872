// probe: the row that holds for a destination already, where it asks for more than what would
// deliver. A partner that fails must not talk its own row away.
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>

#include "src/app/ctl_policy_rows.h"
#include "src/app/ctl_probe.h"
#include "src/engine/judge.h"
#include "src/engine/publication.h"
#include "src/model/next_hop.h"

namespace app::ctl {
namespace {

bool is_missing(const std::string& path) {
  struct stat ignored {};
  return ::stat(path.c_str(), &ignored) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

}  // namespace

std::string find_stricter_row(const Context& context, const std::string& destination,
                              std::string_view profile) {
  const std::string& path = context.config.policy_db;
  if (is_missing(path)) return {};
  auto db = open_policy_db(context, store::PolicyDb::Access::ReadOnly);
  if (!db) return db.error();
  const auto wanted = db->load_profile(profile);
  if (!wanted) return plain_sentence(wanted.error());
  if (!*wanted) return fmt::format("{} has no profile \"{}\"", path, profile);
  const PolicyDbRows rows(*db);
  const model::Question question{model::normalise_key(destination), {}, model::Transport::Usual};
  const auto verdict = engine::judge(rows, question, model::RowMode::Enforce, context.now, nullptr);
  if (!rows.trouble().empty()) return plain_sentence(rows.trouble());
  if (verdict.kind == model::Verdict::Kind::Unknown)
    return "a row that applies has a fault; tlspolicyctl explain says which";
  if (verdict.kind == model::Verdict::Kind::NotFound) return {};
  model::PolicyRow proposed;
  proposed.profile = &**wanted;
  if (!engine::is_weaker(proposed, verdict.row)) return {};
  return fmt::format(
      "row {} asks for {}, more than would be delivered now: its mail waits. Ask the partner; "
      "tlspolicyctl held shows what waits",
      verdict.row.destination, verdict.row.profile->name);
}

}  // namespace app::ctl
