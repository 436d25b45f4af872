#include "src/app/doctor_gather.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <set>

#include "src/app/ctl_control.h"
#include "src/app/ctl_peer.h"
#include "src/app/ctl_policy_rows.h"
#include "src/app/doctor_checks.h"
#include "src/app/doctor_command.h"
#include "src/app/doctor_mx.h"
#include "src/app/doctor_ours.h"
#include "src/app/doctor_reach.h"
#include "src/app/held_routes.h"
#include "src/app/table_lookup.h"
#include "src/base/handle.h"
#include "src/base/text.h"
#include "src/engine/judge.h"
#include "src/engine/own_fault.h"
#include "src/model/next_hop.h"
#include "src/store/state_db.h"

namespace app::doctor {
namespace {

constexpr std::chrono::milliseconds kDaemonPatience{2000};
// Rows of each kind that are looked at one by one.
constexpr std::int64_t kMostNames = 200;
constexpr std::size_t kMostMxLookups = 20;
constexpr std::size_t kLargestResolvConf = 65536;

std::optional<Account> find_account(const std::string& name) {
  const passwd* entry = name.empty() ? nullptr : ::getpwnam(name.c_str());
  if (entry == nullptr) return std::nullopt;
  std::array<gid_t, 256> groups{};
  int count = static_cast<int>(groups.size());
  if (::getgrouplist(entry->pw_name, entry->pw_gid, groups.data(), &count) < 0) count = 1;
  return Account{name, entry->pw_uid, {groups.begin(), groups.begin() + count}};
}

bool answers_directly(const Config& config) {
  for (const Listen& listen : config.tlsmap_listen) {
    if (listen.kind != Listen::Kind::Passed && ctl::Peer::connect(listen, kDaemonPatience)) {
      return true;
    }
  }
  return false;
}

OurSide::Daemon ask_daemon(const Config& config) {
  const auto status = ctl::ask_control(config.control_socket, "status", kDaemonPatience);
  OurSide::Daemon daemon;
  if (status) {
    daemon.is_up = true;
    daemon.is_well = ctl::is_true_in(*status, "ok");
    daemon.is_log_missing = ctl::is_true_in(
        ctl::object_in(ctl::object_in(*status, "feedback"), "ingest"), "maillog_missing");
    if (!daemon.is_well) daemon.text = "tlspolicyd runs but is not well; see: tlspolicyctl status";
    return daemon;
  }
  daemon.text = status.error();
  if (answers_directly(config)) {
    daemon.is_up = true;
    daemon.is_well = false;
  }
  return daemon;
}

// What can't be read is not empty. Without a summary the trouble is named already.
// cppcheck-suppress constParameter; its policy is changed
void note_unread(std::string_view table, const std::string& error, OurSide& ours) {
  if (!ours.policy) return;
  ours.policy->faults.push_back(fmt::format("table {}: {}", table, ctl::plain_sentence(error)));
}

void read_submission(store::PolicyDb& db, OurSide& ours) {
  const auto rows = db.list_submission();
  if (!rows) return note_unread("submission", rows.error(), ours);
  for (const auto& row : *rows) {
    ++ours.submission.rules;
    if (row.otherwise != "observe") ++ours.submission.tls_only_rules;
  }
}

void read_inbound(store::PolicyDb& db, OurSide& ours) {
  const auto rows = db.list_inbound();
  if (!rows) return note_unread("inbound", rows.error(), ours);
  for (const auto& [rule, owner, reason, comment] : *rows) {
    if (rule.require == model::InboundRequire::None) continue;
    ++ours.inbound.rules;
    const bool wants_certificate =
        rule.require == model::InboundRequire::Certificate || !rule.ccert_fingerprint.empty();
    if (wants_certificate) ++ours.inbound.certificate_rules;
  }
}

void read_policy(const ctl::Context& context, OurSide& ours) {
  auto db = ctl::open_policy_db(context, store::PolicyDb::Access::ReadOnly);
  auto summary = db ? db->summarise(context.now.time_since_epoch().count(), kMostNames)
                    : base::Result<store::PolicySummary>(base::Error{db.error()});
  if (summary) {
    ours.policy = std::move(*summary);
  } else {
    ours.policy_trouble = ctl::plain_sentence(summary.error());
  }
  if (!db) return;
  read_submission(*db, ours);
  read_inbound(*db, ours);
}

std::string name_of(std::uint32_t id, bool is_group) {
  if (is_group) {
    const ::group* entry = ::getgrgid(id);
    return entry == nullptr ? fmt::format("{}", id) : entry->gr_name;
  }
  const passwd* entry = ::getpwuid(id);
  return entry == nullptr ? fmt::format("{}", id) : entry->pw_name;
}

FileFact look_at(const std::string& path) {
  struct stat status {};
  FileFact fact;
  if (::stat(path.c_str(), &status) != 0) {
    if (errno != ENOENT && errno != ENOTDIR) fact.trouble = std::strerror(errno);
    return fact;
  }
  fact.exists = true;
  fact.mode = status.st_mode & 07777U;
  fact.uid = status.st_uid;
  fact.gid = status.st_gid;
  fact.owner = name_of(status.st_uid, false);
  fact.group = name_of(status.st_gid, true);
  return fact;
}

class Gatherer {
 public:
  Gatherer(const ctl::Context& context, PostfixHost& host, OurSide& ours)
      : context_(context), host_(host), ours_(ours) {}

