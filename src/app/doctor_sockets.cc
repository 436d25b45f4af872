// Whether the services of Postfix get through to us, each from inside its own chroot.
#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <set>

#include "src/app/doctor_checks.h"
#include "src/app/doctor_ours.h"

namespace app::doctor {
namespace {

constexpr std::array kSmtpTables{"smtp_tls_policy_maps", "smtp_delivery_status_filter"};
constexpr std::array kRewriteTables{"transport_maps", "sender_dependent_default_transport_maps"};
constexpr std::array kRestrictions{
    "smtpd_client_restrictions", "smtpd_helo_restrictions",       "smtpd_sender_restrictions",
    "smtpd_relay_restrictions",  "smtpd_recipient_restrictions",  "smtpd_data_restrictions",
    "smtpd_etrn_restrictions",   "smtpd_end_of_data_restrictions"};

template <std::size_t N>
void add_table_uses(const Instance& instance, const Service& service,
                    const std::array<const char*, N>& parameters, const OurSide& ours,
                    std::vector<Use>& uses) {
  for (const char* parameter : parameters) {
    const auto list = tlsmap::parse_tables(instance.value(service, parameter));
    for (const OurTable& table : find_our_tables(ours.config, instance, service, list)) {
      uses.push_back({&instance, &connecting_service(instance, service, table.spec.is_proxied),
                      parameter, *table.spec.endpoint});
    }
  }
}

void add_policyd_uses(const Instance& instance, const Service& service, const OurSide& ours,
                      std::vector<Use>& uses) {
  const auto& listeners = ours.config.policyd_listen;
  for (const char* parameter : kRestrictions) {
    for (auto& endpoint : tlsmap::find_policy_services(instance.value(service, parameter))) {
      if (!is_served(listeners, instance, service, endpoint) && !is_meant(listeners, endpoint)) {
        continue;
      }
      uses.push_back({&instance, &service, parameter, std::move(endpoint)});
    }
  }
}

std::vector<Use> list_instance_uses(const Instance& instance, const OurSide& ours) {
  std::vector<Use> uses;
  for (const Service& service : instance.services) {
    if (is_smtp_client(service)) add_table_uses(instance, service, kSmtpTables, ours, uses);
    if (runs(service, "trivial-rewrite")) {
      add_table_uses(instance, service, kRewriteTables, ours, uses);
    }
    if (runs(service, "smtpd")) add_policyd_uses(instance, service, ours, uses);
  }
  return uses;
}

std::string folder_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

class SocketCheck {
 public:
  SocketCheck(const PostfixHost& host, const OurSide& ours, const Use& use, Findings& findings)
      : host_(host),
        ours_(ours),
        use_(use),
        instance_(*use.instance),
        service_(*use.service),
        note_(findings, "sockets", &instance_, &service_),
        listeners_(use.parameter.starts_with("smtpd_") ? ours.config.policyd_listen
                                                       : ours.config.tlsmap_listen),
        seen_(use.endpoint.is_unix ? seen_path(instance_, service_, use.endpoint.path) : ""),
        looked_at_(fmt::format("{} in {}", use.endpoint.text, use.parameter)) {
    if (use.endpoint.is_unix) {
      looked_at_ +=
          fmt::format(", which {}is {}", service_.is_chrooted ? "in the chroot " : "", seen_);
    }
  }

  void check() {
    const auto at = host_.reaches.find(reach_key(instance_, service_, use_.endpoint));
    const Reach reach = at == host_.reaches.end() ? Reach{} : at->second;
    const bool served = is_served(listeners_, instance_, service_, use_.endpoint);
    switch (reach.outcome) {
      case Reach::Outcome::Connected:
        if (served) return confirm(reach);
        return note_.warn(looked_at_,
                          fmt::format("something answers there, but no listener of {} has this "
                                      "address: is it another daemon?",
                                      ours_.config_file),
                          mend_address());
      case Reach::Outcome::Failed:
        return served ? explain_failure(reach) : blame_address(reach.text);
      case Reach::Outcome::NotTried:
        if (!served) return blame_address({});
        return note_.skip(
            looked_at_,
            fmt::format("the address is right; connecting was not tried: {}", reach.text));
    }
  }

 private:
  // Postfix resolves a name from inside the chroot, where nobody may know it [F 1.2].
  void confirm(const Reach& reach) {
    if (!service_.is_chrooted || !is_by_name(use_.endpoint)) {
      return note_.ok(looked_at_, reach.text);
    }
    note_.warn(looked_at_,
               fmt::format("a chroot may hold no file that says what this name is; write {}",
                           use_.endpoint.host),
               use_.parameter.starts_with("smtpd_") ? std::vector<std::string>() : mend_address());
  }

