// Words that several checks share: which table is ours, what the rows ask for, and the lines that
// mend something. Pure.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/app/doctor_host.h"
#include "tlsmap/map_name.h"

namespace app::doctor {

// Adds findings of one check about one place.
class Notes {
 public:
  Notes(Findings& findings, std::string_view check, const Instance* instance = nullptr,
        const Service* service = nullptr);
  void ok(std::string looked_at, std::string text);
  void skip(std::string looked_at, std::string text);
  void warn(std::string looked_at, std::string text, std::vector<std::string> fixes = {});
  void fail(std::string looked_at, std::string text, std::vector<std::string> fixes = {});
  // A warning, or an error where `is_error`.
  void complain(bool is_error, std::string looked_at, std::string text,
                std::vector<std::string> fixes = {});

 private:
  void add(Finding::State state, std::string looked_at, std::string text,
           std::vector<std::string> fixes);
  Findings& findings_;
  Finding pattern_;
};

// A table of Postfix's that is ours, or is meant to be.
struct OurTable {
  tlsmap::TableSpec spec{};
  std::optional<tlsmap::MapName> name{};  // nothing: no map of ours has this name
  std::size_t place = 0;                  // in its list
  // A listener of the configuration serves this very address, seen from that service.
  bool is_served = false;
};
// The tables of ours in `list`; those of other products' names only where the address is ours.
std::vector<OurTable> find_our_tables(const Config& config, const Instance& instance,
                                      const Service& service,
                                      const std::vector<tlsmap::TableSpec>& list);
bool is_served(const std::vector<Listen>& listeners, const Instance& instance,
               const Service& service, const tlsmap::Endpoint& endpoint);
// A host that must be resolved first.
bool is_by_name(const tlsmap::Endpoint& endpoint);
// The same address without regard to a chroot: what the admin had in mind.
bool is_meant(const std::vector<Listen>& listeners, const tlsmap::Endpoint& endpoint);
// Who connects for `service`: itself, or proxymap(8).
const Service& connecting_service(const Instance& instance, const Service& service,
                                  bool is_proxied);

// smtp(8) services, and lmtp(8) where that has a table of ours.
bool is_smtp_client(const Service& service);
bool runs(const Service& service, std::string_view program);
// The table that this service asks for TLS policies, if one of ours is among its maps.
std::optional<OurTable> policy_table_of(const Config& config, const Instance& instance,
                                        const Service& service);
// How `service` would best reach us: "unix:tlspolicyd/tlsmap.sock".
struct BestEndpoint {
  std::string text{};
  // What must be listened on first, below the queue directory; empty: a listener serves it.
  std::string missing_socket{};
};
BestEndpoint best_endpoint(const Config& config, const Instance& instance, const Service& service);
// The whole right value of smtp_tls_policy_maps for `service`: ours first, at an address that it
// can reach, for the installed Postfix; what else stood there stays behind it.
struct WantedMaps {
  std::string endpoint{};
  std::string view{};  // "@tenant1", or empty
  std::string value{};
};
WantedMaps wanted_policy_maps(const Config& config, const Instance& instance,
                              const Service& service);

// --- What the rows ask for.
bool is_mandatory(const model::Profile& profile);
// May go in clear, by its level or by its fallback.
bool may_go_clear(model::Level level, model::Fallback fallback);
struct Demand {
  std::int64_t count = 0;
  std::string example{};
  explicit operator bool() const { return count > 0; }
};
// Rows of domains with mandatory TLS, and of all destinations.
Demand mandatory_domains(const OurSide& ours);
Demand mandatory_rows(const OurSide& ours);
Demand rows_at(const OurSide& ours, std::initializer_list<model::Level> levels);
// "bank.example", "bank.example and 3 more": for a sentence.
std::string name_rows(const Demand& demand);

// --- Lines that mend.
// The command that sets a parameter where it is set now: main.cf, or that service's -o option.
std::string set_parameter(const Instance& instance, const Service* service, std::string_view name,
                          std::string_view value);
// The command that sets it for one service of master.cf, whatever it has now; and that adds a
// service.
std::string set_override(const Instance& instance, const Service& service, std::string_view name,
                         std::string_view value);
std::string add_service(const Instance& instance, std::string_view entry);
// "/etc/tlspolicyd/tlspolicyd.conf: postfix_version = 3.7"
std::string set_option(const OurSide& ours, std::string_view name, std::string_view value);
std::string set_row(const OurSide& ours, std::string_view destination, std::string_view profile,
                    std::string_view more = {});
// "relayhost = [relay.example]:587 (main.cf)", or "(master.cf)" where the service overrides it.
std::string describe(const Instance& instance, const Service* service, std::string_view name);
// The same without expanding what it refers to: a reference to nothing would look cut off.
std::string describe_as_written(const Instance& instance, const Service& service,
                                std::string_view name);
bool is_yes(std::string_view value);

}  // namespace app::doctor
