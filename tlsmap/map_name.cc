#include "tlsmap/map_name.h"

#include <algorithm>
#include <array>

#include "src/base/text.h"

namespace tlsmap {
namespace {

struct Known {
  std::string_view word;
  Table table;
  bool takes_version;                            // "policy-3.10"
  std::optional<model::PostfixVersion> version;  // what the word itself says
};

// The last three are the names that postfix-tlspol and postfix-mta-sts-resolver serve; the TLSRPT
// attributes that the second one promises begin with Postfix 3.10.
constexpr std::array kKnown{
    Known{"policy", Table::Policy, true, std::nullopt},
    Known{"outcome", Table::Outcome, false, std::nullopt},
    Known{"strict", Table::Strict, true, std::nullopt},
    Known{"transport", Table::Transport, false, std::nullopt},
    Known{"sender-transport", Table::SenderTransport, false, std::nullopt},
    Known{"QUERY", Table::Policy, false, std::nullopt},
    Known{"QUERYwithTLSRPT", Table::Policy, false, model::PostfixVersion{3, 10, 0}},
    Known{"postfix", Table::Policy, false, std::nullopt}};

bool is_view(std::string_view view) {
  return !view.empty() && view.size() <= kLongestView &&
         std::all_of(view.begin(), view.end(),
                     [](char c) { return base::is_alnum(c) || c == '.' || c == '_' || c == '-'; });
}

std::optional<MapName> parse_table(std::string_view word) {
  for (const auto& known : kKnown) {
    if (!word.starts_with(known.word)) continue;
    const auto rest = word.substr(known.word.size());
    if (rest.empty()) return MapName{known.table, known.version, {}};
    if (!known.takes_version || rest.front() != '-') continue;
    if (auto version = model::parse_postfix_version(rest.substr(1))) {
      return MapName{known.table, version, {}};
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<MapName> parse_map_name(std::string_view name) {
  const auto at = name.find('@');
  if (at == std::string_view::npos) return parse_table(name);
  const auto view = name.substr(at + 1);
  if (!is_view(view)) return std::nullopt;
  auto parsed = parse_table(name.substr(0, at));
  if (parsed) parsed->view = view;
  return parsed;
}

}  // namespace tlsmap
