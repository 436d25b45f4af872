// Where mail for next-hops goes, by the resolver that Postfix asks too: for the verbs that look at
// the world outside.
#pragma once

#include <string>
#include <vector>

#include "src/app/ctl_context.h"
#include "src/base/result.h"
#include "src/model/mail_route.h"

namespace app::ctl {

// One route for each of `destinations`, with or without hosts; all of them are looked up at once
// and take 30 s at most. An error: there is no way to ask anybody.
base::Result<std::vector<model::Route>> find_routes(const Context& context,
                                                    const std::vector<std::string>& destinations);

}  // namespace app::ctl
