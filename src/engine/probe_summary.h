// The record of a check, from its route and what was seen at each address. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "src/engine/probe_targets.h"
#include "src/engine/would_deliver.h"
#include "src/model/mail_route.h"
#include "src/model/probe_record.h"

namespace engine {

// What became of one address of the route.
struct CheckedTarget {
  ProbeTarget target;
  const model::ProbedAddress* seen = nullptr;  // null: it was not probed
  std::string refused;                         // why not: "private use"
};

// Whom the certificate of a host has to name for mail on this route (smtp_tls_verify_cert_match,
// smtp_tls_secure_cert_match by default).
Expected expected_of(const model::Route& route, std::string_view host);

// Within the bounds of model/probe_record.h, and printable ASCII throughout. Targets that belong to
// no host of the route are left out; addresses of the route without a target are unknown.
model::ProbeRecord summarise(const model::Route& route, std::span<const CheckedTarget> targets,
                             std::int64_t at);

}  // namespace engine
