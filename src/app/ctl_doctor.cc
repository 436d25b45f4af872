// doctor: looks at the host from Postfix's side and says what is wrong and which line mends it.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "src/app/ctl_table.h"
#include "src/app/ctl_verbs.h"
#include "src/app/doctor_checks.h"
#include "src/app/doctor_gather.h"
#include "src/base/counted.h"
#include "src/base/text.h"

namespace app::ctl {
namespace {

using doctor::Finding;
using doctor::Findings;

constexpr std::size_t kTextWidth = 100;
constexpr std::size_t kIndent = 9;

Json to_json(const Finding& finding) {
  const auto or_null = [](const std::string& text) {
    return text.empty() ? Json(nullptr) : Json(text);
  };
  return Json{{"check", finding.check},
              {"instance", or_null(finding.instance)},
              {"service", or_null(finding.service)},
              {"looked_at", finding.looked_at},
              {"state", to_word(finding.state)},
              {"text", finding.text},
              {"fix", or_null(base::join(finding.fixes, "\n"))}};
}

bool says_the_same(const Finding& a, const Finding& b) {
  return a.check == b.check && a.instance == b.instance && a.looked_at == b.looked_at &&
         a.state == b.state && a.text == b.text && a.fixes == b.fixes;
}

// Services of which the same is said share an entry.
Findings merge_services(const Findings& findings) {
  Findings merged;
  for (const Finding& finding : findings) {
    const auto at = std::find_if(merged.begin(), merged.end(),
                                 [&](const Finding& each) { return says_the_same(each, finding); });
    if (at == merged.end()) {
      merged.push_back(finding);
    } else if (at->service != finding.service) {
      at->service += (at->service.empty() ? "" : ", ") + finding.service;
    }
  }
  return merged;
}

void say_wrapped(std::string_view text) {
  std::string line;
  for (const auto word : base::split(text, " ")) {
    if (!line.empty() &&
        kIndent + count_characters(line) + 1 + count_characters(word) > kTextWidth) {
      say(std::string(kIndent, ' ') + line);
      line.clear();
    }
    line += line.empty() ? "" : " ";
    line += word;
  }
  if (!line.empty()) say(std::string(kIndent, ' ') + line);
}

std::string place_of(const Finding& finding, bool has_many) {
  std::vector<std::string> parts;
  if (has_many && !finding.instance.empty()) parts.push_back(finding.instance);
  if (!finding.service.empty()) parts.push_back(finding.service);
  return parts.empty() ? "-" : base::join(parts, ": ");
}

struct Count {
  std::size_t errors = 0;
  std::size_t warnings = 0;
  std::size_t skipped = 0;
};
Count count(const Findings& findings) {
  Count counted;
  for (const Finding& finding : findings) {
    if (finding.state == Finding::State::Error) ++counted.errors;
    if (finding.state == Finding::State::Warning) ++counted.warnings;
    if (finding.state == Finding::State::Skipped) ++counted.skipped;
  }
  return counted;
}

std::string summary_of(const Findings& findings) {
  const Count counted = count(findings);
  const auto looked_at = fmt::format("{} looked at", base::counted(findings.size(), "thing"));
  if (counted.errors + counted.warnings + counted.skipped == 0) {
    return looked_at + ": all is well.";
  }
  auto line = fmt::format("{}: {}, {}", looked_at, base::counted(counted.errors, "error"),
                          base::counted(counted.warnings, "warning"));
  if (counted.skipped > 0) line += fmt::format(", {} skipped", counted.skipped);
  const bool has_fixes = std::any_of(findings.begin(), findings.end(),
                                     [](const Finding& each) { return !each.fixes.empty(); });
  line += has_fixes ? ". After a change of main.cf or master.cf: postfix reload" : ".";
  return line;
}

void print_as_text(const Findings& findings, bool has_many) {
  Table table;
  for (const Finding& finding : findings) {
    table.add({std::string(to_word(finding.state)), finding.check, place_of(finding, has_many),
               finding.looked_at});
  }
  const auto rendered = table.render();
  const auto lines = base::split(rendered, "\n");
  for (std::size_t i = 0; i < findings.size() && i < lines.size(); ++i) {
    say(lines[i]);
    if (findings[i].state == Finding::State::Ok) continue;
    say_wrapped(terminal_text(doctor::end_sentence(findings[i].text)));
    for (const auto& fix : findings[i].fixes) {
      say(std::string(kIndent, ' ') + "fix: " + terminal_text(fix));
    }
  }
  say("");
  say(summary_of(findings));
}

Exit run_doctor(const Context& context, const Arguments& arguments) {
  auto host = doctor::read_instances(arguments.postfix_configs);
  if (!host) return fail(host.error());
  auto ours = doctor::read_our_side(context);
  doctor::gather_facts(context, *host, ours);
  const auto findings = doctor::examine(*host, ours);
  if (context.is_json) {
    JsonArray array;
    for (const Finding& finding : findings) array.add(to_json(finding));
    array.finish();
  } else {
    print_as_text(merge_services(findings), host->instances.size() > 1);
  }
  return count(findings).errors > 0 ? Exit::NotWell : Exit::Done;
}

}  // namespace

void add_doctor_verb(const Verb& root, CommandLine& line) {
  const Verb verb =
      add_verb(root, line, "doctor",
               "Look at this host from Postfix's side: what is wrong, and the line that mends it",
               run_doctor, ConfigNeed::Address)
          .group(kAskingGroup);
  add_postfix_option(verb, line);
}

}  // namespace app::ctl
