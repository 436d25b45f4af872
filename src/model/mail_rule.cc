// The words of inbound_rule.h and submission_rule.h.
#include <fmt/format.h>

#include <array>
#include <utility>

#include "src/base/text.h"
#include "src/model/client_match.h"
#include "src/model/inbound_rule.h"
#include "src/model/sender_match.h"
#include "src/model/submission_rule.h"

namespace model {
namespace {

constexpr std::array<std::pair<std::string_view, InboundRequire>, 3> kRequires{
    {{"none", InboundRequire::None},
     {"encrypt", InboundRequire::Encrypt},
     {"certificate", InboundRequire::Certificate}}};
constexpr std::array<std::pair<std::string_view, OnViolation>, 4> kViolations{
    {{"reject", OnViolation::Reject},
     {"defer", OnViolation::Defer},
     {"tag", OnViolation::Tag},
     {"observe", OnViolation::Observe}}};
constexpr std::array<std::pair<std::string_view, SubmissionRequire>, 2> kSubmissionRequires{
    {{"encrypt", SubmissionRequire::Encrypt}, {"verify", SubmissionRequire::Verify}}};
constexpr std::array<std::pair<std::string_view, Otherwise>, 5> kOtherwise{
    {{"reject", Otherwise::Reject},
     {"defer", Otherwise::Defer},
     {"hold", Otherwise::Hold},
     {"warn", Otherwise::Warn},
     {"observe", Otherwise::Observe}}};

template <class Table, class T>
std::string_view word_of(const Table& table, T value) {
  for (const auto& [word, each] : table) {
    if (each == value) return word;
  }
  return {};
}

template <class T, std::size_t N>
std::optional<T> find_word(const std::array<std::pair<std::string_view, T>, N>& table,
                           std::string_view word) {
  for (const auto& [each, value] : table) {
    if (each == word) return value;
  }
  return std::nullopt;
}

// MD5, SHA-1, SHA-256, SHA-384, SHA-512.
bool is_fingerprint(std::string_view text) {
  std::size_t digits = 0;
  for (const char c : text) {
    const char lower = base::to_lower(c);
    if (base::is_digit(c) || (lower >= 'a' && lower <= 'f')) {
      ++digits;
    } else if (c != ':') {
      return false;
    }
  }
  return digits == 32 || digits == 40 || digits == 64 || digits == 96 || digits == 128;
}

std::optional<std::string> find_fingerprint_fault(std::string_view text) {
  const auto each = base::split(text, " ,|");
  if (!text.empty() && (each.empty() || each.size() > kMostFingerprints)) {
    return fmt::format("ccert_fingerprint must be 1 to {} fingerprints", kMostFingerprints);
  }
  for (const auto fingerprint : each) {
    if (is_fingerprint(fingerprint)) continue;
    return fmt::format(
        "ccert_fingerprint \"{}\" is none: allowed are 32, 40, 64, 96 or 128 hexadecimal digits",
        base::printable(fingerprint, 140));
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_word(InboundRequire require) {
  return word_of(kRequires, require);
}
std::string_view to_word(OnViolation action) {
  return word_of(kViolations, action);
}
std::string_view to_word(SubmissionRequire require) {
  return word_of(kSubmissionRequires, require);
}
std::string_view to_word(Otherwise action) {
  return word_of(kOtherwise, action);
}
std::optional<InboundRequire> parse_inbound_require(std::string_view word) {
  return find_word(kRequires, word);
}
std::optional<OnViolation> parse_on_violation(std::string_view word) {
  return find_word(kViolations, word);
}
std::optional<SubmissionRequire> parse_submission_require(std::string_view word) {
  return find_word(kSubmissionRequires, word);
}
std::optional<Otherwise> parse_otherwise(std::string_view word) {
  return find_word(kOtherwise, word);
}

std::optional<std::string> find_fault(const InboundRule& rule) {
  if (!rule.client.empty()) {
    if (const auto client = parse_client(rule.client); !client) return client.error();
  }
  if (!rule.sender.empty() && rule.sender != "<>") {
    if (const auto sender = parse_sender(rule.sender); !sender) return sender.error();
  }
  if (rule.require == InboundRequire::None && rule.client.empty() && !rule.sender.empty()) {
    return "a rule that matches by sender alone may only strengthen: MAIL FROM is forged for free";
  }
  if (rule.require != InboundRequire::Certificate &&
      !(rule.ccert_name.empty() && rule.ccert_issuer.empty())) {
    return "ccert_name and ccert_issuer need require certificate";
  }
  return find_fingerprint_fault(rule.ccert_fingerprint);
}

}  // namespace model
