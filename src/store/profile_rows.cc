#include "src/store/profile_rows.h"

#include <fmt/format.h>

#include <optional>

#include "src/base/text.h"

namespace store {
namespace {

// Takes the columns of one row in order; what a column holds wrongly is kept as one sentence.
class RowReader {
 public:
  explicit RowReader(const Statement& statement) : statement_(statement) {}

  void read(std::string& target) {
    if (const auto value = next_text()) target = *value;
  }
  template <class T, class Parse>
  void read_word(T& target, Parse parse, std::string_view allowed) {
    const auto value = next_text();
    if (!value && !fault_) return refuse("is NULL", allowed);
    store_word(target, value, parse, allowed);
  }
  template <class T, class Parse>
  void read_word(std::optional<T>& target, Parse parse, std::string_view allowed) {
    const auto value = next_text();
    if (value) store_word(target, value, parse, allowed);
  }
  void read(std::optional<bool>& target) {
    const auto parse = [](std::string_view word) -> std::optional<bool> {
      if (word == "yes" || word == "1") return true;
      if (word == "no" || word == "0") return false;
      return std::nullopt;
    };
    read_word(target, parse, "yes, no (or 1, 0)");
  }
  void read(std::optional<std::int64_t>& target) {
    const int column = column_++;
    const auto type = statement_.type(column);
    if (type == ColumnType::Null) return;
    if (type != ColumnType::Integer) return refuse("is no number", "whole numbers");
    target = statement_.integer(column);
  }

  [[nodiscard]] const std::optional<std::string>& fault() const { return fault_; }

 private:
  std::optional<std::string_view> next_text() {
    const int column = column_++;
    const auto type = statement_.type(column);
    if (type == ColumnType::Null) return std::nullopt;
    if (type != ColumnType::Text) {
      refuse("is no text", "text");
      return std::nullopt;
    }
    return statement_.text(column);
  }
  template <class Target, class Parse>
  void store_word(Target& target, std::optional<std::string_view> value, Parse parse,
                  std::string_view allowed) {
    if (!value) return;
    if (const auto parsed = parse(*value)) {
      target = *parsed;
    } else {
      refuse(fmt::format("is \"{}\"", base::printable(*value, 60)), allowed);
    }
  }
  void refuse(std::string_view what, std::string_view allowed) {
    if (fault_) return;
    const auto& name = PolicyDb::profile_columns().at(static_cast<std::size_t>(column_ - 1));
    fault_ = fmt::format("{} {}; allowed are {}", name, what, allowed);
  }

  const Statement& statement_;
  int column_ = 0;
  std::optional<std::string> fault_;
};

}  // namespace

const std::vector<std::string>& PolicyDb::profile_columns() {
  static const std::vector<std::string> kColumns{
      "name",          "level",         "fallback",         "first_contact",
      "protocols",     "min_protocol",  "ciphers",          "exclude",
      "tafile",        "servername",    "connection_reuse", "enable_rpk",
      "attempts",      "retry_after",   "failure_memory",   "downgrade_to",
      "downgrade_for", "downgrade_max", "remember_for",     "reroute_to",
      "comment"};
  return kColumns;
}

std::string profile_column_list() {
  return base::join(PolicyDb::profile_columns(), ", ");
}

base::Result<model::Profile> read_profile(const Statement& statement) {
  model::Profile profile;
  RowReader row(statement);
  row.read(profile.name);
  row.read_word(profile.level, model::parse_level, model::allowed_levels());
  row.read_word(profile.fallback, model::parse_fallback, model::allowed_fallbacks());
  row.read_word(profile.first_contact, model::parse_level, model::allowed_levels());
  row.read(profile.protocols);
  row.read_word(profile.min_protocol, model::parse_tls_version, "TLSv1, TLSv1.1, TLSv1.2, TLSv1.3");
  row.read(profile.ciphers);
  row.read(profile.exclude);
  row.read(profile.tafile);
  row.read(profile.servername);
  row.read(profile.connection_reuse);
  row.read(profile.enable_rpk);
  row.read(profile.attempts);
  row.read(profile.retry_after);
  row.read(profile.failure_memory);
  row.read_word(profile.downgrade_to, model::parse_level, model::allowed_levels());
  row.read(profile.downgrade_for);
  row.read(profile.downgrade_max);
  row.read(profile.remember_for);
  row.read(profile.reroute_to);
  row.read(profile.comment);
  if (row.fault()) return base::Error{*row.fault()};
  return profile;
}

ProfileRow read_profile_columns(const Statement& statement) {
  ProfileRow row;
  for (int column = 0; column < statement.columns(); ++column) {
    row.push_back({std::string(statement.column_name(column)), statement.optional_text(column),
                   statement.type(column) == ColumnType::Integer});
  }
  return row;
}

}  // namespace store
