// A host that is set up right, to be spoilt by tests of the doctor's checks.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "src/app/doctor_checks.h"
#include "tests/unit/catch.h"

namespace test {

using app::doctor::Finding;
using app::doctor::Findings;
using State = app::doctor::Finding::State;

inline constexpr const char* kEndpoint = "unix:tlspolicyd/tlsmap.sock";
inline constexpr const char* kSocket = "/var/spool/postfix/tlspolicyd/tlsmap.sock";

inline app::Listen unix_listener(const std::string& path) {
  return {app::Listen::Kind::Unix, "unix:" + path, {}, 0, path};
}
inline app::Listen inet_listener(const std::string& host, std::uint16_t port) {
  return {app::Listen::Kind::Inet, "inet:" + host + ":" + std::to_string(port), host, port, {}};
}

inline store::ProfileUse use_of(const std::string& name, model::Level level,
                                model::Fallback fallback, std::vector<std::string> domains,
                                std::vector<std::string> hops = {}) {
  store::ProfileUse use;
  use.profile.name = name;
  use.profile.level = level;
  use.profile.fallback = fallback;
  use.domains = static_cast<std::int64_t>(domains.size());
  use.hops = static_cast<std::int64_t>(hops.size());
  use.unmatched = use.domains;
  use.domain_names = domains;
  use.hop_names = std::move(hops);
  use.unmatched_names = std::move(domains);
  return use;
}

// Debian's defaults, a chrooted smtp(8), every clause of the doctor's fulfilled.
struct Rig {
  app::doctor::PostfixHost host;
  app::doctor::OurSide ours;

  Rig() {
    app::doctor::Instance instance;
    instance.name = "-";
    instance.directory = "/etc/postfix";
    instance.needs_directory = false;
    host.instances.push_back(std::move(instance));
    set_version("3.10.13", {3, 10, 13});
    set("queue_directory", "/var/spool/postfix");
    set("mail_owner", "postfix");
    set("default_transport", "smtp");
    set("relay_transport", "relay");
    set("smtp_tls_security_level", "may");
    set("smtp_tls_policy_maps", std::string("socketmap:") + kEndpoint + ":policy");
    write("smtp_delivery_status_filter",
          std::string("socketmap:") + kEndpoint + ":outcome, $default_delivery_status_filter",
          std::string("socketmap:") + kEndpoint + ":outcome,");
    set("default_delivery_status_filter", "");
    set("smtp_connection_cache_on_demand", "yes");
    set("smtp_connection_reuse_time_limit", "300s");
    set("tls_required_enable", "no");
    set("smtp_dns_support_level", "dnssec");
    set("ignore_mx_lookup_error", "no");
    set("smtp_host_lookup", "dns");
    set("smtp_tls_CAfile", "/etc/ssl/certs/ca-certificates.crt");
    set("delay_warning_time", "4h");
    set("maximal_queue_lifetime", "5d");
    add_service("smtp", "smtp", true);
    ours.config_file = std::string(app::kDefaultConfigFile);
    ours.config.policy_db = "/var/lib/tlspolicyd/policy.db";
    ours.config.image_file = "/var/lib/tlspolicyd/policy.image";
    ours.config.control_socket = "/run/tlspolicyd/control.sock";
    ours.config.tlsmap_listen = {unix_listener(kSocket)};
    ours.daemon.is_up = true;
    ours.account = app::doctor::Account{"tlspolicyd", 500, {500}};
    ours.policy = store::PolicySummary{};
    ours.policy->uses.push_back(
        use_of("required", model::Level::Encrypt, model::Fallback::Never, {"bank.example"}));
    connects(kEndpoint);
    add_file("/etc/tlspolicyd/tlspolicyd.conf", 0644, 0, 0);
    add_file("/var/lib/tlspolicyd/policy.db", 0660, 500, 500);
    add_file("/var/lib/tlspolicyd", 0750, 500, 500);
    add_file("/var/spool/postfix/tlspolicyd", 0755, 0, 0);
    add_file("/run/tlspolicyd/control.sock", 0660, 500, 500);
    host.nameservers["/var/spool/postfix/etc/resolv.conf"] = {"127.0.0.1"};
  }

  app::doctor::Instance& instance() { return host.instances.front(); }
  void set_version(const std::string& text, model::PostfixVersion version) {
    instance().version_text = text;
    instance().version = version;
  }
  // In main.cf, where nothing in it needs expanding.
  void set(const std::string& name, const std::string& value) { write(name, value, value); }
  void write(const std::string& name, const std::string& written, const std::string& expanded) {
    instance().written[name] = written;
    instance().parameters[name] = expanded;
  }
  void add_service(const std::string& name, const std::string& program, bool is_chrooted,
                   const tlsmap::Parameters& overrides = {}) {
    app::doctor::Service service;
    service.master = {name, "unix", is_chrooted ? "y" : "n", program, overrides};
    service.is_chrooted = is_chrooted;
    if (!overrides.empty()) {
      service.effective = instance().parameters;
      for (const auto& [parameter, value] : overrides) {
        service.effective->insert_or_assign(parameter, value);
      }
    }
    instance().services.push_back(std::move(service));
  }
  void reach(const std::string& endpoint, app::doctor::Reach reach) {
    for (const auto& service : instance().services) {
      host.reaches[app::doctor::reach_key(instance(), service, *tlsmap::parse_endpoint(endpoint))] =
          reach;
    }
  }
  void connects(const std::string& endpoint) {
    reach(endpoint, {app::doctor::Reach::Outcome::Connected, 0, "user postfix connects"});
  }
  void add_file(const std::string& path, unsigned mode, std::uint32_t uid, std::uint32_t gid) {
    host.files[path] = {true, {}, mode, uid, gid, std::to_string(uid), std::to_string(gid)};
  }
  void add_rows(store::ProfileUse use) { ours.policy->uses.push_back(std::move(use)); }
  void add_hop_row(const std::string& hop, const std::string& row, model::Level level,
                   model::Fallback fallback = model::Fallback::Never) {
    ours.hops[hop] = {row, "some", level, fallback, false};
  }

  [[nodiscard]] Findings examine() const { return app::doctor::examine(host, ours); }

  // What a check says that isn't "ok".
  [[nodiscard]] Findings complaints(const std::string& check = {}) const {
    Findings found = examine();
    std::erase_if(found, [&](const Finding& each) {
      return each.state == State::Ok || (!check.empty() && each.check != check);
    });
    return found;
  }
};

// The spoilt host has this complaint alone; gives it back for a look at its text.
inline Finding only_complaint(const Rig& rig, const std::string& check, State state) {
  const auto found = rig.complaints();
  for (const auto& each : found) {
    UNSCOPED_INFO(each.check << ": " << each.looked_at << ": " << each.text);
  }
  REQUIRE(found.size() == 1);
  CHECK(found.front().check == check);
  CHECK(found.front().state == state);
  CHECK(!found.front().looked_at.empty());
  CHECK(!found.front().text.empty());
  return found.front();
}

inline std::string fix_of(const Finding& finding) {
  std::string text;
  for (const auto& fix : finding.fixes) text += (text.empty() ? "" : "\n") + fix;
  return text;
}

}  // namespace test
