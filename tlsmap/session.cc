#include "tlsmap/session.h"

#include <fmt/format.h>

#include "src/base/text.h"
#include "src/wire/netstring.h"
#include "tlsmap/policy_text.h"

namespace tlsmap {
namespace {

// The blank behind it is part of the word for postmap(1) of old [F 10.4].
constexpr std::string_view kNotFound = "9:NOTFOUND ,";
// Postfix logs no more of a reason [F 1.7].
constexpr std::size_t kLongestReason = 200;
// What of a reason may be a name that somebody else wrote.
constexpr std::size_t kLongestQuote = 60;

std::string quoted(std::string_view text) {
  return base::printable(text, kLongestQuote);
}

void append_reason(std::string& out, std::string_view status, std::string_view reason) {
  const auto start = out.size();
  out += status;
  out += ' ';
  out += base::printable(reason, kLongestReason);
  wire::close_netstring(out, start);
}

// The reason and what to do about it, which must survive the cut.
void append_temp(std::string& out, std::string_view reason, std::string_view destination) {
  constexpr std::size_t kLongestShown = 100;
  const auto advice = destination.empty() || destination.size() > kLongestShown
                          ? std::string("; see tlspolicyctl status")
                          : fmt::format("; see tlspolicyctl explain {}", destination);
  if (reason.empty()) reason = "the policy isn't known now";
  append_reason(out, "TEMP",
                fmt::format("{}{}", reason.substr(0, kLongestReason - advice.size()), advice));
}

}  // namespace

net::Session::Step Session::receive(std::string_view in, std::string& out) {
  constexpr std::size_t kLongestPayload = kLongestRequest - wire::kNetstringOverhead;
  Step step;
  while (step.consumed < in.size() && out.size() < net::kMostUnreadReplies) {
    const auto parsed = wire::parse_netstring(in.substr(step.consumed), kLongestPayload);
    if (std::holds_alternative<wire::NeedMore>(parsed)) break;
    const auto* frame = std::get_if<wire::Frame>(&parsed);
    if (frame == nullptr) {
      ++counters_.malformed;
      step.hang_up = true;
      break;
    }
    answer(frame->payload, out);
    step.consumed += frame->consumed;
  }
  return step;
}

void Session::answer(std::string_view request, std::string& out) {
  const auto blank = request.find(' ');
  const auto word = request.substr(0, blank);
  const auto asked = blank == request.npos ? std::string_view() : request.substr(blank + 1);
  const auto name = parse_map_name(word);
  if (!name) {
    ++counters_.unknown_map;
    append_reason(out, "PERM",
                  fmt::format("unknown map name \"{}\"; served are policy, policy-X.Y (for Postfix "
                              "X.Y), strict, outcome, transport, sender-transport",
                              quoted(word)));
    return;
  }
  switch (name->table) {
    case Table::Policy:
    case Table::Strict:
      answer_policy(*name, asked, out);
      return;
    // Feedback to learn from and destinations to reroute: there are none [DESIGN 5].
    case Table::Outcome:
    case Table::Transport:
    case Table::SenderTransport:
      count(name->table, Status::NotFound);
      out += kNotFound;
      return;
  }
}

void Session::answer_policy(const MapName& name, std::string_view asked, std::string& out) {
  const auto key = model::normalise_key(asked);
  const auto transport =
      name.table == Table::Strict ? model::Transport::TlsOnly : model::Transport::Usual;
  const auto verdict = oracle_.verdict_for({key, name.view, transport});
  switch (verdict.kind) {
    case model::Verdict::Kind::NotFound:
      count(name.table, Status::NotFound);
      out += kNotFound;
      return;
    case model::Verdict::Kind::Unknown:
      count(name.table, Status::Temp);
      append_temp(out, verdict.reason, verdict.row.destination);
      return;
    case model::Verdict::Kind::Policy:
      break;
  }
  const auto start = out.size();
  out += "OK ";
  const auto appended =
      append_policy_text(out, verdict, name.version ? *name.version : settings_.version);
  if (appended) {
    count(name.table, Status::Ok);
    wire::close_netstring(out, start);
    return;
  }
  out.resize(start);
  count(name.table, Status::Temp);
  const auto* profile = verdict.row.profile;
  append_temp(out,
              fmt::format("row \"{}\", profile \"{}\": {}", quoted(verdict.row.destination),
                          profile == nullptr ? "" : quoted(profile->name), appended.error()),
              verdict.row.destination);
}

}  // namespace tlsmap
