#include "src/engine/opt_out.h"

#include <fmt/format.h>

#include "src/base/text.h"
#include "src/model/next_hop.h"

namespace engine {

bool OptOut::has(std::string_view name) const {
  name = model::host_of(name);
  if (names.find(name) != names.end()) return true;
  for (auto dot = name.find('.'); dot != name.npos; dot = name.find('.', dot + 1)) {
    if (names.find(name.substr(dot)) != names.end()) return true;
  }
  return false;
}

base::Result<OptOut> parse_opt_out(std::string_view text) {
  OptOut parsed;
  for (const auto part : base::split(text, ", \t")) {
    if (const auto network = model::parse_network(part)) {
      parsed.networks.push_back(*network);
      continue;
    }
    const auto key = model::parse_destination(part);
    if (!key || (key->kind != model::KeyKind::Domain && key->kind != model::KeyKind::Parent)) {
      return base::Error{fmt::format(
          "\"{}\" is neither a name like example.com or .example.com nor an address or network "
          "like 192.0.2.0/24",
          base::printable(part, 80))};
    }
    parsed.names.insert(key->text);
  }
  return parsed;
}

}  // namespace engine
