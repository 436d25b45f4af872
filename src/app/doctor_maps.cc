// The tables that smtp(8) asks: ours among them, under the right name, in the right place, and the
// outcome beside it.
#include <fmt/format.h>

#include <algorithm>

#include "src/app/doctor_checks.h"
#include "src/app/doctor_ours.h"
#include "src/base/text.h"

namespace app::doctor {
namespace {

using tlsmap::Table;

constexpr const char* kPolicyMaps = "smtp_tls_policy_maps";
constexpr const char* kOutcomeMaps = "smtp_delivery_status_filter";
constexpr const char* kDefaultFilter = "$default_delivery_status_filter";

bool is_policy_map(const OurTable& table) {
  return table.name && (table.name->table == Table::Policy || table.name->table == Table::Strict);
}

std::string join_texts(const std::vector<tlsmap::TableSpec>& list, std::size_t from,
                       std::size_t to) {
  std::vector<std::string> texts;
  for (std::size_t i = from; i < to; ++i) texts.push_back(list[i].text);
  return base::join(texts, ", ");
}

std::string leave_out(std::string_view table, std::string_view list) {
  std::vector<std::string> parts;
  for (const auto part : tlsmap::split_list(list)) {
    if (part != table) parts.emplace_back(part);
  }
  return base::join(parts, ", ");
}

class PolicyMaps {
 public:
  PolicyMaps(const Instance& instance, const Service& service, const OurSide& ours,
             Findings& findings)
      : instance_(instance),
        service_(service),
        ours_(ours),
        findings_(findings),
        list_(tlsmap::parse_tables(instance.value(service, kPolicyMaps))),
        looked_at_(describe(instance, &service, kPolicyMaps)),
        fixes_{set_parameter(instance, &service, kPolicyMaps,
                             wanted_policy_maps(ours.config, instance, service).value)} {}

  void check() {
    const auto tables = find_our_tables(ours_.config, instance_, service_, list_);
    if (tables.empty()) return miss();
    check_place(tables);
    for (const OurTable& table : tables) check_name(table);
  }

 private:
  Notes note(std::string_view check) { return {findings_, check, &instance_, &service_}; }

  void miss() {
    const auto level = model::parse_level(instance_.value(service_, "smtp_tls_security_level"));
    if (level && model::is_tls_required(*level)) {
      return note("maps").ok(looked_at_,
                             "no table of tlspolicyd: everything this service sends goes by TLS "
                             "(smtp_tls_security_level), whatever the rows say");
    }
    const auto rows = mandatory_domains(ours_);
    if (is_only_for_filters()) {
      return note("maps").ok(looked_at_, "it carries mail to a content filter alone");
    }
    note("maps").complain(
        rows || !is_override(), looked_at_,
        fmt::format("this service does not ask tlspolicyd: mail that goes by it is delivered as "
                    "main.cf says, and no row holds{}",
                    rows ? fmt::format(", not even {}", name_rows(rows)) : ""),
        fixes_);
  }

  [[nodiscard]] bool is_override() const {
    return service_.master.overrides.count(kPolicyMaps) > 0;
  }

  // Without our table on purpose, and named by a content_filter.
  [[nodiscard]] bool is_only_for_filters() const {
    if (!is_override()) return false;
    const auto names = [&](std::string_view filter) {
      return tlsmap::parse_route(filter).transport == service_.master.name;
    };
    return names(instance_.value("content_filter")) ||
           std::any_of(
               instance_.services.begin(), instance_.services.end(),
               [&](const Service& each) { return names(instance_.value(each, "content_filter")); });
  }

  // The first table that has an answer wins; one that fails ends the search [F 2.1.6].
  void check_place(const std::vector<OurTable>& tables) {
    const OurTable& first = tables.front();
    const auto ahead = list_.begin() + static_cast<std::ptrdiff_t>(first.place);
    const auto takes_all = std::find_if(
        list_.begin(), ahead, [](const tlsmap::TableSpec& each) { return each.type == "static"; });
    if (takes_all != ahead) {
      note("maps").fail(
          looked_at_,
          fmt::format("{} answers every question, so tlspolicyd is never asked", takes_all->text),
          fixes_);
    } else if (first.place > 0) {
      note("maps").warn(
          looked_at_,
          fmt::format("{} is asked before tlspolicyd: what it answers counts, and the row of that "
                      "destination does not. Put ours first, or keep it so on purpose",
                      join_texts(list_, 0, first.place)),
          fixes_);
    } else if (tables.size() > 1) {
      note("maps").warn(looked_at_,
                        fmt::format("tlspolicyd is asked {} times for each destination; the first "
                                    "answer counts",
                                    tables.size()),
                        fixes_);
    } else {
      note("maps").ok(looked_at_, list_.size() == 1
                                      ? "tlspolicyd is asked, and nobody else"
                                      : fmt::format("tlspolicyd is asked first; {} only where it "
                                                    "has no row (an error of ours ends the search)",
                                                    join_texts(list_, 1, list_.size())));
    }
  }

