// The first schema: profile, outbound, change_log, and the profiles we ship.
#include <fmt/format.h>

#include <array>
#include <string_view>

#include "src/base/text.h"
#include "src/store/schema_sql.h"
#include "src/store/schema_steps.h"

namespace store {
namespace {

constexpr std::array kProfileColumns{
    "name",          "level",         "fallback",         "first_contact",
    "protocols",     "min_protocol",  "ciphers",          "exclude",
    "tafile",        "servername",    "connection_reuse", "enable_rpk",
    "attempts",      "retry_after",   "failure_memory",   "downgrade_to",
    "downgrade_for", "downgrade_max", "remember_for",     "reroute_to",
    "comment"};
constexpr std::array kOutboundColumns{"destination", "profile", "match",      "mode",
                                      "owner",       "reason",  "expires_at", "comment"};

// The rules of model::find_contradiction, in SQL.
constexpr std::string_view kProfileTable = R"sql(
CREATE TABLE profile(
  name TEXT PRIMARY KEY,
  level TEXT,
  fallback TEXT DEFAULT 'never',
  first_contact TEXT,
  protocols TEXT,
  min_protocol TEXT,
  ciphers TEXT,
  exclude TEXT,
  tafile TEXT,
  servername TEXT,
  connection_reuse TEXT,
  enable_rpk TEXT,
  attempts INTEGER,
  retry_after INTEGER,
  failure_memory INTEGER,
  downgrade_to TEXT,
  downgrade_for INTEGER,
  downgrade_max INTEGER,
  remember_for INTEGER,
  reroute_to TEXT,
  comment TEXT,
  CONSTRAINT "a profile name is 1 to 64 letters, digits, '.', '_' or '-', a letter or digit first"
    CHECK (name GLOB '[A-Za-z0-9]*' AND name NOT GLOB '*[^A-Za-z0-9._-]*' AND length(name) <= 64),
  CONSTRAINT "level must be none, may, encrypt, fingerprint, dane, dane-only, verify or secure"
    CHECK (ifnull(level, '') IN
      ('none', 'may', 'encrypt', 'fingerprint', 'dane', 'dane-only', 'verify', 'secure')),
  CONSTRAINT "fallback must be never, bounce, after-retry, unless-offered, native or reroute"
    CHECK (ifnull(fallback, '') IN
      ('never', 'bounce', 'after-retry', 'unless-offered', 'native', 'reroute')),
  CONSTRAINT "fallback bounce and reroute need a level that asks for TLS: not none, not may"
    CHECK (fallback NOT IN ('bounce', 'reroute') OR level NOT IN ('none', 'may')),
  CONSTRAINT "fallback native needs level may or dane: elsewhere Postfix never falls back by itself"
    CHECK (fallback <> 'native' OR level IN ('may', 'dane')),
  CONSTRAINT "fallback after-retry needs level none, may or encrypt: others are never lowered"
    CHECK (fallback <> 'after-retry' OR level IN ('none', 'may', 'encrypt')),
  CONSTRAINT "fallback unless-offered needs level none or may: others never go out in plaintext"
    CHECK (fallback <> 'unless-offered' OR level IN ('none', 'may')),
  CONSTRAINT "reroute_to, the transport to hand mail to, goes with fallback reroute and no other"
    CHECK ((fallback = 'reroute') = (reroute_to IS NOT NULL)),
  CONSTRAINT "first_contact must be may or encrypt, or NULL"
    CHECK (first_contact IN ('may', 'encrypt')),
  CONSTRAINT "downgrade_to must be may or none, or NULL"
    CHECK (downgrade_to IN ('may', 'none')),
  CONSTRAINT "min_protocol must be TLSv1, TLSv1.1, TLSv1.2 or TLSv1.3, or NULL"
    CHECK (min_protocol IN ('TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3')),
  CONSTRAINT "protocols and min_protocol exclude each other; set one of them"
    CHECK (protocols IS NULL OR min_protocol IS NULL),
  CONSTRAINT "ciphers must be medium or high, or NULL"
    CHECK (ciphers IN ('medium', 'high')),
  CONSTRAINT "tafile needs level verify or secure: Postfix refuses it elsewhere"
    CHECK (tafile IS NULL OR level IN ('verify', 'secure')),
  CONSTRAINT "tafile must be an absolute path" CHECK (tafile GLOB '/?*'),
  CONSTRAINT "level none uses no TLS, so TLS attributes need fallback after-retry or unless-offered"
    CHECK (level <> 'none' OR fallback IN ('after-retry', 'unless-offered') OR
      coalesce(protocols, min_protocol, ciphers, exclude, servername, connection_reuse, enable_rpk)
        IS NULL),
  CONSTRAINT "attempts must be 1 to 100, or NULL" CHECK (attempts BETWEEN 1 AND 100),
  CONSTRAINT "downgrade_max must not be less than downgrade_for"
    CHECK (downgrade_max >= downgrade_for),
  {checks}
) STRICT, WITHOUT ROWID)sql";

// What an admin may write into a row; what it owes its profile and its destination is below. The
// index finds the rows of a profile, and is a second tree that must have as many entries as the
// table has rows: where pages got lost or swapped, quick_check may find each tree well by itself.
constexpr std::string_view kOutboundTable = R"sql(
CREATE TABLE outbound(
  destination TEXT PRIMARY KEY,
  profile TEXT,
  match TEXT,
  mode TEXT DEFAULT 'enforce',
  owner TEXT,
  reason TEXT,
  expires_at INTEGER,
  comment TEXT,
  CONSTRAINT "destination must not have labels of more than 63 characters"
    CHECK (length(destination) < 64 OR destination NOT GLOB '{label_of_64}'),
  CONSTRAINT "mode must be enforce or observe" CHECK (ifnull(mode, '') IN ('enforce', 'observe')),
  CONSTRAINT "expires_at must be seconds since 1970-01-01 00:00 UTC, up to the year 9999, or NULL"
    CHECK (expires_at BETWEEN 1 AND 253402300799),
  {checks}
) STRICT, WITHOUT ROWID;
CREATE INDEX outbound_profile ON outbound(profile))sql";

