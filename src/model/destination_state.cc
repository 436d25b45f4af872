#include "src/model/destination_state.h"

namespace model {

std::string_view to_word(Source source) {
  switch (source) {
    case Source::Outcome:
      return "outcome";
    case Source::Maillog:
      return "maillog";
    case Source::Tlsrpt:
      return "tlsrpt";
    case Source::Probe:
      return "probe";
  }
  return "";
}

std::optional<Source> parse_source(std::string_view word) {
  for (const Source source : kSources) {
    if (to_word(source) == word) return source;
  }
  return std::nullopt;
}

std::string_view to_word(Phase phase) {
  switch (phase) {
    case Phase::Normal:
      return "normal";
    case Phase::Downgraded:
      return "downgraded";
    case Phase::Rerouted:
      return "rerouted";
    case Phase::Probation:
      return "probation";
    case Phase::Trial:
      return "trial";
  }
  return "";
}

std::optional<Phase> parse_phase(std::string_view word) {
  for (const Phase phase : kPhases) {
    if (to_word(phase) == word) return phase;
  }
  return std::nullopt;
}

}  // namespace model
