// Asks one of Postfix's tables for many keys with postmap(1).
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "src/base/result.h"

namespace app::doctor {

using TableResults = std::map<std::string, std::string, std::less<>>;

// What `table` (type:name) of the instance in `directory` has for each of the keys; those that it
// has nothing for are left out. In portions of as many keys as postmap(1) takes without a reader
// that keeps up. What holds a line end or a tab can't be asked for and is left out too.
base::Result<TableResults> look_up_all(const std::string& directory, const std::string& table,
                                       const std::set<std::string>& keys);

}  // namespace app::doctor
