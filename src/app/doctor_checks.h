// The checks of doctor: a host and our side go in, findings come out. Pure; each group of checks
// has a file of its own.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/app/doctor_host.h"
#include "tlsmap/map_name.h"

namespace app::doctor {

// Every check, in the order in which an operator would look.
Findings examine(const PostfixHost& host, const OurSide& ours);

// The groups.
void check_daemon(const OurSide& ours, Findings& findings);
void check_network(const OurSide& ours, Findings& findings);
void check_log(const PostfixHost& host, const OurSide& ours, Findings& findings);
void check_files(const PostfixHost& host, const OurSide& ours, Findings& findings);
void check_listeners(const OurSide& ours, Findings& findings);
void check_maps(const Instance& instance, const OurSide& ours, Findings& findings);
void check_outcome(const Instance& instance, const OurSide& ours, Findings& findings);
void check_sockets(const PostfixHost& host, const Instance& instance, const OurSide& ours,
                   Findings& findings);
void check_relays(const Instance& instance, const OurSide& ours, Findings& findings);
void check_routes(const PostfixHost& host, const Instance& instance, const OurSide& ours,
                  Findings& findings);
void check_hops(const Instance& instance, const OurSide& ours, Findings& findings);
void check_levels(const PostfixHost& host, const Instance& instance, const OurSide& ours,
                  Findings& findings);
void check_dane(const PostfixHost& host, const Instance& instance, const OurSide& ours,
                Findings& findings);
void check_inbound(const Instance& instance, const OurSide& ours, Findings& findings);
void check_submission(const Instance& instance, const OurSide& ours, Findings& findings);
void check_matches(const OurSide& ours, Findings& findings);

// --- What the gatherer must find out for them.

// Where Debian keeps the authorities that everybody trusts.
inline constexpr const char* kSystemStore = "/etc/ssl/certs/ca-certificates.crt";

// A place where a service of an instance connects to a server that is ours, or is meant to be.
struct Use {
  const Instance* instance = nullptr;
  const Service* service = nullptr;  // who opens the connection: with proxy: that is proxymap(8)
  std::string parameter{};
  tlsmap::Endpoint endpoint{};
};
std::vector<Use> list_uses(const PostfixHost& host, const OurSide& ours);
// Every next-hop that main.cf, master.cf or an answer of a table names.
std::set<std::string> list_next_hops(const PostfixHost& host);
// Tables that route mail and aren't ours: parameter and table.
std::vector<std::pair<std::string, std::string>> list_routing_tables(const Instance& instance,
                                                                     const Config& config);

}  // namespace app::doctor
