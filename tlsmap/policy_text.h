// From a verdict to the text of a Postfix policy: "encrypt", "secure match=.example.com:..." in the
// form that the asking version of Postfix accepts [F 2.3, 2.4, 10.5].
#pragma once

#include <string>
#include <string_view>

#include "src/base/result.h"
#include "src/model/postfix_version.h"
#include "src/model/verdict.h"

namespace tlsmap {

// Appends the policy of a Verdict::Kind::Policy to `out`. An attribute that `version` doesn't know
// is left out, or said in the older form. The result has passed grammar.h for that version;
// otherwise `out` is as before and the error says why.
base::Result<void> append_policy_text(std::string& out, const model::Verdict& verdict,
                                      const model::PostfixVersion& version);

// model::PolicyCheck for store: would every version from 3.4 to the newest accept this profile and
// match at the profile's level and at encrypt, its strict form?
std::optional<std::string> find_policy_fault(const model::Profile& profile, std::string_view match);

}  // namespace tlsmap
