// watch --now: has the running daemon check destinations before their turn.
#include <fmt/format.h>

#include "src/app/ctl_control.h"
#include "src/app/ctl_watch.h"
#include "src/base/text.h"

namespace app::ctl {
namespace {

constexpr std::chrono::milliseconds kPatience{2000};

}  // namespace

Exit check_now(const Context& context, const Arguments& arguments) {
  if (arguments.destinations.empty()) {
    return refuse_usage("--now needs destinations: tlspolicyctl watch --now example.com");
  }
  const auto answer = ask_control_for(
      context.config.control_socket,
      Json{{"verb", "watch-now"}, {"destinations", arguments.destinations}}, kPatience);
  if (!answer) return fail(answer.error());
  if (const auto why = refusal_in(*answer)) return fail(*why);
  if (context.is_json) {
    print_json(*answer);
    return Exit::Done;
  }
  std::vector<std::string> names;
  for (const auto& each : array_in(*answer, "destinations")) {
    if (each.is_string()) names.push_back(each.get<std::string>());
  }
  const auto list = base::join(names, " ");
  say(
      terminal_text(fmt::format("asked for: {}. One that was checked in the last ten minutes, or "
                                "that put us off, waits. What comes of it shows: tlspolicyctl "
                                "watch {}",
                                list, list)));
  return Exit::Done;
}

}  // namespace app::ctl
