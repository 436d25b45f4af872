// What one row of outbound says, and what is wrong with it: a policy is compiled row by row, a
// million at a time, so the usual row is looked at without an allocation.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "src/image/writer.h"
#include "src/model/profile.h"
#include "src/model/verdict.h"
#include "src/store/sqlite.h"

namespace store {

class RowCheck {
 public:
  // The columns that read() expects, in order.
  static constexpr std::string_view kColumns = "destination, profile, match, mode, expires_at";

  // Both must outlive the object; the index of a profile is its place in the vector.
  RowCheck(const std::vector<model::Profile>& profiles, const model::PolicyCheck& check);

  // Fills everything but the destination from the row `statement` stands on; views live until its
  // next step. Where something is wrong, says what; of `row` only its mode and its end are of use
  // then, as far as they can be read: what can't be holds, and for ever.
  std::optional<std::string> read(const Statement& statement, image::Writer::Row& row);

 private:
  std::optional<std::string> read_profile_name(const Statement& statement, std::uint32_t& profile);
  std::optional<std::string> read_match(const Statement& statement, image::Writer::Row& row);

  const std::vector<model::Profile>& profiles_;
  const model::PolicyCheck& check_;
  std::unordered_map<std::string_view, std::uint32_t> by_name_;
  std::string_view last_name_;  // neighbours often share a profile
  std::uint32_t last_profile_ = 0;
  // What the check said of a match, by profile; rows of one organisation often share it.
  std::vector<std::unordered_map<std::string, std::optional<std::string>>> matches_;
};

// Whether a destination as written is its own normal form.
bool is_normal_form(std::string_view destination);

}  // namespace store
