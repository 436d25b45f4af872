// init, upgrade and undo: what happens to policy.db as a file, and to its past.
#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "src/app/ctl_verbs.h"
#include "src/base/handle.h"
#include "src/base/text.h"

namespace app::ctl {
namespace {

using store::PolicyDb;

struct Owner {
  uid_t user = 0;
  gid_t group = 0;
};

// Whom the database is made for: `user` and `group` of the configuration where root makes it.
base::Result<std::optional<Owner>> find_owner(const Config& config) {
  if (::geteuid() != 0 || config.user.empty()) return std::optional<Owner>();
  const passwd* account = ::getpwnam(config.user.c_str());
  if (account == nullptr) {
    return base::Error{fmt::format("user \"{}\" of the configuration does not exist", config.user)};
  }
  Owner owner{account->pw_uid, account->pw_gid};
  if (!config.group.empty()) {
    const ::group* found = ::getgrnam(config.group.c_str());
    if (found == nullptr) {
      return base::Error{
          fmt::format("group \"{}\" of the configuration does not exist", config.group)};
    }
    owner.group = found->gr_gid;
  }
  return std::optional(owner);
}

base::Result<void> give(const std::string& path, const std::optional<Owner>& owner) {
  if (!owner) return {};
  // Never follows a link: by now the folder may belong to somebody else.
  const base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!fd || ::fchown(fd.get(), owner->user, owner->group) != 0) {
    return base::Error{fmt::format("{} was made, but could not be given to uid {}: {}", path,
                                   owner->user, std::strerror(errno))};
  }
  return {};
}

// Makes the missing folders above `file`, each for its owner.
base::Result<void> make_folders(const std::string& file, const std::optional<Owner>& owner) {
  constexpr mode_t kFolderMode = 0750;
  std::vector<std::string> missing;
  std::error_code ignored;
  for (auto folder = std::filesystem::path(file).parent_path();
       !folder.empty() && !std::filesystem::exists(folder, ignored);
       folder = folder.parent_path()) {
    missing.push_back(folder.string());
  }
  std::reverse(missing.begin(), missing.end());  // the outermost first
  for (const auto& folder : missing) {
    if (::mkdir(folder.c_str(), kFolderMode) != 0) {
      return base::Error{
          fmt::format("folder {} could not be made: {}", folder, std::strerror(errno))};
    }
    if (auto given = give(folder, owner); !given) return given;
  }
  return {};
}

base::Result<void> make_database(const Context& context) {
  const std::string& path = context.config.policy_db;
  const auto owner = find_owner(context.config);
  if (!owner) return base::Error{owner.error()};
  struct stat ignored {};
  if (::lstat(path.c_str(), &ignored) == 0) {
    return base::Error{fmt::format("{} (policy_db) exists already; nothing was changed", path)};
  }
  if (auto made = make_folders(path, *owner); !made) return made;
  if (auto made = PolicyDb::init(path); !made) return base::Error{plain_sentence(made.error())};
  return give(path, *owner);
}

// How main.cf names the first listener, or nothing where only the service manager knows it.
std::string map_for_postfix(const Config& config) {
  for (const Listen& listen : config.tlsmap_listen) {
    if (listen.kind != Listen::Kind::Passed) return "socketmap:" + listen.text + ":policy";
  }
  return {};
}

Exit run_init(const Context& context, const Arguments& /*arguments*/) {
  const auto made = make_database(context);
  if (!made) return fail(made.error());
  const auto map = map_for_postfix(context.config);
  if (context.is_json) {
    print_json(Json{{"policy_db", context.config.policy_db}, {"smtp_tls_policy_maps", map}});
    return Exit::Done;
  }
  const bool is_default = context.config_file == kDefaultConfigFile;
  const auto option = is_default ? std::string() : " --config " + context.config_file;
  say(
      fmt::format("{} made, with the shipped profiles and no rows yet.\nNext:\n"
                  "  tlspolicyctl{} profile list               what a row can ask for\n"
                  "  tlspolicyctl{} set bank.example required  a destination that must have TLS\n"
                  "  tlspolicyd{}                              start the daemon",
                  context.config.policy_db, option, option, option));
  if (!map.empty()) {
    say(fmt::format("  postconf -e 'smtp_tls_policy_maps = {}' && postfix reload", map));
  }
  return Exit::Done;
}

Exit run_upgrade(const Context& context, const Arguments& /*arguments*/) {
  const std::string& path = context.config.policy_db;
  if (auto opened = std::filesystem::path(path); !std::filesystem::exists(opened)) {
    return fail(
        fmt::format("{} (policy_db) does not exist; make it with: tlspolicyctl --config {} "
                    "init",
                    path, context.config_file));
  }
  const auto upgraded = PolicyDb::upgrade(path);
  if (!upgraded) return fail(plain_sentence(upgraded.error()));
  if (context.is_json) {
    print_json(Json{{"policy_db", path}, {"from", upgraded->from}, {"to", upgraded->to}});
  } else if (upgraded->from == upgraded->to) {
    say(fmt::format("{}: already has the newest schema, version {}", path, upgraded->to));
  } else {
    say(fmt::format("{}: upgraded from schema version {} to {}", path, upgraded->from,
                    upgraded->to));
  }
  return Exit::Done;
}

Exit run_undo(const Context& context, const Arguments& arguments) {
  const auto seq = base::parse_number<std::int64_t>(arguments.seq);
  if (!seq || *seq == 0) {
    return refuse_usage(
        fmt::format("SEQ: \"{}\" is not the number of a change; table change_log "
                    "and tlspolicyctl explain show them",
                    arguments.seq));
  }
  auto db = open_policy_db(context, PolicyDb::Access::ReadWrite);
  if (!db) return fail(db.error());
  const auto done = db->undo(*seq);
  if (!done) {
    return fail(fmt::format("change {}: not undone: {}", *seq, plain_sentence(done.error())));
  }
  if (context.is_json) {
    print_json(Json{{"seq", *seq}, {"text", *done}});
  } else {
    say(terminal_text(*done));
  }
  return Exit::Done;
}

}  // namespace

void add_database_verbs(const Verb& root, CommandLine& line) {
  add_verb(root, line, "undo", "Put the row of a change back to what it was before", run_undo)
      .group(kPolicyGroup)
      .add_option("SEQ", line.arguments.seq, "The change's number in table change_log")
      .required();
  add_verb(root, line, "init", "Make policy.db with the shipped profiles", run_init)
      .group(kDatabaseGroup);
  add_verb(root, line, "upgrade", "Bring policy.db to this version's schema", run_upgrade)
      .group(kDatabaseGroup);
}

}  // namespace app::ctl
