// From the text of a Postfix policy, as an admin wrote it into a table, to the columns that hold
// it: the way back from policy_text.h. And what makes two of them the same.
#pragma once

#include <string>
#include <string_view>

#include "src/base/result.h"
#include "src/model/postfix_version.h"
#include "src/model/profile.h"

namespace tlsmap {

struct ParsedPolicy {
  // Without a name. Its fallback is what Postfix itself does at the level: `native` at may (it
  // goes on in clear by message age [F 3.2]), else `never`.
  model::Profile profile;
  std::string match;
  // At `none` Postfix warns of attributes and ignores them [F 2.3.4]; they are left out here.
  bool has_ignored_attributes = false;
};

// Reads what the newest Postfix reads. The error says what Postfix, or a column of ours, would
// object to, and what is allowed.
base::Result<ParsedPolicy> parse_policy(std::string_view text);

// The level and attributes of a profile as one text, the same for all ways to write them (a lowest
// protocol, or all lower ones excluded). Fallback, durations and names don't count.
std::string attribute_key(const model::Profile& profile);

// `profile` without the attributes that `version` doesn't know: what an answer to it, or a table
// for it, can say of it.
model::Profile without_unknown_attributes(model::Profile profile,
                                          const model::PostfixVersion& version);

// What a new profile with these attributes may be called: "encrypt-tls1.2", "secure-high". Not
// longer than a profile's name may be; different attributes may have the same name.
std::string telling_name(const model::Profile& profile);

}  // namespace tlsmap
