// What a strict sender would object to at a mail host of our own, from what a probe saw of one of
// its addresses, each with what to do about it. Pure. The words are Postfix's, as it receives.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/engine/would_deliver.h"
#include "src/model/probed_address.h"

namespace engine {

struct Remark {
  enum class Weight : std::uint8_t {
    Objection,  // mail that must have TLS, or good TLS, does not come in, or soon won't
    Unknown,    // it could not be seen
    Fine,       // worth knowing
  };
  Weight weight = Weight::Fine;
  std::string what;
  std::string action;  // empty: nothing to do
  bool operator==(const Remark&) const = default;
};
// "objection", "unknown", "fine".
std::string_view to_word(Remark::Weight weight);

// Days before the end of a certificate from which nobody should rely on its renewal any more: who
// renews by machine does so a month ahead.
inline constexpr std::int64_t kLateRenewal = 13;

// `now`: seconds since the epoch.
std::vector<Remark> find_remarks(const model::ProbedAddress& probed, const Expected& expected,
                                 std::int64_t now);

}  // namespace engine