  void gather() {
    for (const Use& use : list_uses(host_, ours_)) reach(use);
    look_at_own_files();
    look(kSystemStore);
    for (const Instance& instance : host_.instances) {
      for (const Service& service : instance.services) look_at_files(instance, service);
    }
    if (!ours_.policy) return;
    for (std::size_t i = 0; i < host_.instances.size(); ++i) look_up_routes(i);
    look_up_hops();
    look_up_mx();
  }

 private:
  void look(const std::string& path) {
    if (path.starts_with('/')) host_.files.try_emplace(path, look_at(path));
  }
  void look_with_folder(const std::string& path) {
    look(path);
    look(path.substr(0, std::max<std::size_t>(1, path.rfind('/'))));
  }

  void reach(const Use& use) {
    const auto key = reach_key(*use.instance, *use.service, use.endpoint);
    if (use.endpoint.is_unix) {
      look_with_folder(seen_path(*use.instance, *use.service, use.endpoint.path));
    }
    if (host_.reaches.count(key) > 0) return;
    const Way way{std::string(use.instance->queue_directory()), use.service->is_chrooted,
                  std::string(use.instance->value("mail_owner")), use.endpoint};
    host_.reaches.emplace(key, try_to_reach(way));
  }

  void look_at_own_files() {
    const Config& config = ours_.config;
    for (const auto& path :
         {ours_.config_file, config.policy_db, config.image_file, config.control_socket}) {
      look_with_folder(path);
    }
    look(config.maillog);
    for (const auto* listeners : {&config.tlsmap_listen, &config.policyd_listen}) {
      for (const Listen& listen : *listeners) {
        if (listen.kind == Listen::Kind::Unix) look_with_folder(listen.path);
      }
    }
  }

  void look_at_files(const Instance& instance, const Service& service) {
    if (!is_smtp_client(service)) return;
    look(std::string(instance.value(service, "smtp_tls_CAfile")));
    const auto folder = instance.value(service, "smtp_tls_CApath");
    if (!folder.empty()) look(seen_path(instance, service, folder));
    if (ours_.policy) {
      for (const store::ProfileUse& use : ours_.policy->uses) {
        if (!use.profile.tafile.empty()) look(seen_path(instance, service, use.profile.tafile));
      }
    }
    const auto resolv_conf = seen_path(instance, service, "/etc/resolv.conf");
    if (host_.nameservers.count(resolv_conf) > 0) return;
    if (const auto text = read_small_file(resolv_conf)) {
      host_.nameservers.emplace(resolv_conf, tlsmap::parse_nameservers(*text));
    }
  }

  static std::optional<std::string> read_small_file(const std::string& path) {
    const base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    std::string text(kLargestResolvConf, '\0');
    const ssize_t got = fd ? ::read(fd.get(), text.data(), text.size()) : -1;
    if (got < 0) return std::nullopt;
    text.resize(static_cast<std::size_t>(got));
    return text;
  }