// Destinations in normal form (model::parse_destination), as far as GLOB can say; the last word is
// spoken when the policy is compiled. As rows of a table, because SQLite compiles a statement's
// CHECKs and triggers each time it prepares the statement: 40 patterns there would make a script of
// a million INSERTs three times as slow, here they cost next to nothing.
constexpr std::string_view kRuleTable = R"sql(
CREATE TABLE destination_rule(
  broken_by TEXT PRIMARY KEY,
  unless TEXT NOT NULL DEFAULT '',
  rule INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO destination_rule(rule, broken_by, unless) VALUES
  (1, '*[A-Z]*', ''),
  (2, '*[^ -~]*', ''),
  (3, '*[0-9]*', '*[^0-9.:]*'),
  (4, '', '?'), (4, '*[^]a-z0-9._:*[-]*', ''), (4, '?*[*]*', '[[][*]]'), (4, '[*]?*', ''),
  (4, ':*', ''), (4, '*:', ''), (4, '[^[]*:*:*', ''), (4, '.*[:_]*', ''), (4, '[^[]*]*', ''),
  (4, '[[]*', '*]*'), (4, '?*[[]*', ''), (4, '*]*]*', ''), (4, '*][^:]*', ''), (4, '*]:*:*', ''),
  (4, '[[]]*', ''), (4, '[[]ipv6:*', ''),
  (5, '*..*', ''), (5, '*.', ''), (5, '*.[]:]*', ''), (5, '[[].*', ''),
  (5, '-*', ''), (5, '*-', ''), (5, '*[[.]-*', ''), (5, '*-[].:]*', ''),
  (6, '{name_of_255}', '*[]:]*'), (6, '{name_of_272}', ''),
  (7, '*]:0*', ''), (7, '[^[]*:0*', ''), (7, '*:[0-9][0-9][0-9][0-9][0-9][0-9]*', ''),
  (7, '*:[7-9][0-9][0-9][0-9][0-9]', ''), (7, '*:6[6-9][0-9][0-9][0-9]', ''),
  (7, '*:65[6-9][0-9][0-9]', ''), (7, '*:655[4-9][0-9]', ''), (7, '*:6553[6-9]', ''),
  (7, '*:-*', ''), (7, '*]:*[._]*', ''), (7, '[^[]*:*[._]*', ''),
  (7, '*]:????????????????*', ''), (7, '[^[]*:????????????????*', ''))sql";

