#include "src/model/unrelated.h"

#include "src/model/client_match.h"
#include "src/model/next_hop.h"

namespace model {

std::string_view registrable_name(std::string_view destination) {
  const auto host = host_of(destination);
  const auto last = host.rfind('.');
  if (last == std::string_view::npos || last == 0) return host;
  const auto second = host.rfind('.', last - 1);
  if (second == std::string_view::npos) return host;
  constexpr std::size_t kCountry = 2;
  constexpr std::size_t kShortLabel = 3;
  const auto top = host.size() - last - 1;
  const auto below = last - second - 1;
  if (top != kCountry || below > kShortLabel || second == 0) return host.substr(second + 1);
  const auto third = host.rfind('.', second - 1);
  return third == std::string_view::npos ? host : host.substr(third + 1);
}

std::string network_of(std::string_view mx) {
  const auto open = mx.find('[');
  const auto close = mx.find(']');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return {};
  return client_network_of(mx.substr(open + 1, close - open - 1));
}

}  // namespace model