  void check_name(const OurTable& table) {
    auto name = note("names");
    if (!is_policy_map(table)) {
      return name.fail(looked_at_,
                       fmt::format("\"{}\" is no map for TLS policies: {}. All mail of this "
                                   "service waits or goes by the wrong answer",
                                   table.spec.map,
                                   table.name ? "it is one for another parameter"
                                              : "tlspolicyd has none of this name"),
                       fixes_);
    }
    if (table.spec.is_proxied) {
      name.fail(looked_at_,
                "asked through proxy:, tlspolicyd can't tell which smtp(8) process asks, so no "
                "outcome can be joined to its question, and one slow answer holds up everybody",
                fixes_);
    }
    check_version(table);
  }

  void check_version(const OurTable& table) {
    auto name = note("names");
    const auto& asks = table.name->version;
    const auto answered = asks.value_or(ours_.config.postfix_version);
    if (answered <= instance_.version) {
      return name.ok(
          fmt::format("map {} with Postfix {}", table.spec.map, instance_.version_text),
          fmt::format("answered with what Postfix {} understands", model::to_text(answered)));
    }
    const auto text = fmt::format(
        "answers may hold attributes that Postfix {} does not know; it then defers the mail "
        "(\"client TLS configuration problem\")",
        instance_.version_text);
    if (asks) {
      return name.fail(looked_at_,
                       fmt::format("map {} is for Postfix {} and newer: {}", table.spec.map,
                                   model::to_text(*asks), text),
                       fixes_);
    }
    name.fail(fmt::format("postfix_version = {} ({}) with Postfix {}", model::to_text(answered),
                          ours_.config_file, instance_.version_text),
              text,
              {set_option(ours_, "postfix_version",
                          fmt::format("{}.{}", instance_.version.major, instance_.version.minor))});
  }

  const Instance& instance_;
  const Service& service_;
  const OurSide& ours_;
  Findings& findings_;
  std::vector<tlsmap::TableSpec> list_;
  std::string looked_at_;
  std::vector<std::string> fixes_;
};

std::string view_of(std::string_view map) {
  const auto at = map.find('@');
  return std::string(at == std::string_view::npos ? std::string_view() : map.substr(at));
}

class OutcomeMaps {
 public:
  OutcomeMaps(const Instance& instance, const Service& service, const OurSide& ours,
              const OurTable& policy, Findings& findings)
      : instance_(instance),
        service_(service),
        policy_(policy),
        wanted_maps_(wanted_policy_maps(ours.config, instance, service)),
        note_(findings, "outcome", &instance, &service),
        list_(tlsmap::parse_tables(instance.value(service, kOutcomeMaps))),
        tables_(find_our_tables(ours.config, instance, service, list_)),
        written_(instance.written_value(&service, kOutcomeMaps)),
        looked_at_(describe_as_written(instance, service, kOutcomeMaps)),
        right_(fmt::format("socketmap:{}:outcome{}", wanted_maps_.endpoint, wanted_maps_.view)) {}

  void check() {
    if (tables_.empty()) {
      return note_.warn(looked_at_,
                        "tlspolicyd does not learn how deliveries end, so rows that depend on it "
                        "(after-retry, unless-offered, bounce) can't do what they say",
                        {wanted()});
    }
    const OurTable& table = tables_.front();
    if (!table.name || table.name->table != Table::Outcome) {
      return note_.fail(looked_at_,
                        fmt::format("\"{}\" is not the map that takes outcomes", table.spec.map),
                        {wanted()});
    }
    if (table.spec.is_proxied) {
      return note_.fail(looked_at_,
                        "through proxy: an outcome comes on another connection than its question, "
                        "and is thrown away",
                        {wanted()});
    }
    if (table.spec.endpoint->text != policy_.spec.endpoint->text ||
        view_of(table.spec.map) != view_of(policy_.spec.map)) {
      return note_.fail(
          looked_at_,
          fmt::format("it must stand at the very address that {} has ({}{}), letter "
                      "by letter: only then both come on one connection",
                      kPolicyMaps, policy_.spec.endpoint->text, view_of(policy_.spec.map)),
          {wanted()});
    }
    check_neighbours(table);
  }

 private:
  [[nodiscard]] bool has_default_behind() const {
    const auto parts = tlsmap::split_list(written_);
    const auto ours = std::find(parts.begin(), parts.end(), tables_.front().spec.text);
    const auto is_default = [](std::string_view part) {
      return part == kDefaultFilter || part == "${default_delivery_status_filter}" ||
             part == "$(default_delivery_status_filter)";
    };
    return ours != parts.end() && std::any_of(ours, parts.end(), is_default);
  }

