// What the engine found for one question: the row, the step of the precedence that led to it, and
// why. Data only; tlsmap/ turns it into Postfix's words.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "src/model/level.h"
#include "src/model/profile.h"

namespace model {

// One row of `outbound` as compiled into the policy image. Views live as long as their source.
struct PolicyRow {
  std::string_view destination;
  const Profile* profile = nullptr;  // null only where `fault` says why the row can't be used
  std::string_view match;
  RowMode mode = RowMode::Enforce;
  std::int64_t expires_at = 0;  // seconds since the epoch; 0 = never
  std::string_view fault;       // not empty: malformed, its name answers TEMP
};

// What Postfix would say to the attributes of a profile and a row's match; the error names the
// attribute. tlsmap/ has the grammar, app/ hands it to those who must not know tlsmap/.
using PolicyCheck =
    std::function<std::optional<std::string>(const Profile& profile, std::string_view match)>;

// Where the engine finds rows: the policy image in the daemon, a map in tests, SQL in `explain`.
class PolicyRows {
 public:
  virtual ~PolicyRows() = default;
  // The row stored under exactly this normal form.
  [[nodiscard]] virtual std::optional<PolicyRow> find(std::string_view destination) const = 0;
};

// The steps of the precedence (DESIGN section 4), each named in the verdict.
enum class Step : std::uint8_t { AsWritten, WithoutPort, WithoutBrackets, Parent, Any, AnyHost };
// "as written", "without port", ...: how `explain` names it.
[[nodiscard]] constexpr std::string_view to_word(Step step) {
  switch (step) {
    case Step::AsWritten:
      return "as written";
    case Step::WithoutPort:
      return "without port";
    case Step::WithoutBrackets:
      return "without brackets";
    case Step::Parent:
      return "parent domain";
    case Step::Any:
      return "any domain";
    case Step::AnyHost:
      return "any host";
  }
  return "";
}

// Whether a level lasts: a message may wait for days, and be tried again at another level.
enum class Certainty : std::uint8_t {
  Firm,     // no fallback lowers it, whatever the peer does
  Loose,    // a fallback may lower it
  Unknown,  // what it depends on isn't known now
};

struct Verdict {
  enum class Kind : std::uint8_t {
    NotFound,  // "I know that there is no entry": main.cf decides
    Policy,    // `row` and `level` hold
    Unknown,   // "I don't know": answered TEMP, never NOTFOUND
  };
  Kind kind = Kind::NotFound;
  Level level = Level::Encrypt;              // what to answer; may be stricter than the profile's
  Certainty certainty = Certainty::Unknown;  // of `level`
  PolicyRow row;  // the row that won; for Unknown the row at fault, if there is one
  Step step = Step::AsWritten;
  std::string_view reason;  // one sentence, static or as old as the row
};

}  // namespace model
