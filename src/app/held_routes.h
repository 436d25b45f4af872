// Where Postfix sends the mail for an address: the next-hop that it asks us for [F 2.1.1].
//
// As trivial-rewrite(8) does it (trivial-rewrite/resolve.c, transport.c): transport_maps first,
// then relayhost, then the recipient's domain. The tables are asked with postmap(1); ours among
// them is left out, which says nothing unless mail is rerouted. What depends on the sender is not
// followed: depends_on_sender() says that there is such a thing.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/app/doctor_host.h"
#include "src/app/table_lookup.h"
#include "src/base/result.h"

namespace app::held {

// What transport(5) has tables asked for, strongest first: the address, without its extension, its
// domain, that one's parents, everything. A pattern (regexp:, pcre:, tcp:, ...) is never asked for
// a part of an address.
std::vector<std::string> transport_keys(std::string_view address, std::string_view delimiter,
                                        bool is_pattern);

class Routes {
 public:
  Routes(const doctor::Instance& instance, const Config& config);

  // True where a table may send one recipient elsewhere than his neighbour.
  [[nodiscard]] bool has_tables() const { return !tables_.empty(); }
  [[nodiscard]] bool depends_on_sender() const { return depends_on_sender_; }

  // Asks the tables for all of these at once. The error names the table; next_hop_of() then goes on
  // without it.
  base::Result<void> look_up(const std::vector<std::string>& addresses);

  // The first next-hop for mail to `address`, or to a domain; in its own words.
  [[nodiscard]] std::string next_hop_of(const std::string& address) const;

 private:
  struct Table {
    std::string name;
    bool is_pattern = false;
    doctor::TableResults results{};
  };
  [[nodiscard]] std::optional<std::string> find_route(const std::string& address) const;
  base::Result<void> ask(Table& table, const std::vector<std::string>& addresses) const;

  std::string directory_;
  std::string delimiter_;
  std::string default_hop_;  // of default_transport; or relayhost; or empty
  bool depends_on_sender_ = false;
  std::vector<Table> tables_;
};

}  // namespace app::held
