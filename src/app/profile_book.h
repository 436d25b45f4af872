// The profiles of a database during an import: which of them rows of a file share, and which are to
// be made for them.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"
#include "src/model/profile.h"
#include "src/store/row_import.h"

namespace app::ctl {

class ProfileBook {
 public:
  explicit ProfileBook(std::vector<store::RowImport::FoundProfile> found);

  // Null where there is none, or none that can be read.
  [[nodiscard]] const model::Profile* find(std::string_view name) const;

  // The name of a profile with the attributes and the fallback of `wanted`: the shipped one, else
  // the first by name, else a new one. Called in the same order, it makes the same names.
  std::string share(const model::Profile& wanted);

  // The profile of this name with these settings, as parse_settings() takes them. Made where there
  // is none; the error says so where there is another, or where it can't be made.
  base::Result<void> demand(std::string_view name, std::string_view settings);

  // To be inserted, in this order.
  [[nodiscard]] const std::vector<model::Profile>& made() const { return made_; }

 private:
  std::string free_name(const std::string& telling) const;
  void make(model::Profile profile);

  std::map<std::string, std::optional<model::Profile>, std::less<>> known_;
  std::map<std::string, std::string> by_attributes_;  // with the fallback, to the name
  std::vector<model::Profile> made_;
};

}  // namespace app::ctl
