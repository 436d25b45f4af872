// What every verb works with: the configuration, the moment, and whether JSON was asked for.
#pragma once

#include <cstdint>
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

enum class ConfigNeed : std::uint8_t {
  Sound,     // whoever administers a policy must not guess which one
  Address,   // where the running daemon is to be found: it may well run on an earlier, sound config
  Optional,  // a host without tlspolicyd is fine: the defaults hold where the default file is
             // missing
};

// The configuration, or nothing once every reason has been said. Where the address is all that is
// needed, what is wrong is said as a warning, and the lines that can be read count.
std::optional<Config> load_config(const std::string& file, ConfigNeed need);

// policy_db of the configuration; the error says what to do where it is missing.
base::Result<store::PolicyDb> open_policy_db(const Context& context,
                                             store::PolicyDb::Access access);

// A sentence of the database without the words of the tool that carried it.
std::string plain_sentence(std::string_view error);

}  // namespace app::ctl
