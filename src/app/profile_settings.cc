#include "src/app/profile_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "src/base/text.h"

namespace app::ctl {
namespace {

using model::Fallback;
using model::Level;
using model::Profile;

struct Shipped {
  std::string_view name;
  Level level;
  Fallback fallback;
};
// DESIGN section 5.
constexpr std::array kShipped{Shipped{"off", Level::None, Fallback::Never},
                              Shipped{"opportunistic", Level::May, Fallback::AfterRetry},
                              Shipped{"preferred", Level::May, Fallback::UnlessOffered},
                              Shipped{"native", Level::May, Fallback::Native},
                              Shipped{"required", Level::Encrypt, Fallback::Never},
                              Shipped{"verified", Level::Verify, Fallback::Never},
                              Shipped{"secure", Level::Secure, Fallback::Never},
                              Shipped{"pinned", Level::Fingerprint, Fallback::Never},
                              Shipped{"dane", Level::Dane, Fallback::Never},
                              Shipped{"dane-only", Level::DaneOnly, Fallback::Never}};

template <class T, class Parse>
bool store_word(T& target, std::string_view value, Parse parse) {
  const auto parsed = parse(value);
  if (parsed) target = *parsed;
  return parsed.has_value();
}

bool store_number(std::optional<std::int64_t>& target, std::string_view value) {
  return store_word(target, value, base::parse_number<std::int64_t>);
}

std::optional<bool> parse_switch(std::string_view value) {
  if (value == "yes") return true;
  if (value == "no") return false;
  return std::nullopt;
}

// A column that a profile may set: how it is read, and what it is as text where it is set.
struct Column {
  std::string_view name;
  bool (*set)(Profile& profile, std::string_view value);
  std::string (*get)(const Profile& profile);
};

template <auto Member>
constexpr Column text_column(std::string_view name) {
  return {name,
          [](Profile& p, std::string_view value) {
            p.*Member = value;
            return !value.empty();
          },
          [](const Profile& p) { return p.*Member; }};
}

template <auto Member>
constexpr Column number_column(std::string_view name) {
  return {name, [](Profile& p, std::string_view value) { return store_number(p.*Member, value); },
          [](const Profile& p) { return p.*Member ? std::to_string(*(p.*Member)) : ""; }};
}

template <auto Member>
constexpr Column switch_column(std::string_view name) {
  return {
      name,
      [](Profile& p, std::string_view value) { return store_word(p.*Member, value, parse_switch); },
      [](const Profile& p) -> std::string { return p.*Member ? *(p.*Member) ? "yes" : "no" : ""; }};
}

template <auto Member>
constexpr Column level_column(std::string_view name) {
  return {
      name,
      [](Profile& p, std::string_view value) {
        return store_word(p.*Member, value, model::parse_level);
      },
      [](const Profile& p) { return p.*Member ? std::string(model::to_word(*(p.*Member))) : ""; }};
}

constexpr std::array kColumns{
    Column{"level",
           [](Profile& p, std::string_view value) {
             return store_word(p.level, value, model::parse_level);
           },
           [](const Profile& p) { return std::string(model::to_word(p.level)); }},
    Column{"fallback",
           [](Profile& p, std::string_view value) {
             return store_word(p.fallback, value, model::parse_fallback);
           },
           [](const Profile& p) { return std::string(model::to_word(p.fallback)); }},
    level_column<&Profile::first_contact>("first_contact"),
    text_column<&Profile::protocols>("protocols"),
    Column{"min_protocol",
           [](Profile& p, std::string_view value) {
             return store_word(p.min_protocol, value, model::parse_tls_version);
           },
           [](const Profile& p) {
             return p.min_protocol ? std::string(model::to_word(*p.min_protocol)) : "";
           }},
    text_column<&Profile::ciphers>("ciphers"),
    text_column<&Profile::exclude>("exclude"),
    text_column<&Profile::tafile>("tafile"),
    text_column<&Profile::servername>("servername"),
    switch_column<&Profile::connection_reuse>("connection_reuse"),
    switch_column<&Profile::enable_rpk>("enable_rpk"),
    number_column<&Profile::attempts>("attempts"),
    number_column<&Profile::retry_after>("retry_after"),
    number_column<&Profile::failure_memory>("failure_memory"),
    level_column<&Profile::downgrade_to>("downgrade_to"),
    number_column<&Profile::downgrade_for>("downgrade_for"),
    number_column<&Profile::downgrade_max>("downgrade_max"),
    number_column<&Profile::remember_for>("remember_for"),
    text_column<&Profile::reroute_to>("reroute_to")};

}  // namespace

std::vector<store::PolicyDb::Setting> settings_of(const Profile& profile) {
  std::vector<store::PolicyDb::Setting> settings;
  for (const auto& column : kColumns) {
    auto value = column.get(profile);
    if (!value.empty()) settings.push_back({std::string(column.name), std::move(value)});
  }
  return settings;
}

std::string settings_text(const Profile& profile) {
  std::vector<std::string> parts;
  for (const auto& setting : settings_of(profile)) {
    parts.push_back(fmt::format("{}={}", setting.column, setting.value.value_or("")));
  }
  return base::join(parts, " ");
}

base::Result<Profile> parse_settings(std::string_view name, std::string_view text) {
  Profile profile;
  profile.name = name;
  bool has_level = false;
  for (const auto word : base::split(text, " ")) {
    const auto equals = word.find('=');
    const auto column = std::find_if(kColumns.begin(), kColumns.end(), [&](const Column& each) {
      return equals != word.npos && each.name == word.substr(0, equals);
    });
    if (column == kColumns.end() || !column->set(profile, word.substr(equals + 1))) {
      return base::Error{fmt::format(
          "profile {} can't be made with \"{}\"; allowed is column=value as profile set takes it",
          name, base::printable(word, 60))};
    }
    has_level = has_level || column->name == "level";
  }
  if (!has_level) return base::Error{fmt::format("profile {} can't be made without level=", name)};
  return profile;
}

std::string_view shipped_profile(Level level) {
  const auto fallback = level == Level::May ? Fallback::Native : Fallback::Never;
  for (const auto& each : kShipped) {
    if (each.level == level && each.fallback == fallback) return each.name;
  }
  return {};
}

bool is_as_shipped(const Profile& profile) {
  return std::any_of(kShipped.begin(), kShipped.end(), [&](const Shipped& each) {
    Profile shipped;
    shipped.name = each.name;
    shipped.level = each.level;
    shipped.fallback = each.fallback;
    shipped.comment = profile.comment;
    return profile == shipped;
  });
}

}  // namespace app::ctl
