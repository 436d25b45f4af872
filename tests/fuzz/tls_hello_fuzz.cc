// The laws of a server's answer to a hello of ours, on any bytes: once decided it stays so whatever
// follows, nothing is waited for without end, and what is chosen was offered. The first byte says
// which offer it is.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "src/wire/tls_hello.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

bool is_same(const wire::TlsAnswer& a, const wire::TlsAnswer& b) {
  if (a.index() != b.index()) return false;
  if (const auto* choice = std::get_if<wire::TlsChoice>(&a)) {
    return *choice == std::get<wire::TlsChoice>(b);
  }
  if (const auto* refusal = std::get_if<wire::TlsRefusal>(&a)) {
    return *refusal == std::get<wire::TlsRefusal>(b);
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto offer =
      data[0] % 2 == 0 ? wire::TlsOffer::OldProtocols : wire::TlsOffer::BrokenCiphers;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = wire::parse_tls_answer(offer, bytes);
  const bool is_open = std::holds_alternative<wire::NeedMore>(whole);
  require(!is_open || bytes.size() < wire::kLongestTlsAnswer);
  bool is_decided = false;
  for (std::size_t i = 0; i <= bytes.size() && i <= wire::kLongestTlsAnswer; ++i) {
    const auto part = wire::parse_tls_answer(offer, bytes.substr(0, i));
    if (std::holds_alternative<wire::NeedMore>(part)) {
      require(!is_decided);
      continue;
    }
    is_decided = true;
    require(is_same(part, whole));
  }
  require(is_decided != is_open);
  if (const auto* choice = std::get_if<wire::TlsChoice>(&whole)) {
    require(choice->protocol != "TLSv1.2" || offer == wire::TlsOffer::BrokenCiphers);
    require(!choice->cipher.empty());
  }
  return 0;
}
