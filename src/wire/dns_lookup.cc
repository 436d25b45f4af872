#include "src/wire/dns_lookup.h"

#include <algorithm>

namespace wire {
namespace {

using Outcome = DnsLookup::Outcome;

// RFC 8914 4.7 to 4.13, "DNSSEC Bogus" to "NSEC Missing".
bool is_dnssec_trouble(std::uint16_t extended_error) {
  return extended_error >= 6 && extended_error <= 12;
}

const std::string* find_alias(const DnsMessage& message, const std::string& owner) {
  for (const auto& record : message.answers) {
    if (record.type == RecordType::Cname && record.owner == owner) {
      return &std::get<AliasData>(record.data).target;
    }
  }
  return nullptr;
}

// Walks the aliases from the name asked for to where they end.
void follow_aliases(const DnsMessage& message, DnsLookup& lookup) {
  while (lookup.aliases <= kMostAliases) {
    const auto* target = find_alias(message, lookup.canonical_name);
    if (target == nullptr) return;
    lookup.canonical_name = *target;
    ++lookup.aliases;
  }
}

Outcome find_records(const DnsMessage& message, const DnsQuestion& asked, DnsLookup& lookup) {
  if (asked.type != RecordType::Cname) follow_aliases(message, lookup);
  if (lookup.aliases > kMostAliases) {
    lookup.why = "its aliases go round in a circle, or are too many";
    return Outcome::AliasLoop;
  }
  // NXDOMAIN is said of the last alias (RFC 6604 3).
  if (message.rcode == kNxDomain) {
    lookup.why = "NXDOMAIN";
    return Outcome::NoName;
  }
  for (const auto& record : message.answers) {
    if (record.type == asked.type && record.owner == lookup.canonical_name) {
      lookup.records.push_back(record);
    }
  }
  if (!lookup.records.empty()) return Outcome::Found;
  lookup.why = "no such record";
  return lookup.aliases > 0 ? Outcome::Alias : Outcome::NoData;
}

}  // namespace

bool is_unknown(Outcome outcome) {
  switch (outcome) {
    case Outcome::Found:
    case Outcome::NoData:
    case Outcome::NoName:
    case Outcome::Alias:
    case Outcome::AliasLoop:
      return false;
    case Outcome::Bogus:
    case Outcome::Failure:
    case Outcome::Malformed:
    case Outcome::Timeout:
    case Outcome::Unreachable:
      return true;
  }
  return true;
}

DnsLookup conclude(const DnsMessage& message, const DnsQuestion& asked, bool is_resolver_trusted) {
  DnsLookup lookup;
  lookup.canonical_name = asked.name;
  if (message.rcode != kNoError && message.rcode != kNxDomain) {
    const bool is_bogus =
        message.rcode == kServFail && std::any_of(message.extended_errors.begin(),
                                                  message.extended_errors.end(), is_dnssec_trouble);
    lookup.outcome = is_bogus ? Outcome::Bogus : Outcome::Failure;
    lookup.why = rcode_word(message.rcode);
    return lookup;
  }
  if (message.is_truncated) {
    lookup.outcome = Outcome::Malformed;
    lookup.why = "it is cut off over TCP too";
    return lookup;
  }
  lookup.is_secure = message.is_authentic && is_resolver_trusted;
  lookup.outcome = find_records(message, asked, lookup);
  return lookup;
}

DnsLookup read_dns_lookup(std::string_view answer, const DnsQuestion& asked,
                          bool is_resolver_trusted) {
  const auto message = parse_dns_answer(answer, asked);
  if (message) return conclude(*message, asked, is_resolver_trusted);
  DnsLookup lookup;
  lookup.outcome = Outcome::Malformed;
  lookup.canonical_name = asked.name;
  lookup.why = message.error();
  return lookup;
}

}  // namespace wire
