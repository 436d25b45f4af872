#include "policyd/session.h"

namespace policyd {

net::Session::Step Session::receive(std::string_view in, std::string& out) {
  Step step;
  while (step.consumed < in.size() && out.size() < net::kMostUnreadReplies) {
    const auto parsed = parse_request(in.substr(step.consumed));
    if (std::holds_alternative<NeedMore>(parsed)) break;
    const auto* complete = std::get_if<Complete>(&parsed);
    if (complete == nullptr) {
      ++counters_.malformed;
      step.hang_up = true;
      break;
    }
    ++counters_.answers;
    out += "action=DUNNO\n\n";
    step.consumed += complete->consumed;
  }
  return step;
}

}  // namespace policyd
