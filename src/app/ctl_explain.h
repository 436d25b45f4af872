// What `explain` found about one destination, before it becomes text or JSON.
//
// Worked out from policy.db by the engine and the tlsmap session themselves, so that it can't
// differ from what the daemon would say of the same rows.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/app/ctl_context.h"
#include "src/app/ctl_explain_state.h"
#include "src/app/ctl_policy_rows.h"
#include "src/app/ctl_reply.h"
#include "src/engine/judge.h"
#include "src/model/next_hop.h"

namespace app::ctl {

struct Explanation {
  // What a socketmap name would be answered, and which Postfix that is for.
  struct Answer {
    std::string map;
    std::string postfix_version;
    Reply reply;
  };

  std::string asked;
  model::Key key;
  std::vector<Answer> answers;                    // configured version, 3.10, strict
  model::RowMode mode = model::RowMode::Enforce;  // of the daemon now
  model::Verdict verdict;
  std::vector<engine::Considered> considered;  // strongest first
  // The row that decides, or would if the daemon's mode were enforce; null where none does.
  const PolicyDbRows::Loaded* deciding = nullptr;
  std::optional<store::ProfileRow> profile;     // of the deciding row
  std::optional<store::ChangeRow> last_change;  // of the deciding row
  std::vector<std::string> known;               // of the destination, and what changes next
  std::vector<Counted> counted;                 // evidence of the last day
  std::vector<std::string> next_keys;           // what Postfix asks after NOTFOUND
  std::vector<std::string> notes;               // whole sentences
};

// Why the row of `each` isn't the answer, or "" for the winner.
std::string explain_fate(const Explanation& explanation, const engine::Considered& each,
                         base::sys_seconds now);
std::string_view to_word(engine::Considered::Fate fate);
std::string_view to_word(model::Verdict::Kind kind);

void print_as_text(const Explanation& explanation, const Context& context);
Json to_json(const Explanation& explanation, const Context& context);

}  // namespace app::ctl
