// The second schema: what is asked of mail that comes in (inbound) and is submitted (submission).
//
// The CHECKs refuse what is plainly wrong, in sentences; the last word on addresses, names and pins
// is spoken by model::find_fault when the policy is compiled.
#include <fmt/format.h>

#include <array>
#include <string_view>
#include <vector>

#include "src/base/text.h"
#include "src/store/schema_sql.h"
#include "src/store/schema_steps.h"

namespace store {
namespace {

constexpr std::array kInboundColumns{"id",           "client",       "sender",
                                     "require",      "min_protocol", "min_bits",
                                     "ccert_name",   "ccert_issuer", "ccert_fingerprint",
                                     "on_violation", "learn_count",  "text",
                                     "owner",        "reason",       "expires_at",
                                     "comment"};
constexpr std::array kSubmissionColumns{"sender", "require", "otherwise",  "min_protocol", "text",
                                        "owner",  "reason",  "expires_at", "comment"};

constexpr std::string_view kInboundTable = R"sql(
CREATE TABLE inbound(
  id INTEGER PRIMARY KEY,
  client TEXT,
  sender TEXT,
  require TEXT DEFAULT 'encrypt',
  min_protocol TEXT,
  min_bits INTEGER,
  ccert_name TEXT,
  ccert_issuer TEXT,
  ccert_fingerprint TEXT,
  on_violation TEXT DEFAULT 'reject',
  learn_count INTEGER,
  text TEXT,
  owner TEXT,
  reason TEXT,
  expires_at INTEGER,
  comment TEXT,
  CONSTRAINT "id must be a whole number from 1 up, or NULL for the next free one" CHECK (id >= 1),
  CONSTRAINT "client must be as one of 192.0.2.1, 192.0.2.0/24, 2001:db8::1, 2001:db8::/32, mx.example.com, *.example.com (the verified host name, in lower case), or NULL for any"
    CHECK (client NOT GLOB '*[^a-z0-9.:/*_-]*' AND length(client) BETWEEN 1 AND 255
      AND client NOT GLOB '?*[*]*' AND (client NOT GLOB '[*]*' OR client GLOB '[*].?*')
      AND client NOT GLOB '*..*' AND client NOT GLOB '.*' AND client NOT GLOB '*.'
      AND (client NOT GLOB '*/*' OR client GLOB '[0-9]*.*/[0-9]*' OR client GLOB '*:*/[0-9]*')
      AND (client NOT GLOB '*/*' OR client NOT GLOB '*[^0-9a-f.:/]*')),
  CONSTRAINT "client: an IPv4 address has four numbers of at most 255, a network /0 to /32 behind them"
    CHECK (client GLOB '*[^0-9./]*' OR (client GLOB '[0-9]*.[0-9]*.[0-9]*.[0-9]*'
      AND client NOT GLOB '*.*.*.*.*' AND client NOT GLOB '*[0-9][0-9][0-9][0-9]*'
      AND client NOT GLOB '*[3-9][0-9][0-9]*' AND client NOT GLOB '*2[6-9][0-9]*'
      AND client NOT GLOB '*25[6-9]*' AND client NOT GLOB '*/*[^0-9]*'
      AND client NOT GLOB '*/???*' AND client NOT GLOB '*/[4-9]?' AND client NOT GLOB '*/3[3-9]')),
  CONSTRAINT "client: an IPv6 address has hexadecimal groups with colons between, a network /0 to /128 behind them"
    CHECK (client NOT GLOB '*:*' OR (client NOT GLOB '*[^0-9a-f:./]*' AND client GLOB '*:*:*'
      AND client NOT GLOB '*/*[^0-9]*' AND client NOT GLOB '*/????*'
      AND client NOT GLOB '*/[2-9]??' AND client NOT GLOB '*/1[3-9]?' AND client NOT GLOB '*/129')),
  CONSTRAINT "sender must be as one of user@example.com, example.com, .example.com (everything below it), <> (bounces), in lower case, or NULL for any"
    CHECK (sender = '<>' OR ({sender})),
  CONSTRAINT "require must be none, encrypt or certificate"
    CHECK (ifnull(require, '') IN ('none', 'encrypt', 'certificate')),
  CONSTRAINT "a rule that matches by sender alone may only strengthen, and require none asks for nothing: MAIL FROM is forged for free, so name the client too"
    CHECK (require <> 'none' OR client IS NOT NULL OR sender IS NULL),
  CONSTRAINT "min_protocol must be TLSv1, TLSv1.1, TLSv1.2 or TLSv1.3, or NULL"
    CHECK (min_protocol IN ('TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3')),
  CONSTRAINT "min_bits must be 1 to 512, or NULL" CHECK (min_bits BETWEEN 1 AND 512),
  CONSTRAINT "require none asks for no TLS, so min_protocol, min_bits, ccert_fingerprint and learn_count have no use"
    CHECK (require <> 'none' OR coalesce(min_protocol, min_bits, ccert_fingerprint, learn_count) IS NULL),
  CONSTRAINT "ccert_name and ccert_issuer need require certificate: Postfix tells names of trusted certificates alone"
    CHECK (require = 'certificate' OR coalesce(ccert_name, ccert_issuer) IS NULL),
  CONSTRAINT "ccert_fingerprint must be fingerprints in hexadecimal, with or without colons, with blanks, commas or | between them"
    CHECK (ccert_fingerprint NOT GLOB '*[^0-9A-Fa-f:, |]*' AND length(ccert_fingerprint) BETWEEN 32 AND 4096),
  CONSTRAINT "on_violation must be reject, defer, tag or observe"
    CHECK (ifnull(on_violation, '') IN ('reject', 'defer', 'tag', 'observe')),
  CONSTRAINT "learn_count must be 1 to 1000000 messages, or NULL" CHECK (learn_count BETWEEN 1 AND 1000000),
  {checks}
) STRICT;
CREATE INDEX inbound_match ON inbound(client, sender))sql";

// The content filters that a host runs reinject what they have checked, in clear, over loopback.
constexpr std::string_view kShippedRules = R"sql(
INSERT INTO inbound(client, require, reason) VALUES
  ('127.0.0.0/8', 'none', 'Loopback: content filters give mail back in clear'),
  ('::1', 'none', 'Loopback: content filters give mail back in clear'))sql";

