// The sections of the page, each a whole <section>. Private to page.cc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "src/model/overview.h"

namespace show {

// Lists: what is lowered now, who fails, what ends next, what was decided.
std::string downgrades_html(const model::Overview& overview, std::int64_t now);
std::string partners_html(const model::Overview& overview, std::int64_t now);
std::string certificates_html(const model::Overview& overview, std::int64_t now);
std::string decisions_html(const model::Overview& overview, std::int64_t now);

// The service itself: policy, answers, roles, evidence, probes.
std::string service_html(const model::Overview& overview, std::int64_t now);

// When a certificate ends: "ended 3 d ago", "in 41 d"; and the class for it, from the days left.
std::string end_text(std::int64_t not_after, std::int64_t now);
std::string_view urgency_of(std::int64_t not_after, std::int64_t now);

// The bound that 99 of 100 answers kept to, as words: "10 us or less".
std::string slowest_text(const model::Overview& overview);

}  // namespace show
