#include "tlsmap/session.h"

#include <fmt/format.h>

#include <utility>

#include "src/base/text.h"
#include "src/wire/netstring.h"
#include "tlsmap/outcome.h"
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
  const auto start = wire::open_netstring(out);
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

// What stands behind the blank of the first request is a key nearly always, and nothing is lost
// where it isn't.
bool Session::look_ahead(std::string_view in) {
  const auto blank = in.find(' ');
  if (blank == in.npos) return false;
  const auto behind = in.substr(blank + 1);
  const auto where = oracle_.look_ahead(behind.substr(0, behind.find(',')));
  if (where) ahead_ = *where;
  return where.has_value();
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
    case Table::Outcome:
      answer_outcome(*name, asked, out);
      return;
    case Table::Transport:
      answer_transport(*name, asked, out);
      return;
    case Table::SenderTransport:
      answer_sender_transport(*name, asked, out);
      return;
  }
}

void Session::put_not_found(Table table, std::string& out) {
  count(table, Status::NotFound);
  out += kNotFound;
}

void Session::put_ok(Table table, std::string_view value, std::string& out) {
  count(table, Status::Ok);
  const auto start = wire::open_netstring(out);
  out += "OK ";
  out += value;
  wire::close_netstring(out, start);
}

void Session::answer_policy(const MapName& name, std::string_view asked, std::string& out) {
  model::normalise_key(asked, asked_);
  const auto& key = asked_;
  const auto transport =
      name.table == Table::Strict ? model::Transport::TlsOnly : model::Transport::Usual;
  const auto verdict = oracle_.verdict_for({key, name.view, transport});
  const auto start = out.size();
  const auto answered = counters_.answers.at(static_cast<std::size_t>(name.table)).at(0);
  put_policy(name, verdict, out);
  if (witness_ == nullptr) return;
  show(name.table == Table::Strict ? "strict" : "policy", key, out, start);
  const bool is_answered =
      counters_.answers.at(static_cast<std::size_t>(name.table)).at(0) != answered;
  remember(name, verdict, is_answered);
}

void Session::put_policy(const MapName& name, const model::Verdict& verdict, std::string& out) {
  switch (verdict.kind) {
    case model::Verdict::Kind::NotFound:
      put_not_found(name.table, out);
      return;
    case model::Verdict::Kind::Unknown:
      count(name.table, Status::Temp);
      append_temp(out, verdict.reason, verdict.row.destination);
      return;
    case model::Verdict::Kind::Policy:
      break;
  }
  const auto start = wire::open_netstring(out);
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

// Postfix walks the parents of a name by itself [F 2.1.2]: what `.test` is answered then is still
// about the name that was asked for first. A list of several tables of ours is asked for the name
// in each, then for each parent in each; the view is that of the table whose answer decided, else
// of the last one. A parent that belongs to no open question is nobody's: mail never goes to one.
void Session::remember(const MapName& name, const model::Verdict& verdict, bool is_answered) {
  const auto& key = asked_;
  const bool is_parent = key.kind == model::KeyKind::Parent;
  const bool is_walk = is_parent && last_ && last_->is_open && last_->key.text.ends_with(key.text);
  if (is_parent && !is_walk) {
    last_.reset();
    return;
  }
  const bool is_other_table = is_walk && last_->view != name.view;
  if (is_other_table && !is_answered) return;
  if (!last_) last_.emplace(Question{});
  if (!is_walk) std::swap(last_->key, asked_);
  if (!is_walk || is_other_table) {
    last_->view = name.view;
    witness_->asked(pid_, last_->view, last_->key);
  }
  last_->is_open = true;
  last_->level.reset();
  last_->fallback.reset();
  if (!is_answered) return;
  last_->level = verdict.level;
  last_->fallback = verdict.row.profile->fallback;
}

void Session::show(std::string_view map, const model::Key& key, const std::string& out,
                   std::size_t start) const {
  if (witness_->is_followed(key)) {
    witness_->follow(map, key, std::string_view(out).substr(start));
  }
}

void Session::answer_outcome(const MapName& name, std::string_view asked, std::string& out) {
  const auto start = out.size();
  if (const auto value = rewrite(name, asked)) {
    put_ok(name.table, *value, out);
  } else {
    put_not_found(name.table, out);
  }
  if (witness_ != nullptr && last_) {
    show(fmt::format("outcome {}", asked.substr(0, kLongestReason)), last_->key, out, start);
  }
}

// Learns from the outcome, and says what the answer to it is where it isn't NOTFOUND.
std::optional<std::string> Session::rewrite(const MapName& name, std::string_view asked) {
  const auto outcome = parse_outcome(asked);
  const bool is_ours = last_ && last_->view == name.view;
  const bool is_first = is_ours && std::exchange(last_->is_open, false);
  const bool is_paired = is_first && outcome;
  bool tells_sender = false;
  if (is_paired && witness_ != nullptr) {
    ++counters_.outcomes;
    if (!is_trusted_) ++counters_.untrusted;
    if (auto evidence = evidence_of(*outcome, last_->level)) {
      evidence->is_trusted = is_trusted_;
      tells_sender = witness_->saw(last_->view, last_->key, *evidence);
    }
  } else {
    ++counters_.orphans;
  }
  if (!outcome || !is_ours || !last_->fallback) return std::nullopt;
  if (tells_sender) {
    ++counters_.bounced;
    return bounce_failed(*outcome);
  }
  // For every recipient of the delivery, not the first alone: it makes nobody's mail go in clear.
  if (*last_->fallback == model::Fallback::Bounce) return std::nullopt;
  auto kept = keep_refused(*outcome);
  if (kept) ++counters_.kept;
  return kept;
}

// Asked for whole addresses too, and for parents, which are never rerouted as such. Whatever is
// wrong with us, mail takes its usual way.
void Session::answer_transport(const MapName& name, std::string_view asked, std::string& out) {
  const auto at = asked.rfind('@');
  const auto key = model::normalise_key(at == asked.npos ? asked : asked.substr(at + 1));
  const auto transport = oracle_.reroute_for({key, name.view});
  if (transport) {
    put_ok(name.table, *transport, out);
  } else {
    put_not_found(name.table, out);
  }
}

// Asked for the whole address, for the local part alone where the domain is Postfix's own, and for
// "@domain" (trivial-rewrite/resolve.c, global/mail_addr_find.c); for bounces by
// empty_address_default_transport_maps_lookup_key. A local part alone is no address: what holds for
// it was answered before.
void Session::answer_sender_transport(const MapName& name, std::string_view asked,
                                      std::string& out) {
  constexpr std::string_view kNullSender = "<>";
  const bool is_sender = asked == kNullSender || asked.find('@') != asked.npos;
  const auto route = is_sender ? oracle_.route_for_sender(asked) : model::SenderAnswer{};
  switch (route.kind) {
    case model::SenderAnswer::Kind::Usual:
      put_not_found(name.table, out);
      return;
    case model::SenderAnswer::Kind::TlsOnly:
      put_ok(name.table, kTlsOnlyTransport, out);
      return;
    case model::SenderAnswer::Kind::Unknown:
      count(name.table, Status::Temp);
      append_temp(out, route.reason, {});
      return;
  }
}

}  // namespace tlsmap
