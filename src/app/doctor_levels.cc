// What Postfix must have for the rows to hold: no cached connections that were never asked about,
// no header that overrides them, somebody to trust, and a word to senders whose mail waits.
#include <fmt/format.h>

#include <algorithm>

#include "src/app/doctor_checks.h"
#include "src/app/doctor_ours.h"
#include "src/base/text.h"

namespace app::doctor {
namespace {

using model::Level;
constexpr model::PostfixVersion kAsksForCached{3, 10, 0};  // [O 5]

std::string list_levels(std::string_view which, const Demand& rows) {
  return fmt::format("{}: {}", which, name_rows(rows));
}

void check_cache(const Instance& instance, const Service& service, Findings& findings) {
  Notes note(findings, "connection-cache", &instance, &service);
  if (instance.version >= kAsksForCached) {
    return note.ok(fmt::format("Postfix {}", instance.version_text),
                   "it asks for every message, also on a connection it kept open");
  }
  std::vector<std::string> fixes;
  std::vector<std::string> looked_at;
  const auto refuse = [&](const char* name, bool is_on, std::string_view off) {
    if (!is_on) return;
    looked_at.push_back(describe(instance, &service, name));
    fixes.push_back(set_parameter(instance, &service, name, off));
  };
  refuse("smtp_connection_cache_on_demand",
         is_yes(instance.value(service, "smtp_connection_cache_on_demand")), "no");
  refuse("smtp_connection_cache_destinations",
         !instance.value(service, "smtp_connection_cache_destinations").empty(), "");
  refuse("smtp_tls_connection_reuse", is_yes(instance.value(service, "smtp_tls_connection_reuse")),
         "no");
  if (fixes.empty()) {
    return note.ok(
        "smtp_connection_cache_on_demand, smtp_connection_cache_destinations, "
        "smtp_tls_connection_reuse",
        "no connection is kept open, so every delivery is asked about");
  }
  note.warn(base::join(looked_at, ", "),
            fmt::format("Postfix {} sends over a connection it kept open without asking: an edit "
                        "reaches a busy destination late, by up to "
                        "smtp_connection_reuse_time_limit ({})",
                        instance.version_text,
                        instance.value(service, "smtp_connection_reuse_time_limit")),
            std::move(fixes));
}

void check_reusing_profiles(const Instance& instance, const OurSide& ours, Findings& findings) {
  if (!ours.policy || instance.version >= kAsksForCached) return;
  for (const store::ProfileUse& use : ours.policy->uses) {
    if (!use.profile.connection_reuse.value_or(false)) continue;
    Notes(findings, "connection-cache", &instance)
        .warn(fmt::format("profile {}: connection_reuse", use.profile.name),
              fmt::format("Postfix {} sends over the kept connection without asking: an edit "
                          "reaches these destinations late",
                          instance.version_text),
              {fmt::format("tlspolicyctl profile set {} connection_reuse=", use.profile.name)});
  }
}

void check_tls_required(const Instance& instance, const Service& service, const OurSide& ours,
                        Findings& findings) {
  constexpr const char* kParameter = "tls_required_enable";
  Notes note(findings, "tls-required", &instance, &service);
  if (!instance.knows(kParameter)) {
    return note.ok(fmt::format("Postfix {}", instance.version_text),
                   "it does not know the header TLS-Required");
  }
  const auto looked_at = describe(instance, &service, kParameter);
  if (!is_yes(instance.value(service, kParameter))) {
    return note.ok(looked_at, "the header TLS-Required changes nothing");
  }
  if (!ours.policy) return note.skip(looked_at, "policy.db could not be read");
  const auto rows = mandatory_rows(ours);
  if (!rows) return note.ok(looked_at, "no row makes TLS mandatory");
  note.fail(looked_at,
            fmt::format("any sender can write the header \"TLS-Required: no\"; Postfix then sends "
                        "in clear if it must, and asks no map: {} does not hold",
                        name_rows(rows)),
            {set_parameter(instance, &service, kParameter, "no")});
}

// Rows at verify or secure whose profile doesn't bring its own authorities.
Demand rows_that_need_a_store(const OurSide& ours) {
  Demand demand;
  for (const store::ProfileUse& use : ours.policy->uses) {
    const bool needs = use.profile.level == Level::Verify || use.profile.level == Level::Secure;
    const auto& names = use.domain_names.empty() ? use.hop_names : use.domain_names;
    if (!needs || !use.profile.tafile.empty() || names.empty()) continue;
    demand.count += use.domains + use.hops;
    if (demand.example.empty()) demand.example = names.front();
  }
  return demand;
}

const FileFact* fact_of(const PostfixHost& host, const std::string& path) {
  const auto at = host.files.find(path);
  return at == host.files.end() ? nullptr : &at->second;
}

bool is_missing(const PostfixHost& host, const std::string& path) {
  const auto* fact = fact_of(host, path);
  return fact != nullptr && !fact->exists;
}

void check_store(const PostfixHost& host, const Instance& instance, const Service& service,
                 const OurSide& ours, Findings& findings) {
  Notes note(findings, "ca-store", &instance, &service);
  const std::string file(instance.value(service, "smtp_tls_CAfile"));
  const std::string folder(instance.value(service, "smtp_tls_CApath"));
  const auto looked_at = file.empty() && !folder.empty()
                             ? describe(instance, &service, "smtp_tls_CApath")
                             : describe(instance, &service, "smtp_tls_CAfile");
  if (!ours.policy) return note.skip(looked_at, "policy.db could not be read");
  const auto rows = rows_that_need_a_store(ours);
  if (!rows) return note.ok(looked_at, "no row at verify or secure needs it");
  const bool has_default = is_yes(instance.value(service, "tls_append_default_CA"));
  std::vector<std::string> fixes;
  if (is_missing(host, kSystemStore)) fixes.emplace_back("apt-get install ca-certificates");
  fixes.push_back(set_parameter(instance, &service, "smtp_tls_CAfile", kSystemStore));
  if (file.empty() && folder.empty() && !has_default) {
    return note.fail(looked_at,
                     fmt::format("no certificate authority is trusted, so no certificate can be "
                                 "proven and the mail waits; {}",
                                 list_levels("it concerns", rows)),
                     fixes);
  }
  // The file is read before the chroot is entered, the folder from inside it [F 7.4].
  if (!file.empty() && is_missing(host, file)) {
    return note.fail(looked_at,
                     fmt::format("there is no such file, so no certificate can be proven; {}",
                                 list_levels("it concerns", rows)),
                     fixes);
  }
  if (file.empty() && !folder.empty() && is_missing(host, seen_path(instance, service, folder))) {
    return note.fail(
        looked_at,
        fmt::format("there is no folder {}, so no certificate can be proven; {}",
                    seen_path(instance, service, folder), list_levels("it concerns", rows)),
        fixes);
  }
  note.ok(looked_at, fmt::format("there is somebody to trust; {}", list_levels("for", rows)));
}

void check_own_stores(const PostfixHost& host, const Instance& instance, const Service& service,
                      const OurSide& ours, Findings& findings) {
  if (!ours.policy) return;
  for (const store::ProfileUse& use : ours.policy->uses) {
    if (use.profile.tafile.empty()) continue;
    const auto path = seen_path(instance, service, use.profile.tafile);
    if (!is_missing(host, path)) continue;
    Notes(findings, "ca-store", &instance, &service)
        .fail(
            fmt::format("profile {}: tafile = {}", use.profile.name, use.profile.tafile),
            fmt::format("smtp(8) opens it as {}, and there is no such file: the mail waits", path),
            {fmt::format("install -D -m 644 {} {}", use.profile.tafile, path)});
  }
}

// smtp(8) goes on trying for days; the sender learns of it when the queue lifetime is over.
void check_delay_warning(const Instance& instance, const OurSide& ours, Findings& findings) {
  constexpr const char* kParameter = "delay_warning_time";
  Notes note(findings, "delay-warning", &instance);
  const auto looked_at = describe(instance, nullptr, kParameter);
  const auto value = instance.value(kParameter);
  const bool is_off = value.empty() || value.find_first_of("123456789") == std::string_view::npos;
  if (!is_off) return note.ok(looked_at, "senders are told that their mail waits");
  if (!ours.policy) return note.skip(looked_at, "policy.db could not be read");
  const auto rows = mandatory_rows(ours);
  if (!rows) return note.ok(looked_at, "no row makes mail wait");
  note.warn(looked_at,
            fmt::format("mail may wait because of TLS ({}), and its sender hears nothing before it "
                        "bounces (maximal_queue_lifetime, {})",
                        name_rows(rows), instance.value("maximal_queue_lifetime")),
            {set_parameter(instance, nullptr, kParameter, "4h")});
}

}  // namespace

void check_levels(const PostfixHost& host, const Instance& instance, const OurSide& ours,
                  Findings& findings) {
  for (const Service& service : instance.services) {
    if (!is_smtp_client(service) || !policy_table_of(ours.config, instance, service)) continue;
    check_cache(instance, service, findings);
    check_tls_required(instance, service, ours, findings);
    check_store(host, instance, service, ours, findings);
    check_own_stores(host, instance, service, ours, findings);
  }
  check_reusing_profiles(instance, ours, findings);
  check_delay_warning(instance, ours, findings);
}

}  // namespace app::doctor
