// The mail log: whether the daemon follows the one that Postfix writes, and whether that one says
// what became of TLS.
#include <fmt/format.h>

#include <algorithm>

#include "src/app/doctor_checks.h"
#include "src/app/doctor_ours.h"
#include "src/base/shell_word.h"
#include "tlsmap/postconf.h"

namespace app::doctor {
namespace {

constexpr const char* kCheck = "maillog";
constexpr const char* kLogLevel = "smtp_tls_loglevel";
constexpr std::uint32_t kGroupReads = 0040;
constexpr const char* kRestart = "systemctl restart tlspolicyd";

std::string describe_option(const OurSide& ours) {
  const auto& value = ours.config.maillog;
  return fmt::format("maillog ={}{} ({})", value.empty() ? "" : " ", value, ours.config_file);
}

// The daemon has tried to read it; the file only says why it could not.
void check_readable(const PostfixHost& host, const OurSide& ours, Findings& findings) {
  Notes note(findings, kCheck);
  const auto looked_at = describe_option(ours);
  if (!ours.daemon.is_up) return note.skip(looked_at, "tlspolicyd, which reads it, is not up");
  if (!ours.daemon.is_log_missing) return note.ok(looked_at, "tlspolicyd can read it");
  const std::string what = "tlspolicyd can't read it, and does not see which mail went in clear: ";
  const std::string user = ours.account ? ours.account->name : "tlspolicyd";
  const auto join_group = [&](std::string_view group) {
    return std::vector<std::string>{fmt::format("usermod -aG {} {}", group, user), kRestart};
  };
  if (ours.config.maillog == kJournald) {
    return note.warn(looked_at,
                     what + fmt::format("user {} may not read the journal, or none is kept", user),
                     join_group("systemd-journal"));
  }
  const auto at = host.files.find(ours.config.maillog);
  if (at == host.files.end() || !at->second.exists) {
    // Where Postfix writes a file itself, check_place() names it.
    const bool is_elsewhere = std::any_of(
        host.instances.begin(), host.instances.end(),
        [](const Instance& instance) { return !instance.value("maillog_file").empty(); });
    if (is_elsewhere) return note.warn(looked_at, what + "there is no such file");
    return note.warn(looked_at,
                     what +
                         "there is no such file. Where no syslog daemon writes one, the journal "
                         "has the log",
                     {set_option(ours, "maillog", kJournald),
                      fmt::format("usermod -aG systemd-journal {}", user), kRestart});
  }
  // Who may read what root alone owns may read too much.
  const FileFact& file = at->second;
  const bool is_for_group = file.gid != 0 && (file.mode & kGroupReads) != 0;
  auto fixes = join_group(is_for_group ? file.group : "adm");
  if (!is_for_group) {
    const auto path = base::shell_word(ours.config.maillog);
    fixes.insert(fixes.begin(), fmt::format("chgrp adm {0} && chmod g+r {0}", path));
  }
  note.warn(looked_at, what + fmt::format("user {} has no right to", user), std::move(fixes));
}

// postlogd(8) writes there what syslog doesn't get then. One file is followed: of several instances
// it is the admin who says whose.
void check_place(const Instance& instance, bool is_alone, const OurSide& ours, Findings& findings) {
  const auto place = instance.value("maillog_file");
  if (place.empty() || place == ours.config.maillog) return;
  std::vector<std::string> fixes;
  if (is_alone && !place.starts_with("/dev/")) {
    fixes = {set_option(ours, "maillog", place), kRestart};
  }
  Notes(findings, kCheck, &instance)
      .warn(describe(instance, nullptr, "maillog_file"),
            fmt::format("Postfix writes its log there, and tlspolicyd follows {}",
                        ours.config.maillog),
            std::move(fixes));
}

void check_level(const Instance& instance, const Service& service, Findings& findings) {
  Notes note(findings, kCheck, &instance, &service);
  const auto looked_at = describe(instance, &service, kLogLevel);
  if (tlsmap::logs_tls_sessions(instance.value(service, kLogLevel))) {
    return note.ok(looked_at, "the log says of each delivery whether it went in TLS");
  }
  note.warn(looked_at,
            "the log does not say which deliveries went in TLS: those at may are counted as "
            "unknown",
            {set_parameter(instance, &service, kLogLevel, "1")});
}

}  // namespace

void check_log(const PostfixHost& host, const OurSide& ours, Findings& findings) {
  if (ours.config.maillog.empty()) {
    return Notes(findings, kCheck)
        .ok(describe_option(ours),
            "off: the map outcome alone tells how deliveries end, and of those at may it can't say "
            "whether they went in TLS");
  }
  check_readable(host, ours, findings);
  for (const Instance& instance : host.instances) {
    check_place(instance, host.instances.size() == 1, ours, findings);
    for (const Service& service : instance.services) {
      if (is_smtp_client(service)) check_level(instance, service, findings);
    }
  }
}

}  // namespace app::doctor
