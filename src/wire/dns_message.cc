#include "src/wire/dns_message.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "src/base/text.h"

namespace wire {
namespace {

constexpr std::uint16_t kClassIn = 1;
constexpr std::uint16_t kOptType = 41;
constexpr std::uint16_t kExtendedErrorOption = 15;
constexpr std::size_t kLongestName = 253;
constexpr std::size_t kLongestNameOnWire = 255;
constexpr std::size_t kLongestLabel = 63;

// Bits of the second word of the header.
constexpr unsigned kResponse = 0x8000;
constexpr unsigned kOpcode = 0x7800;
constexpr unsigned kTruncated = 0x0200;
constexpr unsigned kRecursionDesired = 0x0100;
constexpr unsigned kAuthentic = 0x0020;
constexpr unsigned kRcode = 0x000f;

bool is_name_letter(char c) {
  return base::is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '_';
}

void append_16(std::string& out, unsigned number) {
  out += static_cast<char>(number >> 8U & 0xffU);
  out += static_cast<char>(number & 0xffU);
}

void append_name(std::string& out, std::string_view name) {
  for (const auto label : base::split(name, ".")) {
    out += static_cast<char>(label.size());
    out += label;
  }
  out += '\0';
}

// Reads numbers in network order and names. What does not fit makes it fail for good.
class Cursor {
 public:
  Cursor(std::string_view message, std::size_t at, std::size_t end)
      : message_(message), at_(at), end_(end) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::size_t at() const { return at_; }
  [[nodiscard]] bool is_at_end() const { return ok_ && at_ == end_; }
  void fail() { ok_ = false; }

  unsigned byte() {
    const auto taken = take(1);
    return ok_ ? static_cast<unsigned char>(taken.front()) : 0;
  }
  unsigned number_16() {
    const unsigned high = byte();
    return high << 8U | byte();
  }
  std::uint32_t number_32() {
    const std::uint32_t high = number_16();
    return high << 16U | number_16();
  }
  std::string_view take(std::size_t size) {
    if (!ok_ || size > end_ - at_) {
      fail();
      return {};
    }
    at_ += size;
    return message_.substr(at_ - size, size);
  }
  // The next `size` bytes alone, and this cursor behind them.
  Cursor part(std::size_t size) {
    const std::size_t start = at_;
    take(size);
    Cursor part(message_, start, ok_ ? at_ : start);
    part.ok_ = ok_;
    return part;
  }
  std::string name();

 private:
  static void append_label(std::string& name, std::string_view label);

