// One row of table `submission`: which sender must be sure that his mail goes by TLS, and what
// happens where that is not certain. Data only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/model/level.h"

namespace model {

enum class SubmissionRequire : std::uint8_t { Encrypt, Verify };
enum class Otherwise : std::uint8_t { Reject, Defer, Hold, Warn, Observe };

// The exact words of the policy database.
std::string_view to_word(SubmissionRequire require);
std::string_view to_word(Otherwise action);
std::optional<SubmissionRequire> parse_submission_require(std::string_view word);
std::optional<Otherwise> parse_otherwise(std::string_view word);

struct SubmissionRule {
  std::string sender;  // address, domain, .domain, SASL user, *
  SubmissionRequire require = SubmissionRequire::Encrypt;
  Otherwise otherwise = Otherwise::Reject;
  std::optional<TlsVersion> min_protocol;  // of the client's own connection
  std::string text;
  std::int64_t expires_at = 0;  // seconds since the epoch; 0 = never
  std::string fault;            // not empty: why the row can't be used

  bool operator==(const SubmissionRule&) const = default;
};

}  // namespace model