// A name that is plainly good breaks none of the rules; that is asked first, once and not for each
// rule, which halves the time that a million rows in one transaction take.
constexpr std::string_view kDestinationRules = R"sql(SELECT CASE min(rule)
    WHEN 1 THEN RAISE(ABORT, 'destination must be in lower case')
    WHEN 2 THEN RAISE(ABORT,
      'destination must be plain ASCII: an internationalised name as its A-label, xn--...')
    WHEN 3 THEN RAISE(ABORT, 'destination must not be a bare address: write it in brackets')
    WHEN 4 THEN RAISE(ABORT, 'destination must be as one of example.com, .example.com, a.example:587, [mx.example], [mx.example]:587, [192.0.2.1], [2001:db8::1], *, [*]')
    WHEN 5 THEN RAISE(ABORT,
      'destination must not have empty labels, nor labels that begin or end with a hyphen')
    WHEN 6 THEN RAISE(ABORT,
      'destination must not be longer than 253 characters, brackets and port not counted')
    WHEN 7 THEN RAISE(ABORT,
      'the port of a destination must be 1 to 65535 without leading zeros, or a service name')
  END FROM destination_rule
  WHERE (NEW.destination GLOB '*[^a-z0-9.-]*' OR NEW.destination NOT GLOB '*[a-z]*'
      OR NEW.destination GLOB '*..*' OR NEW.destination GLOB '*.' OR NEW.destination GLOB '*.-*'
      OR NEW.destination GLOB '*-.*' OR NEW.destination GLOB '-*' OR NEW.destination GLOB '*-'
      OR length(NEW.destination) > 253)
    AND NEW.destination GLOB broken_by AND NEW.destination NOT GLOB unless;)sql";

// replaced_row is where a BEFORE INSERT trigger leaves the row that INSERT OR REPLACE is about to
// overwrite: SQLite runs no DELETE triggers then (unless recursive_triggers is on). What an INSERT
// that came to nothing leaves there is the row as it is, and goes with its next change.
constexpr std::string_view kLogTables = R"sql(
CREATE TABLE change_log(
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  table_name TEXT NOT NULL,
  key TEXT NOT NULL,
  op TEXT NOT NULL CHECK (op IN ('insert', 'update', 'delete')),
  before TEXT,
  after TEXT
) STRICT;
CREATE TABLE replaced_row(
  table_name TEXT,
  key TEXT,
  before TEXT NOT NULL,
  PRIMARY KEY (table_name, key)
) STRICT, WITHOUT ROWID)sql";

constexpr std::string_view kShippedProfiles = R"sql(
INSERT INTO profile(name, level, fallback, comment) VALUES
  ('off', 'none', 'never', 'No TLS at all: for a peer whose TLS is broken beyond repair'),
  ('opportunistic', 'may', 'after-retry',
    'TLS where the peer offers it; plaintext only after retries over TLS have failed'),
  ('preferred', 'may', 'unless-offered',
    'Plaintext only where the peer has not offered STARTTLS of late'),
  ('native', 'may', 'native', 'What Postfix does by itself at level may; only recorded'),
  ('required', 'encrypt', 'never', 'TLS or the mail waits; the certificate is not looked at'),
  ('verified', 'verify', 'never', 'TLS, a trusted certificate and the host name of the MX in it'),
  ('secure', 'secure', 'never',
    'TLS and a trusted certificate for a name that DNS cannot change; hosted domains need a match'),
  ('pinned', 'fingerprint', 'never', 'TLS and one of the certificates pinned in match'),
  ('dane', 'dane', 'never', 'DANE where the MX has TLSA records, else as may'),
  ('dane-only', 'dane-only', 'never', 'DANE or the mail waits'))sql";

// What a row of outbound owes its profile.
constexpr std::string_view kRowRules = R"sql(SELECT CASE
    WHEN level IS NULL THEN
      RAISE(ABORT, 'no such profile; SELECT name FROM profile lists them')
    WHEN level = 'fingerprint' AND NEW.match IS NULL THEN
      RAISE(ABORT, 'the profile has level fingerprint, which needs the pins in match')
    WHEN NEW.match IS NOT NULL AND level NOT IN ('fingerprint', 'verify', 'secure') THEN
      RAISE(ABORT,
        'match has a meaning at fingerprint, verify and secure; the profile has another level')
  END FROM (SELECT (SELECT level FROM profile WHERE name = NEW.profile) AS level);)sql";

