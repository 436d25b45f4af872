#include "src/image/rule_codec.h"

#include "src/image/format.h"

namespace image {
namespace {

constexpr std::uint8_t kNoVersion = 0xff;

void append_cut(std::string& out, std::string_view text, std::size_t most = kLongestText) {
  base::append_text(out, text.substr(0, most));
}

template <class T>
void append_word(std::string& out, T value) {
  base::append_number<std::uint8_t>(out, static_cast<std::uint8_t>(value));
}

void append_version(std::string& out, const std::optional<model::TlsVersion>& version) {
  base::append_number<std::uint8_t>(out,
                                    version ? static_cast<std::uint8_t>(*version) : kNoVersion);
}

template <class T>
T read_word(base::ByteReader& from, T last) {
  const auto value = from.number<std::uint8_t>();
  if (value > static_cast<std::uint8_t>(last)) from.fail();
  return static_cast<T>(value);
}

std::optional<model::TlsVersion> read_version(base::ByteReader& from) {
  const auto value = from.number<std::uint8_t>();
  if (value == kNoVersion) return std::nullopt;
  if (value > static_cast<std::uint8_t>(model::TlsVersion::Tls13)) from.fail();
  return static_cast<model::TlsVersion>(value);
}

}  // namespace

void append_rule(std::string& out, const model::InboundRule& rule) {
  base::append_number<std::int64_t>(out, rule.id);
  append_word(out, rule.require);
  append_word(out, rule.on_violation);
  append_version(out, rule.min_protocol);
  base::append_number<std::uint32_t>(out, rule.min_bits);
  base::append_number<std::int64_t>(out, rule.learn_count);
  base::append_number<std::int64_t>(out, rule.expires_at);
  for (const auto* text : {&rule.client, &rule.sender, &rule.ccert_name, &rule.ccert_issuer,
                           &rule.ccert_fingerprint, &rule.text}) {
    append_cut(out, *text);
  }
  append_cut(out, rule.fault, kLongestFault);
}

std::optional<model::InboundRule> read_inbound_rule(base::ByteReader& from) {
  model::InboundRule rule;
  rule.id = from.number<std::int64_t>();
  rule.require = read_word(from, model::InboundRequire::Certificate);
  rule.on_violation = read_word(from, model::OnViolation::Observe);
  rule.min_protocol = read_version(from);
  rule.min_bits = from.number<std::uint32_t>();
  rule.learn_count = from.number<std::int64_t>();
  rule.expires_at = from.number<std::int64_t>();
  for (auto* text : {&rule.client, &rule.sender, &rule.ccert_name, &rule.ccert_issuer,
                     &rule.ccert_fingerprint, &rule.text, &rule.fault}) {
    *text = from.text();
  }
  if (!from.ok()) return std::nullopt;
  return rule;
}

void append_rule(std::string& out, const model::SubmissionRule& rule) {
  append_word(out, rule.require);
  append_word(out, rule.otherwise);
  append_version(out, rule.min_protocol);
  base::append_number<std::int64_t>(out, rule.expires_at);
  append_cut(out, rule.sender);
  append_cut(out, rule.text);
  append_cut(out, rule.fault, kLongestFault);
}

std::optional<model::SubmissionRule> read_submission_rule(base::ByteReader& from) {
  model::SubmissionRule rule;
  rule.require = read_word(from, model::SubmissionRequire::Verify);
  rule.otherwise = read_word(from, model::Otherwise::Observe);
  rule.min_protocol = read_version(from);
  rule.expires_at = from.number<std::int64_t>();
  for (auto* text : {&rule.sender, &rule.text, &rule.fault}) *text = from.text();
  if (!from.ok()) return std::nullopt;
  return rule;
}

}  // namespace image
