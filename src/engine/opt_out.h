// Who asked not to be probed: domains, mail hosts and networks that no scheduled probe connects to.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"
#include "src/model/client_match.h"

namespace engine {

struct OptOut {
  std::set<std::string, std::less<>> names{};  // "example.com" itself, ".example.com" all below it
  std::vector<model::Network> networks{};
  // Whether a destination or an MX host is among them; of "[host]:port" the host counts too.
  [[nodiscard]] bool has(std::string_view name) const;
};

// Names and networks with blanks or commas between them, as config key probe_opt_out has them:
// "example.com, .example.net, 192.0.2.0/24". The error says which is wrong and what is allowed.
base::Result<OptOut> parse_opt_out(std::string_view text);

}  // namespace engine
