#include "policyd/action.h"

#include <string_view>

#include "src/base/text.h"

namespace policyd {
namespace {

std::string_view word_of(model::Action action) {
  switch (action) {
    case model::Action::Pass:
      return "DUNNO";
    case model::Action::Reject:
      return "550 5.7.10";
    case model::Action::Defer:
      return "450 4.7.10";
    case model::Action::DeferIfPermit:
      return "DEFER_IF_PERMIT 4.7.0";
    case model::Action::Prepend:
      return "PREPEND";
    case model::Action::Hold:
      return "HOLD";
    case model::Action::Warn:
      return "WARN";
  }
  return "DUNNO";
}

}  // namespace

void append_action(std::string& out, const model::Ruling& ruling) {
  out += "action=";
  out += word_of(ruling.action);
  if (ruling.action != model::Action::Pass && !ruling.text.empty()) {
    out += ' ';
    out += base::printable(ruling.text, kLongestText);
  }
  out += "\n\n";
}

}  // namespace policyd