constexpr std::string_view kSubmissionTable = R"sql(
CREATE TABLE submission(
  sender TEXT PRIMARY KEY,
  require TEXT DEFAULT 'encrypt',
  otherwise TEXT DEFAULT 'reject',
  min_protocol TEXT,
  text TEXT,
  owner TEXT,
  reason TEXT,
  expires_at INTEGER,
  comment TEXT,
  CONSTRAINT "sender must be as one of user@example.com, example.com, .example.com (everything below it), a SASL user, * (everybody), in lower case"
    CHECK (ifnull(sender, '') = '*' OR (ifnull(sender, '') <> '' AND {sender})),
  CONSTRAINT "require must be encrypt or verify" CHECK (ifnull(require, '') IN ('encrypt', 'verify')),
  CONSTRAINT "otherwise must be reject, defer, hold, warn or observe"
    CHECK (ifnull(otherwise, '') IN ('reject', 'defer', 'hold', 'warn', 'observe')),
  CONSTRAINT "min_protocol must be TLSv1, TLSv1.1, TLSv1.2 or TLSv1.3, or NULL"
    CHECK (min_protocol IN ('TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3')),
  {checks}
) STRICT, WITHOUT ROWID)sql";

// Two rules for the same mail: nobody could say which of them holds.
constexpr std::string_view kOneRulePerMatch = R"sql(SELECT
    RAISE(ABORT, 'there is a rule for this client and sender already; change or delete that one')
    WHERE EXISTS (SELECT 1 FROM inbound
      WHERE client IS NEW.client AND sender IS NEW.sender AND id <> NEW.id);)sql";

std::string sender_shape() {
  return "sender NOT GLOB '*[^!-~]*' AND sender NOT GLOB '*[A-Z<>*,]*' AND sender NOT GLOB '@*' "
         "AND sender NOT GLOB '*[@.]' AND sender NOT GLOB '*[@.].*' AND sender NOT GLOB '*@*@*' "
         "AND length(sender) BETWEEN 1 AND 320";
}

// What is told to a remote SMTP client: ASCII, with no other variables than ours.
std::string reply_text(const std::vector<std::string_view>& variables) {
  std::string rest = "text";
  std::string ends;
  std::string names;
  for (const auto variable : variables) {
    rest = fmt::format("replace({}, '${}', '')", rest, variable);
    ends += fmt::format(" AND text NOT GLOB '*${}[a-z_]*'", variable);
    names += fmt::format("{}${}", names.empty() ? "" : ", ", variable);
  }
  return fmt::format(
      "CONSTRAINT \"text must be 1 to 300 printable ASCII characters; its variables are {}\" CHECK "
      "(text NOT GLOB '*[^ -~]*' AND length(text) BETWEEN 1 AND 300 AND instr({}, '$') = 0{})",
      names, rest, ends);
}

std::string certificate_pattern(std::string_view column) {
  return fmt::format(
      "CONSTRAINT \"{0} must be a common name of 1 to 255 characters, * in it for any characters, "
      "or NULL\" CHECK ({0} NOT GLOB '*[^ -~\u00a0-\U0010fffd]*' AND length({0}) BETWEEN 1 AND "
      "255)",
      column);
}

constexpr std::string_view kExpiry =
    "CONSTRAINT \"expires_at must be seconds since 1970-01-01 00:00 UTC, up to the year 9999, or "
    "NULL\" CHECK (expires_at BETWEEN 1 AND 253402300799)";

std::string inbound_table() {
  const std::vector<std::string> checks{
      certificate_pattern("ccert_name"),
      certificate_pattern("ccert_issuer"),
      reply_text({"sender_domain", "client", "required", "got"}),
      prose("owner", 1000),
      prose("reason", 1000),
      prose("comment", 1000),
      std::string(kExpiry),
      no_nul({"client", "sender", "require", "min_protocol", "ccert_name", "ccert_issuer",
              "ccert_fingerprint", "on_violation", "text", "owner", "reason", "comment"})};
  return fmt::format(fmt::runtime(kInboundTable), fmt::arg("sender", sender_shape()),
                     fmt::arg("checks", base::join(checks, ",\n  ")));
}

std::string submission_table() {
  const std::vector<std::string> checks{
      reply_text({"sender_domain", "recipient_domain", "client", "required", "got"}),
      prose("owner", 1000),
      prose("reason", 1000),
      prose("comment", 1000),
      std::string(kExpiry),
      no_nul({"sender", "require", "otherwise", "min_protocol", "text", "owner", "reason",
              "comment"})};
  return fmt::format(fmt::runtime(kSubmissionTable), fmt::arg("sender", sender_shape()),
                     fmt::arg("checks", base::join(checks, ",\n  ")));
}

}  // namespace

std::string schema_step_2() {
  TableRules inbound;
  inbound.insert = kOneRulePerMatch;
  inbound.update = kOneRulePerMatch;
  const std::vector<std::string> statements{inbound_table(), std::string(kShippedRules),
                                            submission_table(),
                                            log_triggers("inbound", kInboundColumns, inbound),
                                            log_triggers("submission", kSubmissionColumns, {})};
  return base::join(statements, ";") + ";";
}

}  // namespace store
