#include "src/store/row_check.h"

#include <fmt/format.h>

#include "src/base/text.h"
#include "src/base/time_text.h"
#include "src/model/next_hop.h"

namespace store {
namespace {

constexpr std::size_t kLongestMatch = 4096;
// Enough for any policy where rows share matches; where none do, remembering them saves nothing.
constexpr std::size_t kMostMatchesRemembered = 10'000;

std::string quoted(std::string_view text) {
  return fmt::format("\"{}\"", base::printable(text, 100));
}

std::optional<std::string> read_mode(const Statement& statement, image::Writer::Row& row) {
  const auto mode = model::parse_row_mode(statement.text(3));
  row.mode = mode.value_or(model::RowMode::Enforce);
  if (mode) return std::nullopt;
  return fmt::format("mode is {}; allowed are enforce, observe", quoted(statement.text(3)));
}

std::optional<std::string> read_end(const Statement& statement, image::Writer::Row& row) {
  row.expires_at = 0;
  const auto type = statement.type(4);
  if (type == ColumnType::Null) return std::nullopt;
  const auto end = statement.integer(4);
  if (type == ColumnType::Integer && end >= 1 && end <= base::kLastTime) {
    row.expires_at = end;
    return std::nullopt;
  }
  return fmt::format(
      "expires_at is {}; allowed are whole seconds since 1970-01-01 00:00 UTC, up to the year 9999",
      quoted(statement.text(4)));
}

}  // namespace

RowCheck::RowCheck(const std::vector<model::Profile>& profiles, const model::PolicyCheck& check)
    : profiles_(profiles), check_(check), matches_(profiles.size()) {
  for (std::uint32_t i = 0; i < profiles.size(); ++i) by_name_.emplace(profiles[i].name, i);
}

std::optional<std::string> RowCheck::read_profile_name(const Statement& statement,
                                                       std::uint32_t& profile) {
  const auto name = statement.text(1);
  if (name != last_name_ || last_name_.empty()) {
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) {
      return fmt::format("profile {} does not exist; allowed are the names in table profile",
                         quoted(name));
    }
    last_name_ = found->first;
    last_profile_ = found->second;
  }
  profile = last_profile_;
  return std::nullopt;
}

std::optional<std::string> RowCheck::read_match(const Statement& statement,
                                                image::Writer::Row& row) {
  const auto& profile = profiles_[row.profile];
  const auto type = statement.type(2);
  row.match = type == ColumnType::Null ? std::string_view{} : statement.text(2);
  if (row.match.empty()) {
    // What Postfix says to the profile alone was asked when it was read.
    return profile.level == model::Level::Fingerprint ? model::find_match_fault(profile, row.match)
                                                      : std::nullopt;
  }
  if (type != ColumnType::Text) return "match is no text";
  if (row.match.size() > kLongestMatch) {
    return fmt::format("match has {} bytes; at most {} are allowed", row.match.size(),
                       kLongestMatch);
  }
  if (auto fault = model::find_match_fault(profile, row.match)) return fault;
  auto& known = matches_[row.profile];
  const auto asked = known.find(std::string(row.match));
  if (asked != known.end()) return asked->second;
  auto fault = check_(profile, row.match);
  if (fault) fault = fmt::format("match {}: {}", quoted(row.match), *fault);
  if (known.size() < kMostMatchesRemembered) known.emplace(row.match, fault);
  return fault;
}

std::optional<std::string> RowCheck::read(const Statement& statement, image::Writer::Row& row) {
  // Whether it holds comes first, and comes out whatever else is wrong: a row that only observes,
  // or is over, is at fault for nobody.
  auto mode_fault = read_mode(statement, row);
  auto end_fault = read_end(statement, row);
  if (auto fault = read_profile_name(statement, row.profile)) return fault;
  if (auto fault = read_match(statement, row)) return fault;
  return mode_fault ? mode_fault : end_fault;
}

bool is_normal_form(std::string_view destination) {
  const bool is_parent = destination.starts_with('.');
  if (model::is_domain(destination.substr(is_parent ? 1 : 0))) return true;
  const auto key = model::parse_destination(destination);
  return key && key->text == destination;
}

}  // namespace store
