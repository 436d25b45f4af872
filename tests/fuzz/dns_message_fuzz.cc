// An answer that is read keeps within its limits and means the same however it is looked at; its
// prefixes and it with a byte more are refused; nothing in it reaches a terminal unescaped.
//
// The question is taken from the input itself, or no input but one in 2^100 would answer it.
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "src/base/text.h"
#include "src/wire/dns_lookup.h"
#include "src/wire/dns_message.h"

namespace {

using wire::DnsLookup;

void require(bool holds) {
  if (!holds) std::abort();
}

constexpr std::size_t kQuestionAt = 12;

// The question that `message` repeats, where it could have been asked.
std::optional<wire::DnsQuestion> question_of(std::string_view message) {
  wire::DnsQuestion question;
  std::size_t at = kQuestionAt;
  while (at < message.size() && message[at] != '\0') {
    const auto length = static_cast<unsigned char>(message[at]);
    if (!question.name.empty()) question.name += '.';
    for (const char c : message.substr(at + 1, length)) question.name += base::to_lower(c);
    at += 1U + length;
  }
  if (at + 3 > message.size() || !wire::is_question_name(question.name)) return std::nullopt;
  for (const auto type : wire::kRecordTypes) {
    if (static_cast<unsigned char>(message[at + 2]) == static_cast<unsigned>(type)) {
      question.type = type;
      return question;
    }
  }
  return std::nullopt;
}

bool is_clean_name(std::string_view name) {
  if (name.size() > 253 * 4) return false;
  for (const char c : name) {
    if (!base::is_digit(c) && (c < 'a' || c > 'z') && c != '-' && c != '_' && c != '.' && c != '\\')
      return false;
  }
  return true;
}

void check_record(const wire::DnsRecord& record, std::size_t size) {
  require(is_clean_name(record.owner));
  switch (record.type) {
    case wire::RecordType::A:
      require(model::is_ipv4(std::get<model::AddressBytes>(record.data)));
      break;
    case wire::RecordType::Aaaa:
      require(std::holds_alternative<model::AddressBytes>(record.data));
      break;
    case wire::RecordType::Cname:
      require(is_clean_name(std::get<wire::AliasData>(record.data).target));
      break;
    case wire::RecordType::Mx:
      require(is_clean_name(std::get<wire::MxData>(record.data).host));
      break;
    case wire::RecordType::Txt:
      require(std::get<wire::TextData>(record.data).text.size() < size);
      break;
    case wire::RecordType::Tlsa:
      require(!std::get<wire::TlsaData>(record.data).data.empty());
      break;
  }
}

void check(std::string_view bytes, const wire::DnsMessage& message,
           const wire::DnsQuestion& asked) {
  require(message.answers.size() <= wire::kMostDnsRecords && message.rcode < 0x1000);
  require(!message.is_truncated || message.answers.empty());
  for (const auto& record : message.answers) check_record(record, bytes.size());
  const DnsLookup lookup = wire::read_dns_lookup(bytes, asked, true);
  require(lookup.records.empty() == (lookup.outcome != DnsLookup::Outcome::Found));
  require(lookup.aliases <= wire::kMostAliases + 1 && is_clean_name(lookup.canonical_name));
  require(lookup.why.empty() == (lookup.outcome == DnsLookup::Outcome::Found));
  for (const auto& record : lookup.records) {
    require(record.type == asked.type && record.owner == lookup.canonical_name);
  }
  const DnsLookup distrusted = wire::read_dns_lookup(bytes, asked, false);
  require(!distrusted.is_secure && distrusted.outcome == lookup.outcome);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto asked = question_of(input);
  if (!asked) {
    require(!wire::parse_dns_answer(input, {"example.com", wire::RecordType::Mx}).ok());
    return 0;
  }
  const auto parsed = wire::parse_dns_answer(input, *asked);
  if (!parsed) {
    const auto lookup = wire::read_dns_lookup(input, *asked, true);
    require(lookup.outcome == DnsLookup::Outcome::Malformed && lookup.why == parsed.error());
    return 0;
  }
  check(input, *parsed, *asked);
  require(!wire::parse_dns_answer(input, {asked->name + "x", asked->type}).ok());
  if (parsed->is_truncated) return 0;
  for (std::size_t length = 0; length < size && length < 600; ++length) {
    require(!wire::parse_dns_answer(input.substr(0, length), *asked).ok());
  }
  if (size < wire::kLargestDnsMessage) {
    require(!wire::parse_dns_answer(std::string(input) + '\0', *asked).ok());
  }
  // A question of ours reads as one, and never as an answer.
  require(question_of(wire::make_dns_question(1, *asked)) == asked);
  return 0;
}
