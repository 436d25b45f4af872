#include "src/app/sample_config.h"

#include <fmt/format.h>

#include <string_view>

#include "src/app/config.h"
#include "src/base/text.h"

namespace app {
namespace {

constexpr std::size_t kColumns = 96;

constexpr std::string_view kHead =
    R"(# tlspolicyd.conf: see tlspolicyd.conf(5).
#
# Each line is `key = value`; a line that begins with a blank goes on with the one before. A key
# that is commented out has the value that is shown. `tlspolicyd --check-config` reads this file
# and says what is wrong; `systemctl reload tlspolicyd` puts it in force, but for the keys that
# say "needs a restart".
)";

// Words, as many in a line as fit, each line a comment.
void append_comment(std::string& out, std::string_view text) {
  std::string line = "#";
  for (const auto word : base::split(text, " ")) {
    if (line.size() + 1 + word.size() > kColumns) {
      out += line + '\n';
      line = "#";
    }
    line += ' ';
    line += word;
  }
  out += line + '\n';
}

void append_option(std::string& out, const Option& option) {
  out += '\n';
  append_comment(out, option.meaning);
  append_comment(out, fmt::format("Allowed: {}.{}", option.allowed,
                                  option.reloads ? "" : " A change needs a restart."));
  out +=
      fmt::format("#{} ={}{}\n", option.name, option.fallback.empty() ? "" : " ", option.fallback);
}

}  // namespace

std::string sample_config() {
  std::string out(kHead);
  for (const Option& option : options()) append_option(out, option);
  return out;
}

}  // namespace app
