// DNS questions and answers as bytes (RFC 1035, EDNS by RFC 6891): makes a question, reads the
// answer to it.
//
// For who asks a validating resolver: knows the record types that mail needs, takes an answer for
// what it says and draws no conclusions (dns_lookup.h does), believes no signature and validates
// none. Keeps no state, does no I/O.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "src/base/result.h"
#include "src/model/client_match.h"

namespace wire {

enum class RecordType : std::uint16_t { A = 1, Cname = 5, Mx = 15, Txt = 16, Aaaa = 28, Tlsa = 52 };
inline constexpr std::array kRecordTypes{RecordType::A,   RecordType::Cname, RecordType::Mx,
                                         RecordType::Txt, RecordType::Aaaa,  RecordType::Tlsa};
// "MX"
std::string_view to_word(RecordType type);

// Header and OPT together, so up to 12 bits (RFC 6891 6.1.3).
inline constexpr unsigned kNoError = 0;
inline constexpr unsigned kFormErr = 1;
inline constexpr unsigned kServFail = 2;
inline constexpr unsigned kNxDomain = 3;
inline constexpr unsigned kRefused = 5;
// "SERVFAIL", or "RCODE 23" for one without a name here.
std::string rcode_word(unsigned rcode);

// What a UDP answer may measure; larger ones come by TCP (RFC 9715).
inline constexpr std::uint16_t kLargestUdpAnswer = 1232;
inline constexpr std::size_t kLargestDnsMessage = 65535;
// A name on the wire takes 255 bytes, so 127 labels, and as many jumps are more than anybody needs.
inline constexpr std::size_t kMostJumps = 127;
// Records of all sections of one message; Postfix keeps 100 of a kind (dns_rr_list_limit).
inline constexpr std::size_t kMostDnsRecords = 1000;

struct DnsQuestion {
  std::string name;  // as is_question_name() wants it
  RecordType type = RecordType::A;
  bool operator==(const DnsQuestion&) const = default;
};

// True for what can be asked for: 1 to 253 bytes in labels of 1 to 63 of [a-z0-9_-], no dot at the
// end. Wider than a host name because of _25._tcp.mx.example; the root can't be asked for.
[[nodiscard]] bool is_question_name(std::string_view name);

// The question with recursion desired, the AD bit (RFC 6840 5.7: tell whether it is authentic) and
// EDNS, unless the server knows none. The name must be one that can be asked for.
std::string make_dns_question(std::uint16_t id, const DnsQuestion& question, bool has_edns = true);

// Names are in lower case, without the dot at the end, the root empty. A byte that host names don't
// have is written \DDD (RFC 1035 5.1), so none ever passes for a host name or reaches a terminal.
struct MxData {
  std::uint16_t preference = 0;
  std::string host;
  bool operator==(const MxData&) const = default;
};
struct AliasData {
  std::string target;
  bool operator==(const AliasData&) const = default;
};
struct TlsaData {
  std::uint8_t usage = 0;
  std::uint8_t selector = 0;
  std::uint8_t matching = 0;
  std::string data;  // raw bytes, at least one
  bool operator==(const TlsaData&) const = default;
};
struct TextData {
  std::string text;  // the pieces put together, raw bytes
  bool operator==(const TextData&) const = default;
};
// An A or AAAA record is an address.
using RecordData = std::variant<model::AddressBytes, AliasData, MxData, TextData, TlsaData>;

struct DnsRecord {
  std::string owner;
  RecordType type = RecordType::A;
  std::uint32_t ttl = 0;
  RecordData data;
  bool operator==(const DnsRecord&) const = default;
};

struct DnsMessage {
  std::uint16_t id = 0;
  unsigned rcode = kNoError;
  bool is_authentic = false;       // AD; worth as much as the resolver and the way to it
  bool is_truncated = false;       // TC: `answers` is empty then, as nothing says what is missing
  std::vector<DnsRecord> answers;  // of the answer section, class IN, types of ours, in order
  // The codes of extended errors (RFC 8914), in order; 6 is "DNSSEC Bogus".
  std::vector<std::uint16_t> extended_errors;
};

// Reads the whole message: not a byte too few or too many, and an answer to just this question
// (RFC 5452 9.1). The error says what is wrong with it, in words of ours alone.
base::Result<DnsMessage> parse_dns_answer(std::string_view message, const DnsQuestion& asked);

}  // namespace wire
