// The rows that hold already, beside what a command is about to propose: nobody is shown a line
// that would ask less of a destination than its admin has written. Reads policy.db, changes
// nothing.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/app/ctl_context.h"
#include "src/app/ctl_policy_rows.h"
#include "src/engine/judge.h"

namespace app::ctl {

class StandingRows {
 public:
  // Without a database there are none. The context outlives the rows.
  static base::Result<StandingRows> open(const Context& context);
  [[nodiscard]] bool has_database() const { return db_ != nullptr; }
  // Why the database could not be read, or empty.
  [[nodiscard]] std::string trouble() const { return rows_ ? rows_->trouble() : std::string(); }

  // Its views live as long as these rows.
  struct Beside {
    model::PolicyRow proposed;             // its profile alone
    std::optional<model::PolicyRow> held;  // the row that holds now, as if the daemon enforced
    std::vector<engine::Considered> considered;
  };
  // A profile that is proposed for a destination, beside the rows that apply to it. The error says
  // why the two can't be compared, and so nothing is to be proposed. Only with a database.
  base::Result<Beside> compare(const std::string& destination, std::string_view profile);

 private:
  explicit StandingRows(const Context& context) : context_(&context) {}

  using Loaded = base::Result<std::optional<model::Profile>>;
  const Loaded& load(std::string_view profile);

  const Context* context_;
  std::unique_ptr<store::PolicyDb> db_;
  std::unique_ptr<PolicyDbRows> rows_;
  std::map<std::string, Loaded, std::less<>> profiles_;
};

}  // namespace app::ctl
