#include "src/store/probe_rows.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "src/base/text.h"

namespace store {
namespace {

using model::ProbedPeer;

constexpr std::array<std::string_view, 19> kProbeColumns{
    "destination", "at",    "watched_at",    "route",     "fault",    "trouble", "signed",
    "hosts",       "off",   "opportunistic", "required",  "verified", "secure",  "pinned",
    "delivers",    "since", "warned_days",   "warned_of", "memory"};
constexpr std::array<std::string_view, 29> kPeerColumns{"host",
                                                        "preference",
                                                        "address",
                                                        "port",
                                                        "security",
                                                        "cause",
                                                        "trouble",
                                                        "spoken",
                                                        "offered",
                                                        "crossed_out",
                                                        "protocol",
                                                        "cipher",
                                                        "bits",
                                                        "fit",
                                                        "trust",
                                                        "named_for_verify",
                                                        "named_for_secure",
                                                        "names",
                                                        "more_names",
                                                        "not_after",
                                                        "issuer",
                                                        "pin",
                                                        "fingerprint",
                                                        "off",
                                                        "opportunistic",
                                                        "required",
                                                        "verified",
                                                        "secure",
                                                        "pinned"};

std::string joined(const auto& columns) {
  std::string text;
  for (const auto column : columns) text += fmt::format("{}{}", text.empty() ? "" : ", ", column);
  return text;
}

std::string marks(std::size_t count) {
  std::string text;
  for (std::size_t i = 1; i <= count; ++i) text += fmt::format("{}?{}", i > 1 ? ", " : "", i);
  return text;
}

// Binds one column after the other.
class Binder {
 public:
  explicit Binder(Statement& statement) : statement_(statement) {}
  Binder& text(std::string_view value) {
    statement_.bind(++column_, value);
    return *this;
  }
  Binder& number(std::int64_t value) {
    statement_.bind(++column_, value);
    return *this;
  }
  Binder& truth(std::optional<bool> value) {
    statement_.bind(++column_, value ? std::optional<std::int64_t>(*value ? 1 : 0) : std::nullopt);
    return *this;
  }
  Binder& would(const model::WouldDeliver& answers) {
    for (const auto& [profile, field] : model::kProfileAnswers) truth(answers.*field);
    return *this;
  }

 private:
  Statement& statement_;
  int column_ = 0;
};

// Reads them.
class Columns {
 public:
  explicit Columns(const Statement& row) : row_(row) {}
  std::string text() { return std::string(row_.text(next_++)); }
  std::int64_t number() { return row_.integer(next_++); }
  template <class T>
  T narrow() {
    return static_cast<T>(number());
  }
  std::optional<bool> truth() {
    const auto column = next_++;
    if (row_.type(column) == ColumnType::Null) return std::nullopt;
    return row_.integer(column) != 0;
  }
  model::WouldDeliver would() {
    model::WouldDeliver answers;
    for (const auto& [profile, field] : model::kProfileAnswers) answers.*field = truth();
    return answers;
  }

 private:
  const Statement& row_;
  int next_ = 0;
};

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (const auto word : base::split(text, " ")) words.emplace_back(word);
  return words;
}

}  // namespace

std::string probe_columns() {
  return joined(kProbeColumns);
}
std::string peer_columns() {
  return joined(kPeerColumns);
}

std::pair<ProbeWriter, Failure> ProbeWriter::make(Database& db) {
  ProbeWriter writer;
  Failure failure;
  const auto prepare = [&](Statement& statement, const std::string& sql) {
    if (!failure.failed()) std::tie(statement, failure) = db.prepare(sql);
  };
  prepare(writer.put_, fmt::format("INSERT OR REPLACE INTO probe({}) VALUES({})", probe_columns(),
                                   marks(kProbeColumns.size())));
  prepare(writer.drop_peers_, "DELETE FROM probe_address WHERE destination = ?1");
  prepare(writer.add_peer_,
          fmt::format("INSERT INTO probe_address({}, destination, place) VALUES({})",
                      peer_columns(), marks(kPeerColumns.size() + 2)));
  prepare(writer.add_change_,
          "INSERT INTO probe_change(at, destination, kind, host, before, after, text) "
          "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)");
  return {std::move(writer), failure};
}

Failure ProbeWriter::write(const ProbeUpdate& update, std::int64_t now) {
  if (auto failed = write_probe(update, now); failed.failed()) return failed;
  if (auto failed = write_peers(update.record); failed.failed()) return failed;
  return write_changes(update.changes);
}

Failure ProbeWriter::write_probe(const ProbeUpdate& update, std::int64_t now) {
  const auto& record = update.record;
  const auto& memory = update.memory;
  const auto hosts = base::join(record.hosts, " ");
  const auto known = hosts_json(memory.hosts);
  Binder(put_)
      .text(record.destination)
      .number(record.at)
      .number(now)
      .text(model::to_word(record.kind))
      .text(record.fault ? model::to_word(*record.fault) : "")
      .text(record.trouble)
      .truth(record.is_secure)
      .text(hosts)
      .would(record.would)
      .truth(memory.delivers)
      .number(memory.since)
      .number(memory.warned_days)
      .number(memory.warned_of)
      .text(known);
  return put_.run();
}

