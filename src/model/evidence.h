// What was seen of one delivery, or of one probe, at one destination. All sources become this one
// type; data only, what follows from it is decided in engine/.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/model/cause.h"

namespace model {

// Where a piece of evidence came from (DESIGN section 3).
enum class Source : std::uint8_t { Outcome, Maillog, Tlsrpt, Probe };
inline constexpr std::array kSources{Source::Outcome, Source::Maillog, Source::Tlsrpt,
                                     Source::Probe};
std::string_view to_word(Source source);
std::optional<Source> parse_source(std::string_view word);

// True for what a real delivery showed. A probe or a TLSRPT datagram raises, and confirms a failure
// that mail saw first, but starts none.
[[nodiscard]] constexpr bool is_mail(Source source) {
  return source == Source::Outcome || source == Source::Maillog;
}

// The hour of an event on two clocks.
//
// `wall` is the time of day, in seconds since the epoch, as far as it never goes back: what ends by
// it (a downgrade, an exception) ends no later than it said, whatever is done to the clock. `lived`
// counts the seconds that the daemon has run, over all restarts: what relaxes with time is measured
// on it, so that a clock set forward relaxes nothing.
struct Moment {
  std::int64_t wall = 0;
  std::int64_t lived = 0;
  bool operator==(const Moment&) const = default;
};

struct Evidence {
  Outcome outcome;
  Source source = Source::Outcome;
  bool is_trusted = false;
  // STARTTLS stood in the reply to EHLO, whatever came of it.
  bool was_offered = false;
  std::int64_t at = 0;  // seconds since the epoch, for people
  std::string mx;       // host and address as far as known; empty otherwise
  std::string text;     // our own words, or Postfix's; never the peer's
  bool operator==(const Evidence&) const = default;
};

}  // namespace model
