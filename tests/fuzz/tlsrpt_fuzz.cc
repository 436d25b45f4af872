// The laws of a TLSRPT datagram, on any bytes: every view lies inside it, what it says of a peer
// holds only the characters of names and addresses, a cut one is never taken for the whole, and one
// that is refused stays so with blanks behind it.
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>

#include "src/wire/tlsrpt.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

bool is_inside(std::string_view whole, std::string_view view) {
  const std::less_equal<const char*> before;
  return view.empty() || (before(whole.data(), view.data()) &&
                          before(view.data() + view.size(), whole.data() + whole.size()));
}

void check(std::string_view datagram, const wire::TlsrptDatagram& parsed) {
  require(!parsed.domain.empty() && is_inside(datagram, parsed.domain));
  require(!parsed.policies.empty() && parsed.policies.size() <= wire::kMostTlsrptItems);
  for (const auto& policy : parsed.policies) {
    require(policy.is_failure == !policy.failures.empty());
    for (const auto& failure : policy.failures) {
      require(is_inside(datagram, failure.mx) && is_inside(datagram, failure.reason));
    }
  }
  const auto evidence = wire::evidence_of(parsed);
  require(evidence.size() <= parsed.policies.size());
  for (const auto& seen : evidence) {
    require(seen.source == model::Source::Tlsrpt && !seen.is_trusted);
    require(seen.outcome.cause || seen.outcome.security == model::Security::Encrypted);
    for (const char c : seen.mx + seen.text) require(c >= ' ' && c < '\x7f');
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto parsed = wire::parse_tlsrpt(input);
  if (parsed) {
    check(input, *parsed);
    const auto end = input.rfind('}');
    for (std::size_t length = 0; length <= end && length < 2000; ++length) {
      require(!wire::parse_tlsrpt(input.substr(0, length)).ok());
    }
  }
  const std::string longer = std::string(input) + " \n";
  if (longer.size() <= wire::kLargestTlsrptDatagram) {
    require(wire::parse_tlsrpt(longer).ok() == parsed.ok());
  }
  return 0;
}