  void explain_failure(const Reach& reach) {
    if (reach.error == EACCES || reach.error == EPERM) return blame_permissions(reach.text);
    if (!ours_.daemon.is_up && (reach.error == ECONNREFUSED || reach.error == ENOENT)) {
      return note_.skip(looked_at_,
                        "the address is right; nobody listens while tlspolicyd is down");
    }
    note_.fail(looked_at_,
               fmt::format("{}: the mail of this service waits (\"client TLS configuration "
                           "problem\"). tlspolicyd runs, but not with this listener",
                           reach.text),
               {"systemctl restart tlspolicyd"});
  }

  void blame_address(const std::string& why) {
    const bool is_chroot_trap = service_.is_chrooted && is_meant(listeners_, use_.endpoint);
    note_.fail(
        looked_at_,
        fmt::format(
            "{}{}. The mail of this service waits (\"client TLS configuration problem\")",
            is_chroot_trap
                ? fmt::format("{} runs chrooted in {} (master.cf) and can't see {}", service_.key(),
                              instance_.queue_directory(), use_.endpoint.path)
                : fmt::format("no listener of {} has this address", ours_.config_file),
            why.empty() ? "" : ": " + why),
        mend_address());
  }

  // The parameter with an address of ours that this service can reach, after the listener where
  // there is none.
  [[nodiscard]] std::vector<std::string> mend_address() const {
    if (use_.parameter.starts_with("smtpd_")) return listen_at(seen_, "policyd_listen");
    const auto best = best_endpoint(ours_.config, instance_, service_);
    auto lines = best.missing_socket.empty() ? std::vector<std::string>()
                                             : listen_at(best.missing_socket, "tlsmap_listen");
    lines.push_back(set_parameter(instance_, owner(), use_.parameter, wanted_value(best)));
    return lines;
  }

  [[nodiscard]] std::string wanted_value(const BestEndpoint& best) const {
    if (use_.parameter == kSmtpTables.front()) {
      return wanted_policy_maps(ours_.config, instance_, service_).value;
    }
    std::string value;
    for (const auto part : tlsmap::split_list(instance_.written_value(owner(), use_.parameter))) {
      const auto table = tlsmap::parse_tables(part).front();
      const bool is_it = table.endpoint && table.endpoint->text == use_.endpoint.text;
      value += value.empty() ? "" : ", ";
      value += is_it ? fmt::format("socketmap:{}:{}", best.text, table.map) : std::string(part);
    }
    return value;
  }

  // Whose parameter it is: proxymap(8) connects for others.
  [[nodiscard]] const Service* owner() const {
    return runs(service_, "proxymap") ? nullptr : &service_;
  }

  [[nodiscard]] std::vector<std::string> listen_at(const std::string& path,
                                                   std::string_view option) const {
    std::string value;
    for (const Listen& listen : listeners_) value += listen.text + ", ";
    value += path.empty() ? use_.endpoint.text : "unix:" + path;
    std::vector<std::string> lines;
    if (!path.empty()) lines.push_back("install -d " + folder_of(path));
    lines.push_back(set_option(ours_, option, value));
    lines.emplace_back("systemctl restart tlspolicyd");
    return lines;
  }

  void blame_permissions(const std::string& why) {
    const auto folder = host_.files.find(folder_of(seen_));
    const auto text = fmt::format(
        "{}: user {} may not connect, and the mail of this service waits (\"client TLS "
        "configuration problem\")",
        why, instance_.value("mail_owner"));
    if (folder != host_.files.end() && (folder->second.mode & 0001U) == 0) {
      return note_.fail(looked_at_,
                        fmt::format("{}. Its folder {} (mode {:04o}, {}:{}) lets nobody else in",
                                    text, folder->first, folder->second.mode & 07777U,
                                    folder->second.owner, folder->second.group),
                        {"chmod o+x " + folder->first});
    }
    const std::string group(instance_.value("mail_owner"));
    note_.fail(
        looked_at_, text,
        {fmt::format("chgrp {} {}", group, seen_), fmt::format("chmod 0660 {}", seen_),
         set_option(ours_, "socket_group", group), set_option(ours_, "socket_mode", "0660")});
  }

  const PostfixHost& host_;
  const OurSide& ours_;
  const Use& use_;
  const Instance& instance_;
  const Service& service_;
  Notes note_;
  const std::vector<Listen>& listeners_;
  std::string seen_;
  std::string looked_at_;
};

}  // namespace

std::vector<Use> list_uses(const PostfixHost& host, const OurSide& ours) {
  std::vector<Use> uses;
  for (const Instance& instance : host.instances) {
    for (Use& use : list_instance_uses(instance, ours)) uses.push_back(std::move(use));
  }
  return uses;
}

void check_sockets(const PostfixHost& host, const Instance& instance, const OurSide& ours,
                   Findings& findings) {
  std::set<std::string> seen;
  for (const Use& use : list_instance_uses(instance, ours)) {
    if (!seen.insert(use.service->key() + "|" + use.parameter + "|" + use.endpoint.text).second) {
      continue;
    }
    SocketCheck(host, ours, use, findings).check();
  }
}

}  // namespace app::doctor
