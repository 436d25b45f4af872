// Prints what src/show makes of a sample: show_sample page|still|metrics|policy NAME [SECONDS], so
// many seconds after the sample was gathered.
#include <fmt/format.h>

#include <cstdio>
#include <functional>
#include <map>
#include <string>

#include "src/base/text.h"
#include "src/show/page.h"
#include "src/show/prometheus.h"
#include "tests/unit/overview_samples.h"

namespace {

std::string render(const std::string& what, const model::Overview& overview, std::int64_t now) {
  if (what == "page") return show::render_page(overview, now);
  if (what == "still") return show::render_page(overview, now, show::Reload::Never);
  if (what == "metrics") return show::render_metrics(overview, now);
  if (what == "policy") return show::page_security_policy();
  return {};
}

}  // namespace

int main(int count, char** words) {
  const std::map<std::string, std::function<model::Overview()>> makers{
      {"empty", [] { return model::Overview{}; }},
      {"well", samples::well},
      {"exceptions", samples::exceptions},
      {"trouble", samples::trouble},
      {"full", samples::full},
      {"hostile", samples::hostile}};
  const auto maker = makers.find(count > 2 ? words[2] : "");
  if (maker == makers.end()) return 2;
  const auto later = base::parse_number<std::int64_t>(count > 3 ? words[3] : "0").value_or(0);
  const auto text = render(words[1], maker->second(), samples::kNow + later);
  fmt::print(stdout, "{}", text);
  return text.empty() ? 2 : 0;
}
