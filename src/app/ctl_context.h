// What every verb works with: the configuration, the moment, and whether JSON was asked for.
#pragma once

#include <optional>
#include <string>

#include "src/app/config.h"
#include "src/app/ctl_output.h"
#include "src/base/clock.h"
#include "src/base/result.h"
#include "src/store/policy_db.h"

namespace app::ctl {

struct Context {
  Config config;
  std::string config_file;
  bool is_json = false;
  base::sys_seconds now;
};

// The configuration, or nothing once every reason has been said: whoever administers a policy must
// not guess which one.
std::optional<Config> load_config(const std::string& file);

// policy_db of the configuration; the error says what to do where it is missing.
base::Result<store::PolicyDb> open_policy_db(const Context& context,
                                             store::PolicyDb::Access access);

// A sentence of the database without the words of the tool that carried it.
std::string plain_sentence(std::string_view error);

}  // namespace app::ctl
