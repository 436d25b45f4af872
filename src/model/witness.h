// The seam between the protocols and whoever learns from what came of a delivery.
#pragma once

#include <cstdint>
#include <string_view>

#include "src/model/evidence.h"
#include "src/model/next_hop.h"

namespace model {

class Witness {
 public:
  virtual ~Witness() = default;
  // The process `pid` on this host (0: not known) asked about `key`.
  virtual void asked(std::int64_t pid, std::string_view view, const Key& key) = 0;
  // What came of the delivery to `key`, which was the last that its smtp(8) process asked about.
  // True where the failure must tell the sender at once: fallback `bounce`.
  virtual bool saw(std::string_view view, const Key& key, const Evidence& evidence) = 0;
  // One exchange of a session, for whoever follows a destination live. Costs nothing while nobody
  // does.
  [[nodiscard]] virtual bool is_followed(const Key& key) const = 0;
  virtual void follow(std::string_view map, const Key& key, std::string_view reply) = 0;
};

}  // namespace model