  void look_up_routes(std::size_t index) {
    std::vector<std::pair<std::string, std::string>> asked;  // destination and profile
    for (const store::ProfileUse& use : ours_.policy->uses) {
      if (!is_mandatory(use.profile)) continue;
      for (const auto& name : use.domain_names) asked.emplace_back(name, use.profile.name);
    }
    if (asked.empty()) return;
    for (const auto& [parameter, table] :
         list_routing_tables(host_.instances[index], ours_.config)) {
      look_up_in(index, parameter, table, asked);
    }
  }

  void look_up_in(std::size_t index, const std::string& parameter, const std::string& table,
                  const std::vector<std::pair<std::string, std::string>>& asked) {
    std::set<std::string> keys;
    for (const auto& [destination, profile] : asked) {
      for (auto& key : held::transport_keys(destination, {}, false)) keys.insert(std::move(key));
    }
    RouteFact fact{index, parameter, table, {}, {}, {}, {}};
    const auto results = look_up_all(host_.instances[index].directory, table, keys);
    if (!results) {
      fact.destination = asked.front().first;
      fact.trouble = results.error();
      host_.routes.push_back(std::move(fact));
      return;
    }
    for (const auto& [destination, profile] : asked) {
      for (const auto& key : held::transport_keys(destination, {}, false)) {
        const auto at = results->find(key);
        if (at == results->end()) continue;
        fact.destination = destination;
        fact.profile = profile;
        fact.result = at->second;
        host_.routes.push_back(fact);
        break;
      }
    }
  }

  void look_up_hops() {
    auto db = ctl::open_policy_db(context_, store::PolicyDb::Access::ReadOnly);
    if (!db) return;
    const ctl::PolicyDbRows rows(*db);
    for (const auto& hop : list_next_hops(host_)) {
      const auto key = model::normalise_key(hop);
      const auto verdict = engine::judge(rows, model::Question{key, {}, model::Transport::Usual},
                                         model::RowMode::Enforce, context_.now);
      HopRow row;
      if (verdict.kind != model::Verdict::Kind::NotFound) {
        row.row = verdict.row.destination;
        row.is_faulty = verdict.kind == model::Verdict::Kind::Unknown;
        row.level = verdict.level;
        if (verdict.row.profile != nullptr) {
          row.profile = verdict.row.profile->name;
          row.fallback = verdict.row.profile->fallback;
        }
      }
      ours_.hops.emplace(hop, std::move(row));
    }
  }

  void look_up_mx() {
    std::vector<std::string> domains;
    for (const store::ProfileUse& use : ours_.policy->uses) {
      if (use.profile.level != model::Level::Secure) continue;
      for (const auto& domain : use.unmatched_names) {
        if (domains.size() < kMostMxLookups) domains.push_back(domain);
      }
    }
    ours_.mx = find_mx_hosts(context_, domains);
  }

  const ctl::Context& context_;
  PostfixHost& host_;
  OurSide& ours_;
};

// Nothing where there is no state.db to read, which is no fault of the network.
void read_network(const ctl::Context& context, OurSide& ours) {
  auto db = store::StateDb::open_read_only(context.config.state_db);
  if (!db) return;
  engine::OfferBook book;
  const auto loaded = db->load_probes([&book](const store::StoredProbe& stored) {
    book.take(stored.record, stored.memory);
    return true;
  });
  if (!loaded) return;
  const auto fault = book.find({}, context.now.time_since_epoch().count());
  ours.network.hosts = book.size();
  if (fault) ours.network.own_fault = fault->text;
}

}  // namespace

OurSide read_our_side(const ctl::Context& context) {
  OurSide ours;
  ours.config = context.config;
  ours.config_file = context.config_file;
  if (const auto text = read_config_file(context.config_file)) {
    ours.config_errors = parse_config(*text, context.config_file).errors;
  }
  ours.daemon = ask_daemon(context.config);
  ours.account = find_account(context.config.user);
  read_policy(context, ours);
  read_network(context, ours);
  return ours;
}

void gather_facts(const ctl::Context& context, PostfixHost& host, OurSide& ours) {
  Gatherer(context, host, ours).gather();
}

}  // namespace app::doctor
