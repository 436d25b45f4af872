// Many rows at once: looked through in order, then written, all in one transaction or not at all.
//
// What to write is decided elsewhere; here is the SQL. A row that the database refuses (its CHECKs
// and triggers are the last word) doesn't end the transaction: the caller may ask on for the
// others, and then must not commit.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"
#include "src/model/profile.h"
#include "src/store/policy_db.h"

namespace store {

class RowImport {
 public:
  // Look sees one state of the database and keeps nobody from writing; Write does until it goes.
  enum class Kind : std::uint8_t { Look, Write };

  // `db` outlives the import, and isn't used for anything else meanwhile.
  static base::Result<RowImport> begin(PolicyDb& db, Kind kind);
  RowImport(RowImport&&) noexcept;
  RowImport& operator=(RowImport&&) noexcept;
  // What wasn't committed is undone.
  ~RowImport();

  // Every profile, in order of its name; `readable` is empty where a column holds none of our
  // words.
  struct FoundProfile {
    std::string name;
    std::optional<model::Profile> readable;
  };
  base::Result<std::vector<FoundProfile>> profiles();

  // Every row in order of destination, byte by byte.
  base::Result<void> walk(const std::function<void(OutboundRow&&)>& visit);

  // The error of a refused row is the database's sentence; after any other, is_usable() is false.
  base::Result<void> put(const OutboundRow& row);
  base::Result<void> remove(std::string_view destination);
  base::Result<void> add_profile(std::string_view name,
                                 const std::vector<PolicyDb::Setting>& settings);
  [[nodiscard]] bool is_usable() const;

  base::Result<void> commit();

 private:
  struct State;
  explicit RowImport(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace store
