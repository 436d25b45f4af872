#include "src/wire/overview_json.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <type_traits>
#include <vector>

namespace wire {
namespace {

using model::Overview;
using nlohmann::json;

// Lists whose length follows from what they are about.
constexpr std::size_t kMostRoles = 16;
constexpr std::size_t kMostAnswers = 64;
constexpr std::size_t kMostEvidence =
    model::kSources.size() * model::kSecurities.size() * (model::kCauses.size() + 1);
constexpr std::size_t kMostDrops = 16;
constexpr std::size_t kMostPhases = 16;

// Each struct once, for both directions: `archive(name, member)` writes or reads one member,
// `archive(name, list, most)` a list of at most so many.
template <class Archive>
void describe(Archive& archive, Overview::Image& image) {
  archive("digest", image.digest);
  archive("built_at", image.built_at);
  archive("rows", image.rows);
  archive("faulty_rows", image.faulty_rows);
  archive("profiles", image.profiles);
  archive("inbound_rules", image.inbound_rules);
  archive("submission_rules", image.submission_rules);
}

template <class Archive>
void describe(Archive& archive, Overview::RoleState& role) {
  archive("name", role.name);
  archive("pid", role.pid);
  archive("restarts", role.restarts);
}

template <class Archive>
void describe(Archive& archive, Overview::Answers& answers) {
  archive("map", answers.map);
  archive("status", answers.status);
  archive("count", answers.count);
}

template <class Archive>
void describe(Archive& archive, Overview::EvidenceCount& evidence) {
  archive("source", evidence.source);
  archive("security", evidence.outcome.security);
  archive("cause", evidence.outcome.cause);
  archive("count", evidence.count);
}

template <class Archive>
void describe(Archive& archive, Overview::Drops& drops) {
  archive("where", drops.where);
  archive("count", drops.count);
}

template <class Archive>
void describe(Archive& archive, Overview::PhaseCount& phase) {
  archive("phase", phase.phase);
  archive("count", phase.count);
}

template <class Archive>
void describe(Archive& archive, Overview::Downgrade& downgrade) {
  archive("destination", downgrade.destination);
  archive("view", downgrade.view);
  archive("phase", downgrade.phase);
  archive("from", downgrade.from);
  archive("to", downgrade.to);
  archive("since", downgrade.since);
  archive("until", downgrade.until);
  archive("why", downgrade.why);
  archive("affected", downgrade.affected);
}

template <class Archive>
void describe(Archive& archive, Overview::Partner& partner) {
  archive("destination", partner.destination);
  archive("mx", partner.mx);
  archive("cause", partner.cause);
  archive("text", partner.text);
  archive("since", partner.since);
  archive("deferred", partner.deferred);
}

template <class Archive>
void describe(Archive& archive, Overview::Certificate& certificate) {
  archive("destination", certificate.destination);
  archive("host", certificate.host);
  archive("not_after", certificate.not_after);
  archive("issuer", certificate.issuer);
}

template <class Archive>
void describe(Archive& archive, Overview::Hour& hour) {
  archive("start", hour.start);
  archive("authenticated", hour.authenticated);
  archive("encrypted", hour.encrypted);
  archive("clear", hour.clear);
  archive("unknown", hour.unknown);
  archive("deferred", hour.deferred);
}

template <class Archive>
void describe(Archive& archive, Overview::Decided& decided) {
  archive("seq", decided.seq);
  archive("at", decided.at);
  archive("kind", decided.kind);
  archive("destination", decided.destination);
  archive("from", decided.from);
  archive("to", decided.to);
  archive("why", decided.why);
  archive("until", decided.until);
}

template <class Archive>
void describe(Archive& archive, Overview::Checks& checks) {
  archive("watched", checks.watched);
  archive("checks", checks.checks);
  archive("put_off", checks.put_off);
  archive("probes", checks.probes);
  archive("refused", checks.refused);
  archive("compliant", checks.compliant);
  archive("failing", checks.failing);
  archive("unknown", checks.unknown);
}

template <class Archive>
void describe_service(Archive& archive, Overview& overview) {
  archive("at", overview.at);
  archive("host", overview.host);
  archive("version", overview.version);
  archive("mode", overview.mode);
  archive("panic_until", overview.panic_until);
  archive("troubles", overview.troubles, model::kMostShownTroubles);
  archive("troubles_left_out", overview.troubles_left_out);
  archive("image", overview.image);
  archive("policy_state", overview.policy_state);
  archive("policy_waits_since", overview.policy_waits_since);
  archive("roles", overview.roles, kMostRoles);
}

template <class Archive>
void describe_counters(Archive& archive, Overview& overview) {
  archive("answers", overview.answers, kMostAnswers);
  archive("latency", overview.latency);
  archive("latency_sum", overview.latency_sum);
  archive("connections", overview.connections);
  archive("malformed", overview.malformed);
  archive("stalled", overview.stalled);
  archive("policyd_requests", overview.policyd_requests);
  archive("evidence", overview.evidence, kMostEvidence);
  archive("orphans", overview.orphans);
  archive("untrusted", overview.untrusted);
  archive("drops", overview.drops, kMostDrops);
  archive("datagrams_refused", overview.datagrams_refused);
  archive("is_log_missing", overview.is_log_missing);
  archive("is_frozen", overview.is_frozen);
}

template <class Archive>
void describe(Archive& archive, Overview& overview) {
  describe_service(archive, overview);
  describe_counters(archive, overview);
  archive("phases", overview.phases, kMostPhases);
  archive("downgrades", overview.downgrades, model::kMostShownDowngrades);
  archive("downgrades_total", overview.downgrades_total);
  archive("partners", overview.partners, model::kMostShownPartners);
  archive("partners_total", overview.partners_total);
  archive("certificates", overview.certificates, model::kMostShownCertificates);
  archive("certificates_by_days", overview.certificates_by_days);
  archive("traffic", overview.traffic, Overview::kTrafficHours);
  archive("decisions", overview.decisions, model::kMostShownDecisions);
  archive("checks", overview.checks);
}

// Cut between characters, not inside one.
std::string cut(const std::string& text) {
  if (text.size() <= kLongestOverviewText) return text;
  std::size_t end = kLongestOverviewText;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end);
}

class Writer {
 public:
  template <class T>
  void operator()(const char* name, T& value) {
    object_[name] = write(value);
  }
  template <class T>
  void operator()(const char* name, std::vector<T>& list, std::size_t most) {
    json array = json::array();
    for (std::size_t i = 0; i < list.size() && i < most; ++i) array.push_back(write(list[i]));
    object_[name] = std::move(array);
  }
  json take() { return std::move(object_); }

