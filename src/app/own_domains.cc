#include "src/app/own_domains.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "src/base/text.h"
#include "src/model/next_hop.h"

namespace app::doctor {
namespace {

constexpr std::array kParameters{"mydestination", "virtual_mailbox_domains",
                                 "virtual_alias_domains", "relay_domains"};

void add_once(std::vector<std::string>& to, std::string text) {
  if (std::find(to.begin(), to.end(), text) == to.end()) to.push_back(std::move(text));
}

bool is_of_outside(const std::string& name) {
  return name.find('.') != std::string::npos && name != "localhost" &&
         !name.starts_with("localhost.") && model::is_domain(name);
}

// "inline:{ a=b, c=d }" has blanks and commas in it.
bool has_table(std::string_view value) {
  return value.find('{') != std::string_view::npos;
}

}  // namespace

OwnDomains find_own_domains(const PostfixHost& host) {
  OwnDomains found;
  for (const Instance& instance : host.instances) {
    for (const auto* parameter : kParameters) {
      const auto value = instance.value(parameter);
      if (has_table(value)) {
        add_once(found.unread, fmt::format("{}: {}", parameter, value));
        continue;
      }
      for (const auto word : base::split(value, ", \t\r\n")) {
        const bool is_elsewhere =
            word.find(':') != std::string_view::npos || word.find('/') != std::string_view::npos;
        const auto name = base::to_lower(word);
        if (is_elsewhere) {
          add_once(found.unread, fmt::format("{}: {}", parameter, word));
        } else if (is_of_outside(name)) {
          add_once(found.names, name);
        }
      }
    }
  }
  return found;
}

}  // namespace app::doctor
