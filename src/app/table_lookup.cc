#include "src/app/table_lookup.h"

#include <string_view>
#include <vector>

#include "src/app/doctor_command.h"
#include "src/base/text.h"

namespace app::doctor {
namespace {

base::Result<void> ask(const std::vector<std::string>& postmap, std::string& questions,
                       TableResults& results) {
  if (questions.empty()) return {};
  const auto output = run_program(postmap, questions, /*accepts_one=*/true);
  questions.clear();
  if (!output) return base::Error{output.error()};
  for (const auto line : base::split(*output, "\r\n")) {
    const auto tab = line.find('\t');
    if (tab != std::string_view::npos) results.emplace(line.substr(0, tab), line.substr(tab + 1));
  }
  return {};
}

}  // namespace

base::Result<TableResults> look_up_all(const std::string& directory, const std::string& table,
                                       const std::set<std::string>& keys) {
  const auto postmap = find_program("postmap");
  if (postmap.empty()) return base::Error{"postmap was not found in PATH or /usr/sbin"};
  const std::vector<std::string> argv{postmap, "-c", directory, "-q", "-", table};
  TableResults results;
  std::string questions;
  for (const auto& key : keys) {
    if (key.find_first_of("\r\n\t") != std::string::npos) continue;
    if (questions.size() + key.size() + 1 > kLargestInput) {
      if (auto asked = ask(argv, questions, results); !asked) return base::Error{asked.error()};
    }
    questions += key + "\n";
  }
  if (auto asked = ask(argv, questions, results); !asked) return base::Error{asked.error()};
  return results;
}

}  // namespace app::doctor
