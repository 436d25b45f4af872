// What the rows of policy.db ask for, counted by profile: enough to say what a host must be able to
// do, without a listing of a million rows. Rows in mode observe and expired ones don't count.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "src/model/profile.h"

namespace store {

// A profile that rows use. The names are in order, at most as many as were asked for.
struct ProfileUse {
  model::Profile profile;
  std::int64_t domains = 0;    // rows of bare domains, of parents (.example) and `*`
  std::int64_t hops = 0;       // bracketed, ported and literal ones, and `[*]`
  std::int64_t unmatched = 0;  // of the domains: without a match of their own
  std::vector<std::string> domain_names;
  std::vector<std::string> hop_names;
  std::vector<std::string> unmatched_names;  // without parents and `*`
};

struct PolicySummary {
  std::vector<ProfileUse> uses;     // in order of the profile's name
  std::vector<std::string> faults;  // what can't be understood or read, one sentence each
};

}  // namespace store
