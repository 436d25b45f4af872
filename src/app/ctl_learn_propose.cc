// learn --propose: from what past deliveries show to lines that an admin may run. Nothing is
// changed here, nothing is proposed that asks less than a row does already.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>
#include <optional>

#include "src/app/ctl_learn.h"
#include "src/app/ctl_policy_rows.h"
#include "src/base/counted.h"
#include "src/base/shell_word.h"
#include "src/base/text.h"
#include "src/engine/judge.h"
#include "src/engine/publication.h"
#include "src/model/next_hop.h"

namespace app::ctl {
namespace {

// The rows that stand already, and whether a suggestion would be better than they are.
class Standing {
 public:
  // Without a database there are none.
  static base::Result<Standing> open(const Context& context) {
    Standing standing(context.now);
    struct stat ignored {};
    const std::string& path = context.config.policy_db;
    if (::stat(path.c_str(), &ignored) != 0 && (errno == ENOENT || errno == ENOTDIR)) {
      warn(fmt::format("{} (policy_db) does not exist, so no row is compared with", path));
      return standing;
    }
    auto db = open_policy_db(context, store::PolicyDb::Access::ReadOnly);
    if (!db) return base::Error{db.error()};
    standing.db_ = std::make_unique<store::PolicyDb>(std::move(*db));
    standing.rows_ = std::make_unique<PolicyDbRows>(*standing.db_);
    return standing;
  }

  // Why `profile` is not proposed, or empty.
  std::string find_objection(const std::string& destination, std::string_view profile) {
    if (!db_) return {};
    const auto& loaded = load(profile);
    if (!loaded) {
      return fmt::format("profile \"{}\" can't be used: {}", profile,
                         plain_sentence(loaded.error()));
    }
    if (!*loaded) return fmt::format("there is no profile \"{}\" any more", profile);
    const model::Profile* wanted = &**loaded;
    const auto meant = profile == "verified" ? model::Level::Verify : model::Level::Encrypt;
    if (model::strictness(wanted->level) < model::strictness(meant)) {
      return fmt::format("profile \"{}\" was changed and asks for less than it is shipped with",
                         profile);
    }
    std::vector<engine::Considered> considered;
    const auto key = model::normalise_key(destination);
    const model::Question question{key, {}, model::Transport::Usual};
    const auto verdict =
        engine::judge(*rows_, question, model::RowMode::Enforce, now_, &considered);
    for (const auto& each : considered) {
      if (each.fate == engine::Considered::Fate::Observed && each.row.destination == destination) {
        return "a row of the same name is in mode observe";
      }
    }
    if (verdict.kind == model::Verdict::Kind::Unknown)
      return "a row that applies has a fault; see tlspolicyctl explain";
    if (verdict.kind == model::Verdict::Kind::NotFound) return {};
    model::PolicyRow proposed;
    proposed.profile = wanted;
    const bool is_better = engine::is_weaker(verdict.row, proposed);
    return is_better ? std::string() : "a row asks for as much, or more, already";
  }

  [[nodiscard]] std::string trouble() const { return rows_ ? rows_->trouble() : std::string(); }

 private:
  explicit Standing(base::sys_seconds now) : now_(now) {}

  using Loaded = base::Result<std::optional<model::Profile>>;

  const Loaded& load(std::string_view name) {
    const auto known = profiles_.find(name);
    if (known != profiles_.end()) return known->second;
    return profiles_.emplace(name, db_->load_profile(name)).first->second;
  }

  base::sys_seconds now_;
  std::unique_ptr<store::PolicyDb> db_;
  std::unique_ptr<PolicyDbRows> rows_;
  std::map<std::string, Loaded, std::less<>> profiles_;
};

std::string reason_for(const jobs::Lesson& lesson, std::string_view profile,
                       base::sys_seconds now) {
  const auto count = lesson.deliveries == 1 ? std::string("1 delivery")
                                            : fmt::format("{} deliveries, all", lesson.deliveries);
  return fmt::format("learned {}: {} {}", base::iso_time(now).substr(0, 10), count,
                     profile == "verified" ? "verified" : "in TLS");
}

Json to_json(const jobs::Lesson& lesson, std::string_view profile, const std::string& reason,
             const std::string& command) {
  return Json{{"destination", lesson.destination},
              {"profile", profile},
              {"reason", reason},
              {"deliveries", lesson.deliveries},
              {"command", command}};
}

struct Proposal {
  const jobs::Lesson* lesson = nullptr;
  std::string_view profile;
};

void print(const Context& context, const std::vector<Proposal>& proposals) {
  const bool is_default = context.config_file == kDefaultConfigFile;
  const auto option =
      is_default ? std::string() : " --config " + base::shell_word(context.config_file);
  JsonArray array;
  for (const auto& [lesson, profile] : proposals) {
    const auto reason = reason_for(*lesson, profile, context.now);
    const auto command = fmt::format("tlspolicyctl{} set {} {} --reason {}", option,
                                     base::shell_word(lesson->destination),
                                     base::shell_word(profile), base::shell_word(reason));
    if (context.is_json) {
      array.add(to_json(*lesson, profile, reason, command));
    } else {
      say(command);
    }
  }
  if (context.is_json) array.finish();
}

}  // namespace

Exit print_proposals(const Context& context, const jobs::Lessons& lessons, std::uint64_t at_least) {
  auto standing = Standing::open(context);
  if (!standing) return fail(standing.error());
  std::vector<Proposal> proposals;
  std::map<std::string, std::uint64_t> left;  // why, and how many
  for (const auto* lesson : lessons.ranked()) {
    const auto suggestion = jobs::suggest_profile(*lesson);
    std::string why_not(suggestion.why_not);
    if (why_not.empty() && lesson->deliveries < at_least) {
      why_not = fmt::format("fewer than {} deliveries", at_least);
    }
    if (why_not.empty())
      why_not = standing->find_objection(lesson->destination, suggestion.profile);
    if (why_not.empty()) {
      proposals.push_back({lesson, suggestion.profile});
    } else {
      ++left[why_not];
    }
  }
  if (const auto trouble = standing->trouble(); !trouble.empty()) {
    return fail(plain_sentence(trouble));
  }
  print(context, proposals);
  for (const auto& [why, count] : left)
    warn(fmt::format("nothing for {}: {}", base::counted(count, "destination"), why));
  return Exit::Done;
}

}  // namespace app::ctl
