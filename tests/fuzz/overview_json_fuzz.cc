// What role `http` believes of `store`, on any bytes: what parses is within the bounds, is written
// again, and reads the same.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "src/wire/overview_json.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto parsed = wire::parse_overview(input);
  if (!parsed) return 0;
  require(parsed->downgrades.size() <= model::kMostShownDowngrades);
  require(parsed->partners.size() <= model::kMostShownPartners);
  require(parsed->certificates.size() <= model::kMostShownCertificates);
  require(parsed->decisions.size() <= model::kMostShownDecisions);
  require(parsed->traffic.size() <= model::Overview::kTrafficHours);
  const auto written = wire::to_json(*parsed);
  const auto again = wire::parse_overview(written);
  require(again && wire::to_json(*again) == written);
  return 0;
}
