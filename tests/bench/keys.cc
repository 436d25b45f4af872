#include "tests/bench/keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

namespace bench {
namespace {

std::string make_key(KeyKind kind, std::uint64_t number) {
  switch (kind) {
    case KeyKind::Hit:
      return fmt::format("d{:07}.bench.example", number);
    case KeyKind::Miss:
      return fmt::format("x{:07}.bench.example", number);
    case KeyKind::Parent:
      return fmt::format("mail.p{:07}.bench.example", number);
  }
  return {};
}

}  // namespace

std::optional<KeyKind> parse_key_kind(std::string_view text) {
  if (text == "hit") return KeyKind::Hit;
  if (text == "miss") return KeyKind::Miss;
  if (text == "parent") return KeyKind::Parent;
  return std::nullopt;
}

std::vector<std::string> make_requests(std::string_view map, KeyKind kind, std::uint64_t rows,
                                       std::size_t count) {
  const std::uint64_t parents = rows / 10;
  const std::uint64_t range = kind == KeyKind::Parent ? parents : rows - parents;
  // The same keys in every run and for every server.
  std::mt19937_64 random(20211121);  // NOLINT(cert-msc32-c,cert-msc51-cpp)
  std::uniform_int_distribution<std::uint64_t> number(0, std::max<std::uint64_t>(range, 1) - 1);
  std::vector<std::string> requests;
  requests.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto payload = fmt::format("{} {}", map, make_key(kind, number(random)));
    requests.push_back(fmt::format("{}:{},", payload.size(), payload));
  }
  return requests;
}

std::vector<std::string> make_policy_requests(std::uint64_t rows, std::size_t count) {
  std::mt19937_64 random(20211121);  // NOLINT(cert-msc32-c,cert-msc51-cpp)
  std::uniform_int_distribution<std::uint64_t> number(0, std::max<std::uint64_t>(rows, 1) - 1);
  std::vector<std::string> requests;
  requests.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto net = number(random);
    requests.push_back(fmt::format(
        "request=smtpd_access_policy\nprotocol_state=RCPT\nprotocol_name=ESMTP\n"
        "client_address=10.{}.{}.{}\nclient_name=unknown\nclient_port=50000\n"
        "reverse_client_name=unknown\nserver_address=192.0.2.1\nserver_port=25\n"
        "helo_name=mx.bench.example\nsender=u@d{:07}.bench.example\n"
        "recipient=me@here.example\nrecipient_count=0\nqueue_id=\ninstance=1a2.{:x}.0\nsize=0\n"
        "etrn_domain=\nstress=\nsasl_method=\nsasl_username=\nsasl_sender=\nccert_subject=\n"
        "ccert_issuer=\nccert_fingerprint=\nccert_pubkey_fingerprint=\n"
        "encryption_protocol=TLSv1.3\nencryption_cipher=TLS_AES_256_GCM_SHA384\n"
        "encryption_keysize=256\npolicy_context=\n\n",
        net / 256 % 256, net % 256, i % 254 + 1, number(random), i));
  }
  return requests;
}

}  // namespace bench
