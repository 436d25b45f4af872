// The keys that the load generator asks for. bench.py writes the rows that go with them:
// nine tenths of the rows are d0000000.bench.example and up, one tenth .p0000000.bench.example and
// up.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

enum class KeyKind : std::uint8_t { Hit, Miss, Parent };
std::optional<KeyKind> parse_key_kind(std::string_view text);

// `count` requests "MAP KEY", framed as netstrings, with keys drawn evenly from a table of `rows`
// rows.
std::vector<std::string> make_requests(std::string_view map, KeyKind kind, std::uint64_t rows,
                                       std::size_t count);

// `count` requests of policy delegation, as smtpd(8) writes them: mail over TLS from addresses in
// 10.0.0.0 and up, senders in d0000000.bench.example and up, of which `rows` have a rule.
std::vector<std::string> make_policy_requests(std::uint64_t rows, std::size_t count);

}  // namespace bench
