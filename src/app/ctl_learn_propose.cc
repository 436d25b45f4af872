// learn --propose: from what past deliveries show to lines that an admin may run. Nothing is
// changed here, nothing is proposed that asks less than a row does already.
#include <fmt/format.h>

#include <map>

#include "src/app/ctl_learn.h"
#include "src/app/ctl_standing_rows.h"
#include "src/base/counted.h"
#include "src/base/shell_word.h"
#include "src/engine/publication.h"

namespace app::ctl {
namespace {

// Why `profile` is not proposed, or empty.
std::string find_objection(StandingRows& standing, const std::string& destination,
                           std::string_view profile) {
  if (!standing.has_database()) return {};
  const auto beside = standing.compare(destination, profile);
  if (!beside) return beside.error();
  const auto meant = profile == "verified" ? model::Level::Verify : model::Level::Encrypt;
  if (model::strictness(beside->proposed.profile->level) < model::strictness(meant)) {
    return fmt::format("profile \"{}\" was changed and asks for less than it is shipped with",
                       profile);
  }
  for (const auto& each : beside->considered) {
    if (each.fate == engine::Considered::Fate::Observed && each.row.destination == destination) {
      return "a row of the same name is in mode observe";
    }
  }
  if (!beside->held || engine::is_weaker(*beside->held, beside->proposed)) return {};
  return "a row asks for as much, or more, already";
}

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
  auto standing = StandingRows::open(context);
  if (!standing) return fail(standing.error());
  if (!standing->has_database()) {
    warn(fmt::format("{} (policy_db) does not exist, so no row is compared with",
                     context.config.policy_db));
  }
  std::vector<Proposal> proposals;
  std::map<std::string, std::uint64_t> left;  // why, and how many
  for (const auto* lesson : lessons.ranked()) {
    const auto suggestion = jobs::suggest_profile(*lesson);
    std::string why_not(suggestion.why_not);
    if (why_not.empty() && lesson->deliveries < at_least) {
      why_not = fmt::format("fewer than {} deliveries", at_least);
    }
    if (why_not.empty()) {
      why_not = find_objection(*standing, lesson->destination, suggestion.profile);
    }
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
