#include "src/image/profile_codec.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "src/image/format.h"

namespace image {
namespace {

// Stands for an absent value, where the others are enumerators or 0 and 1.
constexpr std::uint8_t kAbsent = 0xFF;

template <class T>
void append_small(std::string& out, const std::optional<T>& value) {
  base::append_number<std::uint8_t>(out, value ? static_cast<std::uint8_t>(*value) : kAbsent);
}

void append_duration(std::string& out, const std::optional<std::int64_t>& value) {
  base::append_number<std::uint8_t>(out, value ? 1 : 0);
  base::append_number<std::int64_t>(out, value.value_or(0));
}

// One of `known`, or a failed reader.
template <class E, std::size_t N>
E read_enum(base::ByteReader& from, const std::array<E, N>& known) {
  const auto number = from.number<std::uint8_t>();
  for (const E each : known) {
    if (static_cast<std::uint8_t>(each) == number) return each;
  }
  from.fail();
  return known.front();
}

template <class E, std::size_t N>
std::optional<E> read_optional(base::ByteReader& from, const std::array<E, N>& known) {
  base::ByteReader ahead = from;
  if (ahead.number<std::uint8_t>() != kAbsent) return read_enum(from, known);
  from = ahead;
  return std::nullopt;
}

std::optional<std::int64_t> read_duration(base::ByteReader& from) {
  const auto is_present = from.number<std::uint8_t>();
  const auto value = from.number<std::int64_t>();
  if (is_present > 1) from.fail();
  return is_present == 1 ? std::optional(value) : std::nullopt;
}

}  // namespace

base::Result<void> append_profile(std::string& out, const model::Profile& profile) {
  const std::array<std::pair<std::string_view, const std::string*>, 7> texts{
      {{"name", &profile.name},
       {"protocols", &profile.protocols},
       {"ciphers", &profile.ciphers},
       {"exclude", &profile.exclude},
       {"tafile", &profile.tafile},
       {"servername", &profile.servername},
       {"reroute_to", &profile.reroute_to}}};
  for (const auto& [column, text] : texts) {
    if (text->size() > kLongestText) {
      return base::Error{fmt::format("profile {}: {} has {} bytes, {} are allowed",
                                     profile.name.substr(0, model::kLongestProfileName), column,
                                     text->size(), kLongestText)};
    }
  }
  append_small(out, std::optional(profile.level));
  append_small(out, std::optional(profile.fallback));
  append_small(out, profile.first_contact);
  append_small(out, profile.min_protocol);
  append_small(out, profile.connection_reuse);
  append_small(out, profile.enable_rpk);
  append_small(out, profile.downgrade_to);
  append_duration(out, profile.attempts);
  append_duration(out, profile.retry_after);
  append_duration(out, profile.failure_memory);
  append_duration(out, profile.downgrade_for);
  append_duration(out, profile.downgrade_max);
  append_duration(out, profile.remember_for);
  for (const auto& [column, text] : texts) base::append_text(out, *text);
  base::append_text(out, std::string_view(profile.comment).substr(0, kLongestText));
  return {};
}

std::optional<model::Profile> read_profile(base::ByteReader& from) {
  constexpr std::array kTruths{false, true};
  model::Profile profile;
  profile.level = read_enum(from, model::kLevels);
  profile.fallback = read_enum(from, model::kFallbacks);
  profile.first_contact = read_optional(from, model::kLevels);
  profile.min_protocol = read_optional(from, model::kTlsVersions);
  profile.connection_reuse = read_optional(from, kTruths);
  profile.enable_rpk = read_optional(from, kTruths);
  profile.downgrade_to = read_optional(from, model::kLevels);
  profile.attempts = read_duration(from);
  profile.retry_after = read_duration(from);
  profile.failure_memory = read_duration(from);
  profile.downgrade_for = read_duration(from);
  profile.downgrade_max = read_duration(from);
  profile.remember_for = read_duration(from);
  profile.name = from.text();
  profile.protocols = from.text();
  profile.ciphers = from.text();
  profile.exclude = from.text();
  profile.tafile = from.text();
  profile.servername = from.text();
  profile.reroute_to = from.text();
  profile.comment = from.text();
  if (!from.ok()) return std::nullopt;
  return profile;
}

}  // namespace image
