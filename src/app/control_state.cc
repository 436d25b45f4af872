#include "src/app/control_state.h"

#include <fmt/format.h>

#include "src/model/next_hop.h"

namespace app {
namespace {

using nlohmann::json;

constexpr std::size_t kMostStates = 10'000;

std::string text_of(const json& request, const char* name) {
  const auto found = request.find(name);
  return found != request.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::int64_t number_of(const json& request, const char* name) {
  const auto found = request.find(name);
  return found != request.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

json fail(std::string_view why) {
  return {{"ok", false}, {"error", why}};
}

json describe(const wire::IngestStats& stats) {
  if (stats.pid == 0) return nullptr;
  return {{"pid", stats.pid},
          {"lines", stats.lines},
          {"lines_too_long", stats.lines_too_long},
          {"evidence", stats.evidence},
          {"dropped", stats.dropped},
          {"maillog_missing", stats.is_log_missing != 0},
          {"datagrams", stats.datagrams},
          {"datagrams_refused", stats.datagrams_refused},
          {"datagrams_untrusted", stats.datagrams_untrusted},
          {"tee_dropped", stats.tee_dropped}};
}

json or_null(std::int64_t seconds) {
  return seconds == 0 ? json() : json(seconds);
}

json describe(const store::StoredState& stored) {
  const auto& state = stored.state;
  json failures = json::array();
  for (const auto& failure : state.failures) {
    const auto& seen = failure.evidence;
    failures.push_back(
        {{"at", seen.at},
         {"source", model::to_word(seen.source)},
         {"cause", seen.outcome.cause ? json(model::to_word(*seen.outcome.cause)) : json()},
         {"mx", seen.mx},
         {"text", seen.text}});
  }
  const bool is_normal = state.phase == model::Phase::Normal;
  return {{"destination", stored.destination},
          {"view", stored.view},
          {"phase", model::to_word(state.phase)},
          {"level", is_normal ? json() : json(model::to_word(state.to))},
          {"since", or_null(state.since)},
          {"until", or_null(state.until)},
          {"offered_at", or_null(state.offered_at)},
          {"absent_at", or_null(state.absent_at)},
          {"worked_at", or_null(state.worked_at)},
          {"starttls_vanished", state.has_vanished},
          {"failures", std::move(failures)}};
}

bool is_worth_a_look(const store::StoredState& stored) {
  const auto& state = stored.state;
  return stored.is_stand_in || state.has_vanished || !state.failures.empty() ||
         state.phase != model::Phase::Normal;
}

// Of one destination, or of all: with failures or out of the ordinary first, as many as there is
// room for.
json answer_state(ControlDesk& desk, const json& request) {
  auto* db = desk.keeper().db();
  if (db == nullptr) return fail(desk.keeper().alarm());
  const auto wanted = text_of(request, "destination");
  json states = json::array();
  json others = json::array();
  std::size_t found = 0;
  const auto key = model::normalise_key(wanted).text;
  const auto loaded = db->load_states([&](const store::StoredState& stored) {
    if (!wanted.empty() && stored.destination != key) return true;
    ++found;
    auto& kind = is_worth_a_look(stored) ? states : others;
    if (kind.size() < kMostStates) kind.push_back(describe(stored));
    return true;
  });
  if (!loaded) return fail(loaded.error());
  for (auto& other : others) {
    if (states.size() >= kMostStates) break;
    states.push_back(std::move(other));
  }
  const auto left_out = found - states.size();
  return {{"ok", true}, {"states", std::move(states)}, {"left_out", left_out}};
}

json answer_reset(ControlDesk& desk, const json& request) {
  const auto key = model::normalise_key(text_of(request, "destination")).text;
  const auto view = text_of(request, "view");
  auto* db = desk.keeper().db();
  if (db == nullptr) return fail(desk.keeper().alarm());
  const auto stored = db->find_state(view, key);
  if (!stored) return fail(stored.error());
  if (!stored->has_value()) {
    return {{"ok", true}, {"reset", false}, {"destination", key}};
  }
  if (!desk.keeper().reset(view, key)) return fail("the answering role is not connected");
  return {{"ok", true}, {"reset", true}, {"destination", key}};
}

json answer_panic(ControlDesk& desk, const json& request) {
  const auto mode = model::parse_row_mode(text_of(request, "mode"));
  const auto seconds = number_of(request, "seconds");
  if (!mode || seconds < 0 || seconds > model::kLongestDuration) {
    return fail("panic needs a mode, observe or enforce, and seconds");
  }
  if (const auto refused = desk.keeper().panic(*mode, seconds)) return fail(*refused);
  return {{"ok", true},
          {"mode", model::to_word(*mode)},
          {"until", or_null(desk.keeper().mode().until)}};
}

json answer_trace(ControlDesk& desk, const json& request) {
  const auto key = model::normalise_key(text_of(request, "destination")).text;
  const auto after = static_cast<std::uint64_t>(number_of(request, "after"));
  const auto traced = desk.trace(key, after);
  if (!traced) {
    return fail(fmt::format("{} destinations are being traced already; end one of those first",
                            Following::kMostDestinations));
  }
  json exchanges = json::array();
  for (const auto& [number, exchange] : *traced) {
    exchanges.push_back({{"number", number},
                         {"at", exchange.at},
                         {"map", exchange.map},
                         {"key", exchange.key},
                         {"reply", exchange.reply}});
  }
  const bool is_rest_waiting = exchanges.size() == Following::kMostAtOnce;
  return {{"ok", true}, {"exchanges", std::move(exchanges)}, {"is_rest_waiting", is_rest_waiting}};
}

// Checks now, as far as the etiquette lets them be.
json answer_watch_now(ControlDesk& desk, const json& request) {
  const auto found = request.find("destinations");
  std::vector<std::string> keys;
  for (const auto& each : found != request.end() && found->is_array() ? *found : json::array()) {
    const auto key = model::normalise_key(each.is_string() ? each.get<std::string>() : "");
    if (!model::is_deliverable(key.kind)) {
      return fail(fmt::format("\"{}\" is no destination that mail can go to", key.text));
    }
    keys.push_back(key.text);
  }
  if (keys.empty()) return fail("watch-now needs destinations");
  if (!desk.probes().ask_for(keys)) {
    return fail("there is no role net that could look: probe_watch = no, or it is being started");
  }
  return {{"ok", true}, {"destinations", keys}};
}

}  // namespace

std::optional<json> answer_state_verb(ControlDesk& desk, std::string_view verb,
                                      const json& request) {
  if (verb == "state") return answer_state(desk, request);
  if (verb == "reset") return answer_reset(desk, request);
  if (verb == "panic") return answer_panic(desk, request);
  if (verb == "trace") return answer_trace(desk, request);
  if (verb == "watch-now") return answer_watch_now(desk, request);
  return std::nullopt;
}

json describe_feedback(ControlDesk& desk, const std::optional<wire::AnswerStats>& stats) {
  const auto& mode = desk.keeper().mode();
  json described{
      {"state_db", desk.keeper().alarm().empty() ? "live" : "trouble"},
      {"panic", mode.until == 0
                    ? json()
                    : json{{"mode", model::to_word(static_cast<model::RowMode>(mode.mode))},
                           {"until", mode.until}}}};
  if (!stats) return described;
  described["outcomes"] = stats->outcomes;
  described["orphans"] = stats->orphans;
  described["untrusted"] = stats->untrusted;
  described["kept_from_bouncing"] = stats->kept;
  described["bounced"] = stats->bounced;
  described["known_destinations"] = stats->known;
  described["waiting_for_commit"] = stats->open;
  described["dropped"] = stats->dropped;
  described["frozen"] = stats->frozen != 0;
  described["unplaced"] = stats->unplaced;
  described["ingest"] = describe(stats->ingest);
  return described;
}

}  // namespace app
