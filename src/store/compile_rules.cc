#include "src/store/compile_rules.h"

#include <fmt/format.h>

#include <map>

#include "src/base/text.h"
#include "src/model/client_match.h"
#include "src/model/sender_match.h"

namespace store {
namespace {

using Stop = std::variant<Refusal, Disorder, Failure>;

constexpr std::size_t kLongestColumn = 4096;
constexpr std::int64_t kLastSecond = 253'402'300'799;  // of the year 9999
constexpr std::int64_t kMostBits = 512;
constexpr std::int64_t kMostLearned = 1'000'000;

// Reads the columns of one row; remembers the first thing that is wrong.
class Columns {
 public:
  explicit Columns(const Statement& statement) : statement_(statement) {}

  std::string text(int column) {
    const auto value = statement_.text(column);
    if (value.size() > kLongestColumn) {
      blame(column, "is too long");
      return {};
    }
    if (value.find('\0') != value.npos) blame(column, "holds a NUL byte");
    return std::string(value);
  }

  std::int64_t number(int column, std::int64_t most) {
    if (statement_.type(column) == ColumnType::Null) return 0;
    const auto value = statement_.integer(column);
    if (statement_.type(column) == ColumnType::Integer && value >= 1 && value <= most) return value;
    blame(column, fmt::format("must be 1 to {}", most));
    return 0;
  }

  template <class T>
  void word(int column, std::optional<T> (*parse)(std::string_view), std::string_view allowed,
            T& value) {
    if (const auto parsed = parse(statement_.text(column))) {
      value = *parsed;
    } else {
      blame(column, fmt::format("is \"{}\"; allowed are {}",
                                base::printable(statement_.text(column), 60), allowed));
    }
  }

  std::optional<model::TlsVersion> version(int column) {
    if (statement_.type(column) == ColumnType::Null) return std::nullopt;
    model::TlsVersion value{};
    word(column, &model::parse_tls_version, "TLSv1, TLSv1.1, TLSv1.2, TLSv1.3", value);
    return value;
  }

  [[nodiscard]] const std::string& fault() const { return fault_; }

 private:
  void blame(int column, std::string_view what) {
    if (fault_.empty()) fault_ = fmt::format("{} {}", statement_.column_name(column), what);
  }

  const Statement& statement_;
  std::string fault_;
};

std::string name_of(const model::InboundRule& rule) {
  return fmt::format("table inbound, id {}: {}", rule.id, rule.fault);
}

// One spelling for one client and sender, so that two rules for the same mail show.
std::string match_of(const model::InboundRule& rule) {
  const auto client = model::parse_client(rule.client);
  const auto sender = model::parse_sender(rule.sender);
  return (client ? model::to_text(*client) : rule.client) + '\n' +
         (sender ? sender->text : rule.sender);
}

std::optional<Stop> compile_inbound(Database& db, image::Writer& writer,
                                    const ListFault& list_fault) {
  auto [statement, failure] =
      db.prepare(fmt::format("SELECT {} FROM inbound ORDER BY id", kInboundColumns));
  if (failure.failed()) return failure;
  std::map<std::string, std::int64_t> seen;
  while (statement.step()) {
    auto rule = read_inbound_rule(statement);
    const auto [first, is_new] = seen.emplace(match_of(rule), rule.id);
    if (rule.fault.empty() && !is_new) {
      rule.fault = fmt::format(
          "client and sender are the same as those of rule {}, written differently; delete one of "
          "the two",
          first->second);
    }
    if (!rule.fault.empty()) {
      list_fault("inbound", std::to_string(rule.id), rule.fault);
      rule.fault = name_of(rule);
    }
    if (const auto added = writer.add_rule(rule); !added) return Refusal{added.error()};
  }
  if (statement.failure().failed()) return statement.failure();
  return std::nullopt;
}

std::optional<Stop> compile_submission(Database& db, image::Writer& writer,
                                       const ListFault& list_fault) {
  auto [statement, failure] =
      db.prepare(fmt::format("SELECT {} FROM submission ORDER BY sender", kSubmissionColumns));
  if (failure.failed()) return failure;
  while (statement.step()) {
    auto rule = read_submission_rule(statement);
    if (!rule.fault.empty()) {
      list_fault("submission", rule.sender, rule.fault);
      rule.fault = fmt::format("table submission, sender \"{}\": {}",
                               base::printable(rule.sender, 300), rule.fault);
    }
    if (const auto added = writer.add_rule(rule); !added) return Refusal{added.error()};
  }
  if (statement.failure().failed()) return statement.failure();
  return std::nullopt;
}

}  // namespace

model::InboundRule read_inbound_rule(const Statement& statement) {
  Columns columns(statement);
  model::InboundRule rule;
  rule.id = statement.integer(0);
  rule.client = columns.text(1);
  rule.sender = columns.text(2);
  columns.word(3, &model::parse_inbound_require, "none, encrypt, certificate", rule.require);
  rule.min_protocol = columns.version(4);
  rule.min_bits = static_cast<std::uint32_t>(columns.number(5, kMostBits));
  rule.ccert_name = columns.text(6);
  rule.ccert_issuer = columns.text(7);
  rule.ccert_fingerprint = columns.text(8);
  columns.word(9, &model::parse_on_violation, "reject, defer, tag, observe", rule.on_violation);
  rule.learn_count = columns.number(10, kMostLearned);
  rule.text = columns.text(11);
  rule.expires_at = columns.number(12, kLastSecond);
  rule.fault = columns.fault();
  if (rule.fault.empty()) rule.fault = model::find_fault(rule).value_or("");
  return rule;
}

model::SubmissionRule read_submission_rule(const Statement& statement) {
  Columns columns(statement);
  model::SubmissionRule rule;
  rule.sender = columns.text(0);
  columns.word(1, &model::parse_submission_require, "encrypt, verify", rule.require);
  columns.word(2, &model::parse_otherwise, "reject, defer, hold, warn, observe", rule.otherwise);
  rule.min_protocol = columns.version(3);
  rule.text = columns.text(4);
  rule.expires_at = columns.number(5, kLastSecond);
  rule.fault = columns.fault();
  return rule;
}

std::optional<Stop> compile_rules(Database& db, image::Writer& writer,
                                  const ListFault& list_fault) {
  const auto [version, failure] = db.number("PRAGMA user_version");
  if (failure.failed()) return failure;
  if (version < 2) return std::nullopt;
  if (auto stop = compile_inbound(db, writer, list_fault)) return stop;
  return compile_submission(db, writer, list_fault);
}

}  // namespace store