// What a profile owes the rows that use it, when its level may have changed.
constexpr std::string_view kLevelRules = R"sql(SELECT
    RAISE(ABORT, 'level fingerprint needs a match, and rows with this profile have none; set it first')
    WHERE {changed} AND NEW.level = 'fingerprint'
      AND EXISTS (SELECT 1 FROM outbound WHERE profile = NEW.name AND match IS NULL);
  SELECT
    RAISE(ABORT, 'rows with this profile have a match, which the new level has no use for; clear it')
    WHERE {changed} AND NEW.level NOT IN ('fingerprint', 'verify', 'secure')
      AND EXISTS (SELECT 1 FROM outbound WHERE profile = NEW.name AND match IS NOT NULL);)sql";

std::string level_rules(std::string_view changed) {
  return fmt::format(fmt::runtime(kLevelRules), fmt::arg("changed", changed));
}

std::string profile_table() {
  const std::vector<std::string> checks{
      attribute("protocols", 1000),
      attribute("exclude", 1000),
      attribute("tafile", 1000),
      attribute("servername", 255),
      attribute("reroute_to", 1000),
      prose("comment", 1000),
      yes_or_no("connection_reuse"),
      yes_or_no("enable_rpk"),
      seconds("retry_after", 1),
      seconds("failure_memory", 1),
      seconds("downgrade_for", 1),
      seconds("downgrade_max", 1),
      seconds("remember_for", 0),
      no_nul({"name", "level", "fallback", "first_contact", "protocols", "min_protocol", "ciphers",
              "exclude", "tafile", "servername", "connection_reuse", "enable_rpk", "downgrade_to",
              "reroute_to", "comment"})};
  return fmt::format(fmt::runtime(kProfileTable), fmt::arg("checks", base::join(checks, ",\n  ")));
}

std::string outbound_table() {
  const std::vector<std::string> checks{attribute("match", 4096), prose("owner", 1000),
                                        prose("reason", 1000), prose("comment", 1000)};
  std::string label_of_64 = "*";
  for (int i = 0; i < 64; ++i) label_of_64 += "[-a-z0-9_]";
  return fmt::format(fmt::runtime(kOutboundTable), fmt::arg("checks", base::join(checks, ",\n  ")),
                     fmt::arg("label_of_64", label_of_64 + "*"));
}

std::string rule_table() {
  return fmt::format(fmt::runtime(kRuleTable), fmt::arg("name_of_255", std::string(255, '?') + "*"),
                     fmt::arg("name_of_272", std::string(272, '?') + "*"));
}

}  // namespace

std::string schema_step_1() {
  const std::string used = "EXISTS (SELECT 1 FROM outbound WHERE profile = OLD.name)";
  TableRules profile;
  profile.insert = level_rules(
      "EXISTS (SELECT 1 FROM replaced_row WHERE table_name = 'profile' AND key = NEW.name)");
  profile.rename = fmt::format(
      "SELECT RAISE(ABORT, 'rows of outbound use this profile; insert it under the new name, give "
      "them that one (UPDATE outbound SET profile = ...), then delete this one') WHERE {};",
      used);
  profile.update = level_rules("NEW.level <> OLD.level");
  profile.remove = fmt::format(
      "SELECT RAISE(ABORT, 'rows of outbound use this profile; delete them or give them another "
      "one (UPDATE outbound SET profile = ...) first') WHERE {};",
      used);
  TableRules outbound;
  outbound.insert = fmt::format("{}\n  {}", kDestinationRules, kRowRules);
  outbound.rename = kDestinationRules;
  outbound.update = kRowRules;

  const std::vector<std::string> statements{profile_table(),
                                            outbound_table(),
                                            rule_table(),
                                            std::string(kLogTables),
                                            std::string(kShippedProfiles),
                                            log_triggers("profile", kProfileColumns, profile),
                                            log_triggers("outbound", kOutboundColumns, outbound)};
  return base::join(statements, ";") + ";";
}

}  // namespace store
