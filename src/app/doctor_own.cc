// Our own side of the host: the daemon, its configuration, its files and listeners.
#include <fmt/format.h>

#include <algorithm>

#include "src/app/doctor_checks.h"
#include "src/app/doctor_ours.h"
#include "src/base/counted.h"
#include "src/base/text.h"

namespace app::doctor {
namespace {

constexpr std::uint32_t kWorldWrites = 0002;
constexpr std::uint32_t kSticky = 01000;

// Access rights as the kernel weighs them: the owner's, else the group's, else everybody's.
bool may(const FileFact& file, const Account& account, std::uint32_t rights) {
  if (account.uid == 0) return true;
  if (file.uid == account.uid) return (file.mode >> 6U & rights) == rights;
  const bool is_in_group =
      std::find(account.gids.begin(), account.gids.end(), file.gid) != account.gids.end();
  return (is_in_group ? file.mode >> 3U & rights : file.mode & rights) == rights;
}

std::string describe_file(const std::string& path, const FileFact& file) {
  return fmt::format("{}: mode {:04o}, {}:{}", path, file.mode & 07777U, file.owner, file.group);
}

struct Wanted {
  std::string_view what;
  std::string path;
  std::uint32_t rights;  // of the daemon's user: 4 read, 2 write, 1 search
  bool must_exist;
};

void check_file(const PostfixHost& host, const OurSide& ours, const Wanted& wanted,
                Findings& findings) {
  Notes note(findings, "files");
  const auto at = host.files.find(wanted.path);
  if (at == host.files.end()) return;
  const FileFact& file = at->second;
  const auto looked_at = fmt::format("{} {}", wanted.what, wanted.path);
  if (!file.trouble.empty()) {
    return note.skip(looked_at, fmt::format("can't be looked at: {}", file.trouble));
  }
  if (!file.exists) {
    if (wanted.must_exist) {
      note.fail(looked_at, "it does not exist",
                {fmt::format("install -d {}{}",
                             ours.account ? "-o " + ours.account->name + " " : "", wanted.path)});
    }
    return;
  }
  const auto shown = fmt::format("{} {}", wanted.what, describe_file(wanted.path, file));
  const bool is_sticky = (file.mode & kSticky) != 0;
  if ((file.mode & kWorldWrites) != 0 && !is_sticky) {
    return note.fail(shown, "every user of this host may change it, and so the policy",
                     {"chmod o-w " + wanted.path});
  }
  if (ours.account && !may(file, *ours.account, wanted.rights)) {
    return note.fail(shown,
                     fmt::format("user {}, whom tlspolicyd runs as, has not the rights it needs",
                                 ours.account->name),
                     {fmt::format("chown {} {}", ours.account->name, wanted.path)});
  }
  note.ok(shown, "as it should be");
}

bool is_loopback(const Listen& listen) {
  return listen.host.starts_with("127.") || listen.host == "::1";
}

// The listeners as they are, those of other hosts' reach moved to the loopback address.
std::string keep_to_loopback(const std::vector<Listen>& listeners) {
  std::vector<std::string> texts;
  for (const Listen& listen : listeners) {
    const bool is_v6 = listen.host.find(':') != std::string::npos;
    texts.push_back(listen.kind != Listen::Kind::Inet || is_loopback(listen)
                        ? listen.text
                        : fmt::format("inet:{}:{}", is_v6 ? "[::1]" : "127.0.0.1", listen.port));
  }
  return base::join(texts, ", ");
}

void check_listen(const OurSide& ours, const std::vector<Listen>& listeners,
                  std::string_view option, bool takes_outcomes, Findings& findings) {
  for (const Listen& listen : listeners) {
    Notes note(findings, "listeners");
    const auto looked_at = fmt::format("{}: {} ({})", option, listen.text, ours.config_file);
    if (listen.kind == Listen::Kind::Unix) {
      note.ok(looked_at, "for whom the rights of its folder and of the socket let in");
      continue;
    }
    if (listen.kind == Listen::Kind::Passed) {
      note.ok(looked_at, "whoever passes the socket says who can connect to it");
      continue;
    }
    if (is_loopback(listen)) {
      note.ok(looked_at, "for this host alone");
      continue;
    }
    const bool is_trusted = takes_outcomes && ours.config.trust_tcp_outcomes;
    note.complain(
        is_trusted, looked_at,
        fmt::format("other hosts can connect to it, and nobody is asked who he is{}",
                    is_trusted ? "; with trust_tcp_outcomes = yes they can make rows "
                                 "fall back to clear"
                               : ""),
        {set_option(ours, option, keep_to_loopback(listeners)), "systemctl restart tlspolicyd"});
  }
}

void check_policy(const OurSide& ours, Findings& findings) {
  Notes note(findings, "policy");
  const auto looked_at = fmt::format("policy_db = {}", ours.config.policy_db);
  if (!ours.policy) {
    return note.fail(looked_at, fmt::format("{} What depends on its rows is not checked",
                                            end_sentence(ours.policy_trouble)));
  }
  for (const auto& fault : ours.policy->faults) {
    note.fail(looked_at, fault + "; its rows are not checked");
  }
  std::int64_t rows = 0;
  for (const store::ProfileUse& use : ours.policy->uses) rows += use.domains + use.hops;
  if (ours.config.mode == model::RowMode::Observe) {
    return note.complain(false, fmt::format("mode = observe ({})", ours.config_file),
                         fmt::format("none of {} is enforced; tlspolicyctl decisions --observed "
                                     "shows what would be. Once that has been watched long enough, "
                                     "this is the fix",
                                     base::counted(rows, "row")),
                         {set_option(ours, "mode", "enforce")});
  }
  note.ok(looked_at, base::counted(rows, "row") + " in force");
}

}  // namespace

void check_daemon(const OurSide& ours, Findings& findings) {
  Notes config(findings, "config");
  for (const auto& error : ours.config_errors) {
    config.fail(ours.config_file,
                end_sentence(error) + " tlspolicyd does not start or reload like this");
  }
  if (ours.config_errors.empty()) config.ok(ours.config_file, "can be read");
  Notes note(findings, "daemon");
  const auto looked_at = fmt::format("control_socket = {}", ours.config.control_socket);
  if (!ours.daemon.is_up) {
    note.fail(looked_at,
              fmt::format("{} While nobody answers, Postfix defers all mail that it would ask "
                          "about; it is never sent in clear because of that",
                          end_sentence(ours.daemon.text)),
              {"systemctl start tlspolicyd"});
  } else if (!ours.daemon.is_well) {
    note.warn(looked_at, ours.daemon.text);
  } else {
    note.ok(looked_at, "tlspolicyd runs and is well");
  }
  check_policy(ours, findings);
}

void check_files(const PostfixHost& host, const OurSide& ours, Findings& findings) {
  const auto folder_of = [](const std::string& path) {
    return path.substr(0, std::max<std::size_t>(1, path.rfind('/')));
  };
  const Config& config = ours.config;
  // SQLite writes -wal and -shm beside a database that it only reads.
  check_file(host, ours, {"config", ours.config_file, 4, false}, findings);
  check_file(host, ours, {"policy_db", config.policy_db, 6, false}, findings);
  check_file(host, ours, {"folder of policy_db", folder_of(config.policy_db), 3, true}, findings);
  if (folder_of(config.image_file) != folder_of(config.policy_db)) {
    check_file(host, ours, {"folder of image_file", folder_of(config.image_file), 3, true},
               findings);
  }
  check_file(host, ours, {"control_socket", config.control_socket, 0, false}, findings);
  for (const auto* listeners : {&config.tlsmap_listen, &config.policyd_listen}) {
    for (const Listen& listen : *listeners) {
      if (listen.kind != Listen::Kind::Unix) continue;
      check_file(host, ours, {"folder of a socket", folder_of(listen.path), 1, true}, findings);
    }
  }
}

// Them or us: whether something on our way out takes STARTTLS from what hosts offer.
void check_network(const OurSide& ours, Findings& findings) {
  if (ours.network.hosts == 0) return;
  Notes note(findings, "network");
  const auto looked_at =
      fmt::format("STARTTLS of {} checked lately", base::counted(ours.network.hosts, "host"));
  if (ours.network.own_fault) {
    note.fail(looked_at, *ours.network.own_fault, {"tlspolicyctl watch --changes --since 1d"});
  } else {
    note.ok(looked_at, "no sign that our own network strips it");
  }
}

void check_listeners(const OurSide& ours, Findings& findings) {
  check_listen(ours, ours.config.tlsmap_listen, "tlsmap_listen", true, findings);
  check_listen(ours, ours.config.policyd_listen, "policyd_listen", false, findings);
  check_listen(ours, ours.config.http_listen, "http_listen", false, findings);
}

Findings examine(const PostfixHost& host, const OurSide& ours) {
  Findings findings;
  check_daemon(ours, findings);
  check_network(ours, findings);
  for (const auto& trouble : host.troubles) {
    Notes(findings, "instance").fail(trouble, "this instance could not be looked at");
  }
  for (const Instance& instance : host.instances) {
    Notes(findings, "instance", &instance)
        .ok(fmt::format("{}: Postfix {}", instance.directory, instance.version_text),
            base::counted(instance.services.size(), "service") + " in master.cf");
    check_maps(instance, ours, findings);
    check_outcome(instance, ours, findings);
    check_sockets(host, instance, ours, findings);
    check_relays(instance, ours, findings);
    check_routes(host, instance, ours, findings);
    check_hops(instance, ours, findings);
    check_levels(host, instance, ours, findings);
    check_dane(host, instance, ours, findings);
    check_inbound(instance, ours, findings);
    check_submission(instance, ours, findings);
  }
  check_matches(ours, findings);
  check_log(host, ours, findings);
  check_files(host, ours, findings);
  check_listeners(ours, findings);
  return findings;
}

}  // namespace app::doctor
