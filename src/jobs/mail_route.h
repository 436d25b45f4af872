// Finds the hosts and addresses that mail for a next-hop goes to, as Postfix's smtp(8) would
// (smtp_addr.c, dns_lookup.c): a machine that says what to ask, takes what was answered, and ends
// with a route. Asks nobody by itself, knows no time; whoever drives it puts a Timeout in.
//
// Unlike Postfix it looks at every host and every address, for one bad node is what it is for.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/model/mail_route.h"
#include "src/wire/dns_lookup.h"

namespace jobs {

// What is beyond is left out, and the route's text says so.
inline constexpr std::size_t kMostRouteHosts = 50;
inline constexpr std::size_t kMostHostAddresses = 20;

class MailRoute {
 public:
  // A next-hop as Postfix writes it: example.com, example.com:587, [mx.example.com],
  // [192.0.2.1]:25, U-labels as well.
  explicit MailRoute(std::string_view next_hop);

  // What to ask now, none of it twice; empty where answers are waited for, or none is needed.
  std::vector<wire::DnsQuestion> take_questions();
  // What was answered. An answer to a question that isn't open is ignored.
  void take_answer(const wire::DnsQuestion& asked, const wire::DnsLookup& lookup);

  [[nodiscard]] bool is_done() const { return steps_.empty(); }
  // Complete once is_done().
  [[nodiscard]] const model::Route& route() const { return route_; }

 private:
  struct Step {
    wire::DnsQuestion question;
    std::optional<std::size_t> host;  // whose address it is after; nothing: the MX step
    std::size_t aliases = 0;          // that led to the question's name
    bool is_secure = true;            // their signatures hold
    bool is_asked = false;
  };
  // What the two address questions of a host came to.
  struct Search {
    std::size_t open = 0;
    bool is_secure = true;
    std::vector<model::AddressBytes> found_v4{};
    std::vector<model::AddressBytes> found_v6{};
    std::optional<model::RouteFault> fault{};  // the one that tells most
    std::string why{};
    std::size_t left_out = 0;
  };

  void take_mx(const wire::DnsLookup& lookup, bool is_secure);
  void take_addresses(std::size_t host, wire::RecordType type, const wire::DnsLookup& lookup,
                      bool is_secure);
  bool goes_on(Step step, wire::DnsLookup& lookup);
  void add_hosts(std::vector<wire::MxData> found, bool is_secure);
  void search_host(std::string name, std::uint16_t preference, bool is_secure);
  void settle_host(std::size_t host);
  void settle_if_done();
  void end_with(model::RouteFault fault, std::string text);

  model::Route route_;
  std::vector<Step> steps_;
  std::vector<Search> searches_;  // one for each of the route's hosts
};

}  // namespace jobs
