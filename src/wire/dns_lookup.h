// What one question to the resolver came to: records, none, or no answer to rely on. "There is
// none" and "nobody knows" are never taken for each other.
//
// Pure. Follows aliases inside one answer; whoever asked follows those that lead out of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/wire/dns_message.h"

namespace wire {

// Names that are aliases, one after the other; Postfix asks for ten (dns_lookup.c).
inline constexpr std::size_t kMostAliases = 10;

struct DnsLookup {
  enum class Outcome : std::uint8_t {
    Found,
    NoData,       // the name exists, and has no such record
    NoName,       // NXDOMAIN
    Alias,        // the answer ends at an alias: ask again for `canonical_name`
    AliasLoop,    // more aliases than kMostAliases
    Bogus,        // SERVFAIL, and the resolver says that DNSSEC is why (RFC 8914)
    Failure,      // SERVFAIL, REFUSED and the like
    Malformed,    // an answer that can't be read, or is no answer to the question
    Timeout,      // silence
    Unreachable,  // there is no resolver where one was asked
  };
  Outcome outcome = Outcome::Failure;
  bool is_secure = false;          // signatures of all that was found, or of the denial, hold
  std::size_t aliases = 0;         // that were followed
  std::string canonical_name;      // where they lead; the name asked for where there are none
  std::vector<DnsRecord> records;  // of the type asked for, of canonical_name; of Found alone
  std::string why;                 // "SERVFAIL", "it answers another question"; empty where found
};

// True where the answer says nothing about the name: its owner, or the way to him, is in trouble.
[[nodiscard]] bool is_unknown(DnsLookup::Outcome outcome);

// Reads an answer. Records of other owners than the name asked for and its aliases are left out:
// nobody asked for them. `is_resolver_trusted`: whether its AD bit is believed.
DnsLookup read_dns_lookup(std::string_view answer, const DnsQuestion& asked,
                          bool is_resolver_trusted);

// The same of a message that is read already.
DnsLookup conclude(const DnsMessage& message, const DnsQuestion& asked, bool is_resolver_trusted);

}  // namespace wire
