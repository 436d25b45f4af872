// What the words of a scenario do.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "tests/scenario/stage.h"

namespace scenario {
namespace {

using model::Cause;
using model::Profile;
using model::Security;

constexpr std::string_view kUsual = "example.org";

// "for DESTINATION", "in VIEW", in any order.
struct Whereabouts {
  model::Key key = model::normalise_key(kUsual);
  std::string view;
};
Whereabouts take_whereabouts(Words& words) {
  Whereabouts found;
  while (true) {
    if (words.skip("for")) {
      found.key = model::normalise_key(words.take());
    } else if (words.skip("in")) {
      found.view = words.take();
    } else {
      return found;
    }
  }
}

bool set_word(Profile& profile, std::string_view name, std::string_view value) {
  const auto level = model::parse_level(value);
  const auto fallback = model::parse_fallback(value);
  if (name == "level" && level) profile.level = *level;
  if (name == "first_contact") profile.first_contact = level;
  if (name == "downgrade_to") profile.downgrade_to = level;
  if (name == "fallback" && fallback) profile.fallback = *fallback;
  if (name == "reroute_to") profile.reroute_to = value;
  if (name == "level" || name == "first_contact" || name == "downgrade_to")
    return level.has_value();
  return (name == "fallback" && fallback) || name == "reroute_to";
}

bool set_number(Profile& profile, std::string_view name, std::string_view value) {
  const std::array fields{std::pair("attempts", &Profile::attempts),
                          std::pair("retry_after", &Profile::retry_after),
                          std::pair("failure_memory", &Profile::failure_memory),
                          std::pair("downgrade_for", &Profile::downgrade_for),
                          std::pair("downgrade_max", &Profile::downgrade_max),
                          std::pair("remember_for", &Profile::remember_for)};
  for (const auto& [known, member] : fields) {
    if (name != known) continue;
    profile.*member = parse_duration(value);
    return (profile.*member).has_value();
  }
  return false;
}

// A certificate that is not believed comes over a connection that is encrypted.
std::optional<model::Outcome> parse_ending(std::string_view word) {
  if (const auto security = model::parse_security(word)) return model::Outcome{*security, {}};
  const auto cause = model::parse_cause(word);
  if (!cause) return std::nullopt;
  const bool is_encrypted = model::is_starttls_offered(*cause) && !model::is_tls_missing(*cause);
  auto security = is_encrypted ? Security::Encrypted : Security::Unknown;
  if (*cause == Cause::Plaintext) security = Security::Clear;
  return model::Outcome{security, cause};
}

}  // namespace

Stage::Fault Stage::declare_profile(std::string_view name, Words& words) {
  Profile profile;
  profile.name = name.ends_with(':') ? name.substr(0, name.size() - 1) : name;
  while (!words.at_end()) {
    const std::string setting(words.take());
    const auto value = words.take();
    if (!set_word(profile, setting, value) && !set_number(profile, setting, value)) {
      return fmt::format("a profile knows no '{} {}'", setting, value);
    }
  }
  if (const auto fault = model::find_contradiction(profile)) return *fault;
  world_.policy.profiles[profile.name] = profile;
  return {};
}

// "DESTINATION: PROFILE [observe] [expires TIME]"
Stage::Fault Stage::declare_row(std::string_view name, Words& words) {
  if (!name.ends_with(':'))
    return fmt::format("a row is 'row DESTINATION: PROFILE', not '{}'", name);
  const auto key = model::parse_destination(name.substr(0, name.size() - 1));
  if (!key) return key.error();
  Policy::Row row;
  row.profile = words.take();
  if (words.skip("observe")) row.mode = model::RowMode::Observe;
  if (words.skip("expires")) {
    const auto at = parse_time(words.take());
    if (!at) return "expires wants a time, HH:MM:SS";
    row.expires_at = kStart + *at;
  }
  if (!words.at_end()) return fmt::format("unknown word '{}'", words.peek());
  world_.policy.rows[key->text] = row;
  return {};
}

Stage::Fault Stage::set_limits(Words& words) {
  while (!words.at_end()) {
    const std::string name(words.take());
    const auto value = parse_duration(words.take());
    if (!value) return fmt::format("{} wants a number", name);
    if (name == "freeze_domains") {
      world_.limits.domains = *value;
    } else if (name == "freeze_share") {
      world_.limits.share = *value;
    } else if (name == "freeze_window") {
      world_.limits.window = *value;
    } else if (name == "table") {
      world_.table = static_cast<std::size_t>(*value);
    } else {
      return fmt::format("unknown limit '{}'", name);
    }
  }
  return {};
}

Stage::Fault Stage::ask(Words& words, std::string& answer) {
  const bool is_strict = words.skip("strictly");
  const auto where = take_whereabouts(words);
  const auto verdict = world_.decider().verdict_for(
      {where.key, where.view, is_strict ? model::Transport::TlsOnly : model::Transport::Usual});
  switch (verdict.kind) {
    case model::Verdict::Kind::NotFound:
      answer = "not found";
      return {};
    case model::Verdict::Kind::Policy:
      answer = model::to_word(verdict.level);
      return {};
    case model::Verdict::Kind::Unknown:
      answer = "try again";
      return {};
  }
  return {};
}

Stage::Fault Stage::ask_transport(Words& words, std::string& answer) {
  const auto where = take_whereabouts(words);
  const auto transport = world_.decider().reroute_for({where.key, where.view});
  answer = transport ? std::string(*transport) : "not found";
  return {};
}

// "[untrusted] SOURCE ENDING [at MX] [written TIME] [for DESTINATION] [in VIEW]"
Stage::Fault Stage::see(Words& words, std::string& answer) {
  model::Evidence evidence;
  evidence.is_trusted = !words.skip("untrusted");
  const auto source = model::parse_source(words.peek());
  if (!source) return fmt::format("unknown word '{}'", words.peek());
  words.take();
  evidence.source = *source;
  evidence.was_offered = words.skip("offered");
  if (!evidence.was_offered) {
    const auto ending = parse_ending(words.peek());
    if (!ending) return fmt::format("'{}' is no ending of a delivery", words.peek());
    words.take();
    evidence.outcome = *ending;
  }
  if (words.skip("at")) evidence.mx = words.take();
  evidence.at = world_.clock.now().time_since_epoch().count();
  if (words.skip("written")) {
    const auto written = parse_time(words.take());
    if (!written) return "written wants a time, HH:MM:SS";
    evidence.at -= world_.clock.passed - *written;
  }
  const auto where = take_whereabouts(words);
  answer = world_.feedback().take(where.view, where.key, evidence) ? "bounce" : "wait";
  return {};
}

Stage::Fault Stage::edit(Words& words) {
  Fault fault;
  if (words.skip("resets")) return reset(words);
  if (words.skip("profile:")) {
    fault = declare_profile("main", words);
  } else if (words.skip("profile")) {
    fault = declare_profile(words.take(), words);
  } else if (words.skip("row")) {
    fault = declare_row(words.take(), words);
  } else if (words.skip("removes")) {
    if (world_.policy.rows.erase(std::string(words.take())) == 0) fault = "no such row";
  } else if (words.skip("observes")) {
    world_.mode = model::RowMode::Observe;
  } else if (words.skip("enforces")) {
    world_.mode = model::RowMode::Enforce;
  } else {
    fault = fmt::format("an admin can't '{}'", words.peek());
  }
  if (!fault.empty()) return fault;
  const auto done = world_.publish();
  return done ? Fault() : done.error();
}

Stage::Fault Stage::reset(Words& words) {
  const auto where = take_whereabouts(words);
  return world_.feedback().reset(where.view, where.key) ? "" : "nothing is known of it";
}

// "clock forward 10y", "clock back 1d"
Stage::Fault Stage::move_clock(Words& words) {
  const bool is_forward = words.skip("forward");
  if (!is_forward && !words.skip("back")) return "a clock goes forward or back";
  const auto by = parse_duration(words.take());
  if (!by) return "a clock goes forward or back by a duration: 3600, 2h, 1d, 10y";
  world_.clock.jumped += is_forward ? *by : -*by;
  return {};
}

Stage::Fault Stage::change_store(Words& words) {
  if (words.skip("answers")) {
    std::optional<std::int64_t> delay = 0;
    if (words.skip("after")) delay = parse_duration(words.take());
    if (!delay) return "answers after how many seconds?";
    world_.store.delay = *delay;
    world_.store.mood = Store::Mood::Prompt;
  } else if (words.skip("is")) {
    if (words.skip("silent")) {
      world_.store.mood = Store::Mood::Silent;
    } else if (words.skip("gone")) {
      world_.store.die();
    } else if (words.skip("back")) {
      world_.store.mood = Store::Mood::Prompt;
      if (world_.is_up()) world_.feedback().propose_again();
    } else {
      return "store is silent, gone or back";
    }
  } else {
    return "store answers, or is silent, gone or back";
  }
  return {};
}

// "answer stops", "answer restarts [without state]"
Stage::Fault Stage::change_answer(Words& words) {
  if (words.skip("stops")) {
    world_.stop();
    return {};
  }
  if (!words.skip("restarts")) return "answer stops or restarts";
  world_.start();
  if (const auto done = world_.publish(); !done) return done.error();
  if (words.skip("without")) return words.skip("state") ? "" : "without state";
  world_.load_state();
  return {};
}

// What is remembered comes: from `store`, or what the parent kept.
Stage::Fault Stage::change_state(Words& words) {
  if (words.skip("comes")) {
    world_.load_state();
  } else if (words.skip("is")) {
    if (!words.skip("kept")) return "state is kept";
    world_.keep_state();
  } else if (words.skip("kept")) {
    if (!words.skip("comes")) return "state kept comes";
    world_.load_kept_state();
  } else {
    return "state comes, is kept, or kept comes";
  }
  return {};
}

void Stage::show_ledger(std::string& answer) const {
  for (const auto& decision : world_.store.ledger) {
    answer += answer.empty() ? "" : " ";
    answer += model::to_word(decision.kind);
  }
  if (answer.empty()) answer = "empty";
}

}  // namespace scenario