 private:
  // Not const: the template for objects would fit better.
  // cppcheck-suppress constParameter
  static json write(std::string& text) { return cut(text); }
  static json write(model::Source source) { return model::to_word(source); }
  static json write(model::Security security) { return model::to_word(security); }
  static json write(model::Cause cause) { return model::to_word(cause); }
  template <class T>
  requires std::is_arithmetic_v<T>
  static json write(T number) { return number; }
  template <std::size_t Size>
  static json write(std::array<std::uint64_t, Size>& numbers) {
    return numbers;
  }
  template <class T>
  static json write(std::optional<T>& value) {
    return value ? write(*value) : json();
  }
  template <class T>
  requires std::is_class_v<T>
  static json write(T& value) {
    Writer inner;
    describe(inner, value);
    return inner.take();
  }

  json object_ = json::object();
};

class Reader {
 public:
  explicit Reader(const json& object) : object_(object), ok_(object.is_object()) {}

  template <class T>
  void operator()(const char* name, T& value) {
    const json* found = find(name);
    ok_ = found != nullptr && read(*found, value);
  }
  template <class T>
  void operator()(const char* name, std::vector<T>& list, std::size_t most) {
    const json* found = find(name);
    ok_ = found != nullptr && found->is_array() && found->size() <= most;
    if (!ok_) return;
    list.clear();
    for (const auto& each : *found) {
      if (!read(each, list.emplace_back())) {
        ok_ = false;
        return;
      }
    }
  }
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  // After the first fault nothing more is read.
  const json* find(const char* name) const {
    if (!ok_) return nullptr;
    const auto found = object_.find(name);
    return found == object_.end() ? nullptr : &*found;
  }

  static bool read(const json& from, std::string& text) {
    if (!from.is_string()) return false;
    text = from.get<std::string>();
    return text.size() <= 3 * kLongestOverviewText;
  }
  static bool read(const json& from, bool& truth) {
    if (from.is_boolean()) truth = from.get<bool>();
    return from.is_boolean();
  }
  static bool read(const json& from, std::uint64_t& number) {
    if (from.is_number_unsigned()) number = from.get<std::uint64_t>();
    return from.is_number_unsigned();
  }
  static bool read(const json& from, std::int64_t& number) {
    if (!from.is_number_integer()) return false;
    if (from.is_number_unsigned() && from.get<std::uint64_t>() > INT64_MAX) return false;
    number = from.get<std::int64_t>();
    return true;
  }
  static bool read(const json& from, double& number) {
    if (from.is_number()) number = from.get<double>();
    return from.is_number() && std::isfinite(number) && number >= 0;
  }
  static bool read(const json& from, model::Source& source) {
    return take_word(from, source, model::parse_source);
  }
  static bool read(const json& from, model::Security& security) {
    return take_word(from, security, model::parse_security);
  }
  static bool read(const json& from, model::Cause& cause) {
    return take_word(from, cause, model::parse_cause);
  }
  template <class T>
  static bool take_word(const json& from, T& value, std::optional<T> (*parse)(std::string_view)) {
    if (!from.is_string()) return false;
    const auto parsed = parse(from.get_ref<const std::string&>());
    if (parsed) value = *parsed;
    return parsed.has_value();
  }
  template <std::size_t Size>
  static bool read(const json& from, std::array<std::uint64_t, Size>& numbers) {
    if (!from.is_array() || from.size() != Size) return false;
    for (std::size_t i = 0; i < Size; ++i) {
      if (!read(from[i], numbers.at(i))) return false;
    }
    return true;
  }
  template <class T>
  static bool read(const json& from, std::optional<T>& value) {
    if (from.is_null()) {
      value.reset();
      return true;
    }
    T inner{};
    if (!read(from, inner)) return false;
    value = std::move(inner);
    return true;
  }
  template <class T>
  requires std::is_class_v<T>
  static bool read(const json& from, T& value) {
    Reader inner(from);
    describe(inner, value);
    return inner.ok();
  }

  const json& object_;
  bool ok_;
};

}  // namespace

std::string to_json(const model::Overview& overview) {
  Writer writer;
  Overview copy = overview;  // one description serves the writer and the reader, who needs it
  describe(writer, copy);
  return writer.take().dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<model::Overview> parse_overview(std::string_view text) {
  if (text.size() > kLargestOverview) return std::nullopt;
  const auto parsed = json::parse(text, nullptr, /*allow_exceptions=*/false);
  Overview overview;
  Reader reader(parsed);
  describe(reader, overview);
  if (!reader.ok()) return std::nullopt;
  return overview;
}

}  // namespace wire
