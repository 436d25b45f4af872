// The cells of `watch`.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "src/app/ctl_watch.h"
#include "src/base/text.h"

namespace app::ctl {
namespace {

std::string does_of(const model::ProbedPeer& peer) {
  if (!peer.protocol.empty()) {
    return fmt::format("{} {}", peer.protocol, model::to_word(peer.trust));
  }
  if (peer.is_crossed_out) return "capabilities crossed out";
  if (peer.has_spoken && !peer.was_offered) return "no STARTTLS";
  if (peer.outcome.cause) return std::string(model::to_word(*peer.outcome.cause));
  return "no answer";
}

Json or_null(std::optional<std::int64_t> number) {
  return number ? Json(*number) : Json();
}
Json or_null(std::optional<bool> truth) {
  return truth ? Json(*truth) : Json();
}

Json to_json(const model::WouldDeliver& would) {
  Json object = Json::object();
  for (const auto& [profile, field] : model::kProfileAnswers) {
    object[std::string(profile)] = or_null(would.*field);
  }
  return object;
}

Json to_json(const model::ProbedPeer& peer) {
  const bool has_certificate = !peer.fingerprint.empty();
  const auto word = [](bool is_known, std::string_view text) {
    return is_known ? Json(text) : Json();
  };
  return {{"host", peer.host},
          {"address", peer.address},
          {"port", peer.port},
          {"security", model::to_word(peer.outcome.security)},
          {"cause", peer.outcome.cause ? Json(model::to_word(*peer.outcome.cause)) : Json()},
          {"trouble", word(!peer.trouble.empty(), peer.trouble)},
          {"starttls", peer.has_spoken ? Json(peer.was_offered) : Json()},
          {"crossed_out", peer.is_crossed_out},
          {"protocol", word(!peer.protocol.empty(), peer.protocol)},
          {"cipher", word(!peer.cipher.empty(), peer.cipher)},
          {"bits", peer.protocol.empty() ? Json() : Json(peer.bits)},
          {"trust", word(!peer.protocol.empty(), model::to_word(peer.trust))},
          {"names", has_certificate ? Json(base::split(peer.names, ":")) : Json::array()},
          {"not_after", has_certificate ? Json(peer.not_after) : Json()},
          {"issuer", word(has_certificate, peer.issuer)},
          {"pin", word(has_certificate, peer.pin)},
          {"would_deliver", to_json(peer.would)}};
}

}  // namespace

std::string asked_of(const WatchLine& line) {
  if (!line.asked) return line.row.empty() ? "-" : "?";
  return fmt::format("{} ({}{})", line.asked->profile, model::to_word(line.asked->level),
                     line.mode == model::RowMode::Observe ? ", observed" : "");
}

std::string does_of(const WatchLine& line) {
  if (!line.probe) return "-";
  const auto& record = line.probe->record;
  if (record.fault) return std::string(model::to_word(*record.fault));
  std::vector<std::pair<std::string, int>> kinds;  // in order of preference
  for (const auto& peer : record.peers) {
    const auto kind = does_of(peer);
    const auto known = std::find_if(kinds.begin(), kinds.end(),
                                    [&kind](const auto& one) { return one.first == kind; });
    if (known != kinds.end()) {
      ++known->second;
    } else {
      kinds.emplace_back(kind, 1);
    }
  }
  if (kinds.size() == 1) return kinds.front().first;
  std::vector<std::string> parts;
  parts.reserve(kinds.size());
  for (const auto& [kind, count] : kinds) parts.push_back(fmt::format("{}x {}", count, kind));
  return parts.empty() ? "-" : base::join(parts, ", ");
}

std::string verdict_of(const WatchLine& line) {
  const auto& [delivers, why] = line.verdict;
  if (delivers == true) return why.empty() ? "ok" : "ok, " + why;
  if (delivers == false) return "fails: " + why;
  if (line.row.empty()) return "no row asks";
  const bool was_good = line.probe && line.probe->memory.delivers == true;
  const bool was_bad = line.probe && line.probe->memory.delivers == false;
  return fmt::format("unknown: {}{}", why, was_good ? " (was ok)" : was_bad ? " (did fail)" : "");
}

std::optional<std::int64_t> since_of(const WatchLine& line) {
  if (!line.probe || !line.asked) return std::nullopt;
  const auto& memory = line.probe->memory;
  const bool is_remembered = memory.delivers && memory.delivers == line.verdict.delivers;
  if (is_remembered && memory.since != 0) return memory.since;
  return line.verdict.delivers ? std::optional(line.probe->record.at) : std::nullopt;
}

std::optional<std::int64_t> expiry_of(const WatchLine& line) {
  std::optional<std::int64_t> first;
  if (!line.probe) return first;
  for (const auto& peer : line.probe->record.peers) {
    if (!peer.fingerprint.empty() && (!first || peer.not_after < *first)) first = peer.not_after;
  }
  return first;
}

Json to_json(const WatchLine& line) {
  Json addresses = Json::array();
  Json hosts = Json::array();
  if (line.probe) {
    for (const auto& peer : line.probe->record.peers) addresses.push_back(to_json(peer));
    for (const auto& host : line.probe->record.hosts) hosts.push_back(host);
  }
  const bool has_level = line.asked.has_value();
  return {{"destination", line.destination},
          {"row", line.row.empty() ? Json() : Json(line.row)},
          {"mode", line.row.empty() ? Json() : Json(model::to_word(line.mode))},
          {"profile", has_level ? Json(line.asked->profile) : Json()},
          {"level", has_level ? Json(model::to_word(line.asked->level)) : Json()},
          {"does", line.probe ? Json(does_of(line)) : Json()},
          {"since", or_null(since_of(line))},
          {"expires", or_null(expiry_of(line))},
          {"verdict", verdict_of(line)},
          {"delivers", or_null(line.verdict.delivers)},
          {"checked", line.probe ? Json(line.probe->record.at) : Json()},
          {"hosts", std::move(hosts)},
          {"would_deliver", line.probe ? to_json(line.probe->record.would) : Json()},
          {"addresses", std::move(addresses)}};
}

}  // namespace app::ctl
