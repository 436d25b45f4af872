// Which destinations are sure to be reached by TLS, worked out from policy.db and state.db by the
// engine as the daemon works it out, which may be down.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "src/app/ctl_context.h"
#include "src/app/ctl_explain_state.h"
#include "src/app/ctl_policy_rows.h"
#include "src/app/ctl_verbs.h"
#include "src/engine/assurance.h"

namespace app::ctl {

struct DestinationAssurance {
  std::string destination;  // in normal form, as Postfix would ask for it
  engine::Assurance assurance = engine::Assurance::Unknown;
  std::string why;                    // one clause about the destination
  std::string row;                    // that decides; empty: none
  std::optional<model::Level> level;  // that holds now, where a row decides
};

class Assessor {
 public:
  // The database outlives the assessor.
  Assessor(const Context& context, store::PolicyDb& db);

  // For mail to `domain`, what stands behind the '@'. The error is that of the database.
  base::Result<DestinationAssurance> assess(std::string_view domain);

 private:
  void warn_of_trouble();

  PolicyDbRows rows_;
  KnownStates states_;
  bool has_warned_ = false;
  std::map<std::string, DestinationAssurance, std::less<>> known_;
};

// What --require asks for: encrypt (also where it isn't given) or verify.
base::Result<engine::Assurance> parse_requirement(const std::string& word);

// Whether what is sure is enough; what can't be told never is.
[[nodiscard]] bool is_enough(engine::Assurance assured, engine::Assurance required);

void add_require_option(const Verb& verb, CommandLine& line);

}  // namespace app::ctl