  void check_neighbours(const OurTable& table) {
    if (table.place > 0) {
      return note_.warn(looked_at_,
                        "another table is asked first; what it answers never reaches tlspolicyd",
                        {wanted()});
    }
    const auto common = tlsmap::parse_tables(instance_.value("default_delivery_status_filter"));
    const bool keeps_all = std::all_of(common.begin(), common.end(), [&](const auto& each) {
      return std::any_of(list_.begin(), list_.end(),
                         [&](const auto& other) { return other.text == each.text; });
    });
    if (!has_default_behind() && !(keeps_all && !common.empty())) {
      return note_.complain(
          !keeps_all, looked_at_,
          fmt::format("{} is not kept behind it: {}", kDefaultFilter,
                      keeps_all ? "empty today, it would be missed the day somebody sets it"
                                : "its tables are no longer asked for mail that smtp(8) delivers"),
          {wanted()});
    }
    note_.ok(looked_at_, "outcomes come on the connection of their question");
  }

  // What stood there stays, behind ours.
  [[nodiscard]] std::string wanted() const {
    std::vector<std::string> parts{right_};
    bool has_default = false;
    for (const auto part : tlsmap::split_list(written_)) {
      const bool is_ours = std::any_of(tables_.begin(), tables_.end(), [&](const OurTable& each) {
        return each.spec.text == part;
      });
      if (is_ours || part == right_) continue;
      has_default = has_default || part == kDefaultFilter;
      parts.emplace_back(part);
    }
    if (!has_default) parts.emplace_back(kDefaultFilter);
    return set_parameter(instance_, &service_, kOutcomeMaps, base::join(parts, ", "));
  }

  const Instance& instance_;
  const Service& service_;
  const OurTable& policy_;
  WantedMaps wanted_maps_;
  Notes note_;
  std::vector<tlsmap::TableSpec> list_;
  std::vector<OurTable> tables_;
  std::string written_;
  std::string looked_at_;
  std::string right_;
};

void check_routing_map(const Instance& instance, const Service& service, const OurSide& ours,
                       const char* parameter, Table wanted, Findings& findings) {
  const auto list = tlsmap::parse_tables(instance.value(service, parameter));
  for (const OurTable& table : find_our_tables(ours.config, instance, service, list)) {
    Notes note(findings, "names", &instance, &service);
    const auto looked_at = describe(instance, &service, parameter);
    if (table.name && table.name->table == wanted) {
      note.ok(looked_at, "the map for this parameter");
      continue;
    }
    const auto right = fmt::format("socketmap:{}:{}{}", table.spec.endpoint->text,
                                   wanted == Table::Transport ? "transport" : "sender-transport",
                                   view_of(table.spec.map));
    const auto rest = leave_out(table.spec.text, instance.written_value(&service, parameter));
    note.fail(looked_at,
              fmt::format("\"{}\" is not the map of tlspolicyd for this parameter: mail would be "
                          "routed by the wrong answer, or wait",
                          table.spec.map),
              {set_parameter(instance, &service, parameter,
                             rest.empty() ? right : fmt::format("{}, {}", right, rest))});
  }
}

}  // namespace

void check_maps(const Instance& instance, const OurSide& ours, Findings& findings) {
  for (const Service& service : instance.services) {
    if (runs(service, "trivial-rewrite")) {
      check_routing_map(instance, service, ours, "transport_maps", Table::Transport, findings);
      check_routing_map(instance, service, ours, "sender_dependent_default_transport_maps",
                        Table::SenderTransport, findings);
    }
    if (is_smtp_client(service)) PolicyMaps(instance, service, ours, findings).check();
  }
}

void check_outcome(const Instance& instance, const OurSide& ours, Findings& findings) {
  for (const Service& service : instance.services) {
    if (!is_smtp_client(service)) continue;
    const auto policy = policy_table_of(ours.config, instance, service);
    if (policy) OutcomeMaps(instance, service, ours, *policy, findings).check();
  }
  // local(8), virtual(8) and pipe(8) would ask us too [F 4.6].
  const auto common = tlsmap::parse_tables(instance.value("default_delivery_status_filter"));
  for (const OurTable& table : find_our_tables(ours.config, instance, Service{}, common)) {
    Notes(findings, "outcome", &instance)
        .fail(describe(instance, nullptr, "default_delivery_status_filter"),
              fmt::format("{} belongs into {} alone: here local deliveries are reported as well",
                          table.spec.text, kOutcomeMaps),
              {set_parameter(
                  instance, nullptr, "default_delivery_status_filter",
                  leave_out(table.spec.text,
                            instance.written_value(nullptr, "default_delivery_status_filter")))});
  }
}

}  // namespace app::doctor
