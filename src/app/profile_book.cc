#include "src/app/profile_book.h"

#include <fmt/format.h>

#include "src/app/ctl_profile_fault.h"
#include "src/app/profile_settings.h"
#include "tlsmap/policy_parse.h"

namespace app::ctl {
namespace {

std::string sharing_key(const model::Profile& profile) {
  return fmt::format("{} {}", model::to_word(profile.fallback), tlsmap::attribute_key(profile));
}

}  // namespace

ProfileBook::ProfileBook(std::vector<store::RowImport::FoundProfile> found) {
  for (auto& each : found) {
    if (each.readable && !find_profile_fault(*each.readable)) {
      const auto [shared, is_first] =
          by_attributes_.emplace(sharing_key(*each.readable), each.name);
      if (!is_first && each.name == shipped_profile(each.readable->level)) {
        shared->second = each.name;
      }
    }
    known_.emplace(std::move(each.name), std::move(each.readable));
  }
}

const model::Profile* ProfileBook::find(std::string_view name) const {
  const auto found = known_.find(name);
  return found == known_.end() || !found->second ? nullptr : &*found->second;
}

std::string ProfileBook::free_name(const std::string& telling) const {
  std::string name = telling;
  for (int number = 2; known_.contains(name); ++number) {
    name = fmt::format("{}-{}", telling, number);
  }
  return name;
}

void ProfileBook::make(model::Profile profile) {
  by_attributes_.emplace(sharing_key(profile), profile.name);
  known_.emplace(profile.name, profile);
  made_.push_back(std::move(profile));
}

std::string ProfileBook::share(const model::Profile& wanted) {
  const auto shared = by_attributes_.find(sharing_key(wanted));
  if (shared != by_attributes_.end()) return shared->second;
  model::Profile profile = wanted;
  profile.name = free_name(tlsmap::telling_name(wanted));
  make(profile);
  return profile.name;
}

base::Result<void> ProfileBook::demand(std::string_view name, std::string_view settings) {
  auto wanted = parse_settings(name, settings);
  if (!wanted) return base::Error{wanted.error()};
  if (const auto* present = find(name)) {
    wanted->comment = present->comment;
    if (*wanted == *present) return {};
    return base::Error{fmt::format("profile {} is another one here: {}; in the file it is {}", name,
                                   settings_text(*present), settings_text(*wanted))};
  }
  if (known_.contains(name)) {
    return base::Error{
        fmt::format("profile {} can't be read; tlspolicyctl profile show {}", name, name)};
  }
  if (auto fault = find_profile_fault(*wanted)) {
    return base::Error{fmt::format("profile {} can't be made: {}", name, *fault)};
  }
  make(std::move(*wanted));
  return {};
}

}  // namespace app::ctl