  std::string_view message_;
  std::size_t at_;
  std::size_t end_;
  bool ok_ = true;
};

void Cursor::append_label(std::string& name, std::string_view label) {
  if (!name.empty()) name += '.';
  for (const char c : label) {
    const char lower = base::to_lower(c);
    if (is_name_letter(lower)) {
      name += lower;
    } else {
      name += fmt::format("\\{:03}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
  }
}

// RFC 1035 4.1.4. A pointer goes to a "prior occurrence": strictly before the piece of name that it
// stands in, so no walk can come back to where it was.
std::string Cursor::name() {
  std::string name;
  Cursor reader = *this;
  std::size_t piece = at_;
  std::size_t size_on_wire = 1;
  std::size_t jumps = 0;
  while (true) {
    const unsigned length = reader.byte();
    if (!reader.ok_) break;
    if (length == 0) {
      if (jumps == 0) at_ = reader.at_;
      return name;
    }
    if ((length & 0xc0U) == 0xc0U) {
      const std::size_t target = (length & 0x3fU) << 8U | reader.byte();
      if (!reader.ok_ || target >= piece || ++jumps > kMostJumps) break;
      if (jumps == 1) at_ = reader.at_;
      piece = target;
      reader = Cursor(message_, target, message_.size());
      continue;
    }
    if (length > kLongestLabel) break;
    const auto label = reader.take(length);
    size_on_wire += 1 + label.size();
    if (!reader.ok_ || size_on_wire > kLongestNameOnWire) break;
    append_label(name, label);
  }
  fail();
  return {};
}

std::optional<RecordData> read_address(Cursor data, RecordType type) {
  model::AddressBytes bytes{};
  const std::size_t start = type == RecordType::A ? 12 : 0;
  if (type == RecordType::A) bytes[10] = bytes[11] = 0xff;
  const auto raw = data.take(bytes.size() - start);
  if (!data.is_at_end()) return std::nullopt;
  std::transform(raw.begin(), raw.end(), bytes.begin() + static_cast<std::ptrdiff_t>(start),
                 [](char c) { return static_cast<std::uint8_t>(c); });
  return bytes;
}

std::optional<RecordData> read_text(Cursor data) {
  TextData text;
  do text.text += data.take(data.byte());
  while (data.ok() && !data.is_at_end());
  if (!data.ok()) return std::nullopt;
  return text;
}

std::optional<RecordData> read_tlsa(Cursor data, std::size_t size) {
  constexpr std::size_t kFixed = 3;  // RFC 6698 2.1
  if (size <= kFixed) return std::nullopt;
  TlsaData tlsa;
  tlsa.usage = static_cast<std::uint8_t>(data.byte());
  tlsa.selector = static_cast<std::uint8_t>(data.byte());
  tlsa.matching = static_cast<std::uint8_t>(data.byte());
  tlsa.data = data.take(size - kFixed);
  return tlsa;
}

std::optional<RecordData> read_data(Cursor data, RecordType type, std::size_t size) {
  switch (type) {
    case RecordType::A:
    case RecordType::Aaaa:
      return read_address(data, type);
    case RecordType::Cname: {
      AliasData alias{data.name()};
      if (!data.is_at_end()) return std::nullopt;
      return alias;
    }
    case RecordType::Mx: {
      MxData mx;
      mx.preference = static_cast<std::uint16_t>(data.number_16());
      mx.host = data.name();
      if (!data.is_at_end()) return std::nullopt;
      return mx;
    }
    case RecordType::Txt:
      return read_text(data);
    case RecordType::Tlsa:
      return read_tlsa(data, size);
  }
  return std::nullopt;
}

std::optional<RecordType> known_type(unsigned type) {
  for (const RecordType each : kRecordTypes) {
    if (static_cast<unsigned>(each) == type) return each;
  }
  return std::nullopt;
}

// What the OPT record says (RFC 6891 6.1.2): the upper bits of the rcode, and extended errors.
bool read_opt(DnsMessage& message, std::uint32_t ttl, Cursor data) {
  message.rcode |= ttl >> 24U << 4U;
  while (data.ok() && !data.is_at_end()) {
    const unsigned option = data.number_16();
    Cursor value = data.part(data.number_16());
    if (option != kExtendedErrorOption || !data.ok()) continue;
    const auto code = static_cast<std::uint16_t>(value.number_16());
    if (value.ok()) message.extended_errors.push_back(code);
  }
  return data.ok();
}

enum class Section : std::uint8_t { Answer, Authority, Additional };

bool read_record(Cursor& cursor, Section section, DnsMessage& message) {
  DnsRecord record;
  record.owner = cursor.name();
  const unsigned type = cursor.number_16();
  const unsigned record_class = cursor.number_16();
  record.ttl = cursor.number_32();
  const unsigned size = cursor.number_16();
  const Cursor data = cursor.part(size);
  if (!cursor.ok()) return false;
  if (section == Section::Additional && type == kOptType) {
    return read_opt(message, record.ttl, data);
  }
  const auto known = known_type(type);
  if (section != Section::Answer || record_class != kClassIn || !known) return true;
  auto read = read_data(data, *known, size);
  if (!read) return false;
  record.type = *known;
  record.data = std::move(*read);
  message.answers.push_back(std::move(record));
  return true;
}

base::Result<void> read_question(Cursor& cursor, unsigned count, const DnsQuestion& asked) {
  if (count != 1) return base::Error{fmt::format("it repeats {} questions instead of one", count)};
  const auto name = cursor.name();
  const unsigned type = cursor.number_16();
  const unsigned question_class = cursor.number_16();
  if (!cursor.ok()) return base::Error{"its question is cut off or malformed"};
  if (name != asked.name || type != static_cast<unsigned>(asked.type) ||
      question_class != kClassIn) {
    return base::Error{"it answers another question"};
  }
  return {};
}

}  // namespace

std::string_view to_word(RecordType type) {
  switch (type) {
    case RecordType::A:
      return "A";
    case RecordType::Cname:
      return "CNAME";
    case RecordType::Mx:
      return "MX";
    case RecordType::Txt:
      return "TXT";
    case RecordType::Aaaa:
      return "AAAA";
    case RecordType::Tlsa:
      return "TLSA";
  }
  return "";
}

std::string rcode_word(unsigned rcode) {
  constexpr std::array<std::string_view, 6> kWords{"NOERROR",  "FORMERR", "SERVFAIL",
                                                   "NXDOMAIN", "NOTIMP",  "REFUSED"};
  if (rcode < kWords.size()) return std::string(kWords.at(rcode));
  return fmt::format("RCODE {}", rcode);
}

bool is_question_name(std::string_view name) {
  if (name.empty() || name.size() > kLongestName) return false;
  std::size_t label = 0;
  for (const char c : name) {
    if (c == '.') {
      if (label == 0) return false;
      label = 0;
    } else if (!is_name_letter(c) || ++label > kLongestLabel) {
      return false;
    }
  }
  return label > 0;
}

std::string make_dns_question(std::uint16_t id, const DnsQuestion& question, bool has_edns) {
  std::string out;
  append_16(out, id);
  append_16(out, kRecursionDesired | kAuthentic);
  for (const unsigned count : {1U, 0U, 0U, has_edns ? 1U : 0U}) append_16(out, count);
  append_name(out, question.name);
  append_16(out, static_cast<unsigned>(question.type));
  append_16(out, kClassIn);
  if (!has_edns) return out;
  out += '\0';  // OPT's owner, the root
  append_16(out, kOptType);
  append_16(out, kLargestUdpAnswer);
  for (const unsigned nothing : {0U, 0U, 0U}) append_16(out, nothing);
  return out;
}

base::Result<DnsMessage> parse_dns_answer(std::string_view message, const DnsQuestion& asked) {
  if (message.size() > kLargestDnsMessage) return base::Error{"it is longer than 65535 bytes"};
  Cursor cursor(message, 0, message.size());
  DnsMessage answer;
  answer.id = static_cast<std::uint16_t>(cursor.number_16());
  const unsigned flags = cursor.number_16();
  std::array<unsigned, 4> counts{};
  for (unsigned& count : counts) count = cursor.number_16();
  if (!cursor.ok()) return base::Error{"its header is cut off"};
  if ((flags & kResponse) == 0) return base::Error{"it is a question, not an answer"};
  if ((flags & kOpcode) != 0) return base::Error{"it answers something else than a query"};
  answer.rcode = flags & kRcode;
  answer.is_truncated = (flags & kTruncated) != 0;
  answer.is_authentic = (flags & kAuthentic) != 0;
  if (auto question = read_question(cursor, counts[0], asked); !question) {
    return base::Error{question.error()};
  }
  if (answer.is_truncated) return answer;
  if (counts[1] + counts[2] + counts[3] > kMostDnsRecords) {
    return base::Error{fmt::format("it has more than {} records", kMostDnsRecords)};
  }
  for (const Section section : {Section::Answer, Section::Authority, Section::Additional}) {
    for (unsigned left = counts.at(1 + static_cast<std::size_t>(section)); left > 0; --left) {
      if (!read_record(cursor, section, answer)) {
        return base::Error{"a record of it is cut off or malformed"};
      }
    }
  }
  if (!cursor.is_at_end()) return base::Error{"there are bytes behind its last record"};
  return answer;
}

}  // namespace wire