Failure ProbeWriter::write_peers(const model::ProbeRecord& record) {
  Binder(drop_peers_).text(record.destination);
  if (auto failed = drop_peers_.run(); failed.failed()) return failed;
  std::int64_t place = 0;
  for (const auto& peer : record.peers) {
    Binder(add_peer_)
        .text(peer.host)
        .number(peer.preference)
        .text(peer.address)
        .number(peer.port)
        .text(model::to_word(peer.outcome.security))
        .text(peer.outcome.cause ? model::to_word(*peer.outcome.cause) : "")
        .text(peer.trouble)
        .truth(peer.has_spoken)
        .truth(peer.was_offered)
        .truth(peer.is_crossed_out)
        .text(peer.protocol)
        .text(peer.cipher)
        .number(peer.bits)
        .truth(peer.is_fit_to_authenticate)
        .text(model::to_word(peer.trust))
        .truth(peer.is_named_for_verify)
        .truth(peer.is_named_for_secure)
        .text(peer.names)
        .truth(peer.has_more_names)
        .number(peer.not_after)
        .text(peer.issuer)
        .text(peer.pin)
        .text(peer.fingerprint)
        .would(peer.would)
        .text(record.destination)
        .number(place++);
    if (auto failed = add_peer_.run(); failed.failed()) return failed;
  }
  return {};
}

Failure ProbeWriter::write_changes(const std::vector<model::WatchChange>& changes) {
  for (const auto& change : changes) {
    Binder(add_change_)
        .number(change.at)
        .text(change.destination)
        .text(model::to_word(change.kind))
        .text(change.host)
        .text(change.before)
        .text(change.after)
        .text(change.text);
    if (auto failed = add_change_.run(); failed.failed()) return failed;
  }
  return {};
}

std::optional<StoredProbe> read_probe(const Statement& row) {
  Columns columns(row);
  StoredProbe stored;
  auto& record = stored.record;
  record.destination = columns.text();
  record.at = columns.number();
  stored.watched_at = columns.number();
  const auto kind = model::parse_route_kind(columns.text());
  const auto fault = columns.text();
  record.fault = model::parse_route_fault(fault);
  if (!kind || record.fault.has_value() == fault.empty()) return std::nullopt;
  record.kind = *kind;
  record.trouble = columns.text();
  record.is_secure = columns.truth() == true;
  record.hosts = words_of(columns.text());
  record.would = columns.would();
  auto& memory = stored.memory;
  memory.delivers = columns.truth();
  memory.since = columns.number();
  memory.warned_days = columns.number();
  memory.warned_of = columns.number();
  auto hosts = read_hosts_json(columns.text());
  if (!hosts) return std::nullopt;
  memory.hosts = std::move(*hosts);
  return stored;
}

std::optional<ProbedPeer> read_peer(const Statement& row) {
  Columns columns(row);
  ProbedPeer peer;
  peer.host = columns.text();
  peer.preference = columns.narrow<std::uint16_t>();
  peer.address = columns.text();
  peer.port = columns.narrow<std::uint16_t>();
  const auto security = model::parse_security(columns.text());
  const auto cause = columns.text();
  peer.outcome.cause = model::parse_cause(cause);
  if (!security || peer.outcome.cause.has_value() == cause.empty()) return std::nullopt;
  peer.outcome.security = *security;
  peer.trouble = columns.text();
  peer.has_spoken = columns.truth() == true;
  peer.was_offered = columns.truth() == true;
  peer.is_crossed_out = columns.truth() == true;
  peer.protocol = columns.text();
  peer.cipher = columns.text();
  peer.bits = columns.narrow<int>();
  peer.is_fit_to_authenticate = columns.truth() == true;
  const auto trust = model::parse_chain_trust(columns.text());
  if (!trust) return std::nullopt;
  peer.trust = *trust;
  peer.is_named_for_verify = columns.truth() == true;
  peer.is_named_for_secure = columns.truth() == true;
  peer.names = columns.text();
  peer.has_more_names = columns.truth() == true;
  peer.not_after = columns.number();
  peer.issuer = columns.text();
  peer.pin = columns.text();
  peer.fingerprint = columns.text();
  peer.would = columns.would();
  return peer;
}

std::string hosts_json(const std::vector<model::KnownHost>& hosts) {
  auto array = nlohmann::json::array();
  for (const auto& host : hosts) {
    array.push_back({{"name", host.name},
                     {"offered_at", host.offered_at},
                     {"absent_since", host.absent_since},
                     {"issuers", host.issuers},
                     {"pins", host.pins}});
  }
  return array.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

namespace {

std::optional<std::vector<std::string>> texts_of(const nlohmann::json& array) {
  if (!array.is_array() || array.size() > model::WatchMemory::kMostOfAHost) return std::nullopt;
  std::vector<std::string> texts;
  for (const auto& one : array) {
    if (!one.is_string()) return std::nullopt;
    texts.push_back(one.get<std::string>());
  }
  return texts;
}

std::optional<model::KnownHost> read_host(const nlohmann::json& object) {
  if (!object.is_object()) return std::nullopt;
  const auto at = [&object](const char* name) -> const nlohmann::json& {
    static const nlohmann::json kMissing;
    const auto found = object.find(name);
    return found == object.end() ? kMissing : *found;
  };
  auto issuers = texts_of(at("issuers"));
  auto pins = texts_of(at("pins"));
  if (!issuers || !pins || !at("name").is_string() || !at("offered_at").is_number_integer() ||
      !at("absent_since").is_number_integer()) {
    return std::nullopt;
  }
  return model::KnownHost{at("name").get<std::string>(), at("offered_at").get<std::int64_t>(),
                          at("absent_since").get<std::int64_t>(), std::move(*issuers),
                          std::move(*pins)};
}

}  // namespace

std::optional<std::vector<model::KnownHost>> read_hosts_json(std::string_view text) {
  const auto array = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!array.is_array() || array.size() > model::WatchMemory::kMostHosts) return std::nullopt;
  std::vector<model::KnownHost> hosts;
  for (const auto& one : array) {
    auto host = read_host(one);
    if (!host) return std::nullopt;
    hosts.push_back(std::move(*host));
  }
  return hosts;
}

}  // namespace store
