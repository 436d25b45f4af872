// Rows of policy.db as the engine sees them, read one by one as it asks: the same faults that make
// a row's name TEMP in the daemon are found here.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "src/model/profile.h"
#include "src/model/verdict.h"
#include "src/store/policy_db.h"

namespace app::ctl {

class PolicyDbRows final : public model::PolicyRows {
 public:
  struct Loaded {
    store::OutboundRow row;
    std::optional<model::Profile> profile;
    std::string fault;
    bool is_profile_at_fault = false;  // no new policy is published at all while it stands
  };

  // `db` outlives the rows.
  explicit PolicyDbRows(store::PolicyDb& db) : db_(db) {}

  // What is found stays in memory: the views in it live as long as these rows.
  [[nodiscard]] std::optional<model::PolicyRow> find(std::string_view destination) const override;

  // A row that find() was asked for, or null.
  [[nodiscard]] const Loaded* loaded(std::string_view destination) const;
  // Why the database could not be read, or empty; nothing that was found can be relied on then.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }

 private:
  std::optional<Loaded> load(std::string_view destination) const;

  store::PolicyDb& db_;
  mutable std::map<std::string, std::optional<Loaded>, std::less<>> rows_;
  mutable std::string trouble_;
};

}  // namespace app::ctl
