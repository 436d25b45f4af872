// What rows at dane need of Postfix and its resolver, and rows at secure of their MX hosts.
#include <fmt/format.h>

#include <algorithm>

#include "src/app/doctor_checks.h"
#include "src/app/doctor_ours.h"
#include "src/base/text.h"

namespace app::doctor {
namespace {

using model::Level;

constexpr std::string_view kHostFile = "/etc/resolv.conf";

bool is_loopback(std::string_view address) {
  return address.starts_with("127.") || address == "::1";
}

class DaneCheck {
 public:
  DaneCheck(const PostfixHost& host, const Instance& instance, const Service& service,
            const Demand& rows, Findings& findings)
      : host_(host),
        instance_(instance),
        service_(service),
        rows_(rows),
        note_(findings, "dane", &instance, &service) {}

  void check() {
    expect(
        "smtp_dns_support_level", "dnssec",
        [](std::string_view value) { return value == "dnssec"; },
        "Postfix does not look for TLSA records at all");
    expect(
        "ignore_mx_lookup_error", "no", [](std::string_view value) { return !is_yes(value); },
        "a failing MX look-up leads to the domain's own address, where no TLSA record is "
        "expected: whoever spoils DNS answers gets round DANE");
    expect(
        "smtp_host_lookup", "dns",
        [](std::string_view value) { return value.find("dns") != std::string_view::npos; },
        "addresses from /etc/hosts are never signed");
    check_resolver();
  }

 private:
  template <class IsRight>
  void expect(const char* name, const char* wanted, IsRight is_right, std::string_view why) {
    const auto looked_at = describe(instance_, &service_, name);
    if (is_right(instance_.value(service_, name))) {
      return note_.ok(looked_at, "as DANE needs it");
    }
    note_.fail(looked_at, fmt::format("{}; {}", why, name_rows(rows_)),
               {set_parameter(instance_, &service_, name, wanted)});
  }

  // Postfix believes the AD bit of whoever answers [F 2.1]; libresolv reads the file from inside
  // the chroot.
  void check_resolver() {
    const auto path = seen_path(instance_, service_, kHostFile);
    const auto at = host_.nameservers.find(path);
    if (at == host_.nameservers.end()) {
      return note_.skip(path, "it can't be read, so the resolver is unknown");
    }
    const auto& servers = at->second;
    const auto looked_at = fmt::format("{}: nameserver {}", path,
                                       servers.empty() ? "none" : base::join(servers, ", "));
    if (std::all_of(servers.begin(), servers.end(), is_loopback)) {
      return note_.ok(looked_at, "the resolver is on this host; let it be one that validates");
    }
    note_.warn(looked_at,
               fmt::format(
                   "Postfix believes this resolver when it says that a record was signed, and "
                   "anybody on the way can say so. Run a validating resolver on this host and name "
                   "it alone{}",
                   path == kHostFile
                       ? std::string()
                       : fmt::format("; {} is a copy that Debian makes of {} whenever Postfix "
                                     "starts, elsewhere make it by hand",
                                     path, kHostFile)),
               mend_resolver());
  }

  // Debian copies the host's file over the chroot's whenever Postfix starts.
  static std::vector<std::string> mend_resolver() {
    return {fmt::format("{}: nameserver 127.0.0.1", kHostFile), "systemctl restart postfix"};
  }

  const PostfixHost& host_;
  const Instance& instance_;
  const Service& service_;
  const Demand& rows_;
  Notes note_;
};

bool is_within(std::string_view host, std::string_view domain) {
  return host == domain || (host.size() > domain.size() && host.ends_with(domain) &&
                            host[host.size() - domain.size() - 1] == '.');
}

// Without a match Postfix wants the recipient domain in the certificate (nexthop, dot-nexthop),
// which a provider's MX host doesn't have [O 1].
void check_match(const OurSide& ours, const store::ProfileUse& use, const std::string& domain,
                 Findings& findings) {
  Notes note(findings, "match");
  const auto looked_at = fmt::format("row {}: {} without a match", domain, use.profile.name);
  const auto at = ours.mx.find(domain);
  if (at == ours.mx.end() || !at->second.trouble.empty()) {
    return note.warn(
        looked_at,
        fmt::format("the certificate must be for {} itself; if its MX hosts belong to a provider, "
                    "its mail waits for ever ({})",
                    domain,
                    at == ours.mx.end() ? "its MX hosts were not looked up" : at->second.trouble),
        {set_row(ours, domain, use.profile.name, "--match nexthop:dot-nexthop")});
  }
  const auto& hosts = at->second.hosts;
  if (std::all_of(hosts.begin(), hosts.end(),
                  [&](const std::string& host) { return is_within(host, domain); })) {
    return note.ok(looked_at, fmt::format("its MX hosts are its own: {}", base::join(hosts, ", ")));
  }
  note.fail(looked_at,
            fmt::format("its MX hosts are another domain's ({}), whose certificate will hardly be "
                        "for {}: its mail waits for ever",
                        base::join(hosts, ", "), domain),
            {set_row(ours, domain, use.profile.name, "--match " + base::join(hosts, ":"))});
}

}  // namespace

void check_dane(const PostfixHost& host, const Instance& instance, const OurSide& ours,
                Findings& findings) {
  const auto rows = rows_at(ours, {Level::Dane, Level::DaneOnly});
  for (const Service& service : instance.services) {
    if (!is_smtp_client(service) || !policy_table_of(ours.config, instance, service)) continue;
    if (rows) {
      DaneCheck(host, instance, service, rows, findings).check();
    } else {
      Notes note(findings, "dane", &instance, &service);
      const auto looked_at = describe(instance, &service, "smtp_dns_support_level");
      if (ours.policy) {
        note.ok(looked_at, "no row says dane");
      } else {
        note.skip(looked_at, "policy.db could not be read");
      }
    }
  }
}

void check_matches(const OurSide& ours, Findings& findings) {
  if (!ours.policy) return;
  for (const store::ProfileUse& use : ours.policy->uses) {
    if (use.profile.level != Level::Secure) continue;
    for (const auto& domain : use.unmatched_names) check_match(ours, use, domain, findings);
  }
}

}  // namespace app::doctor
