// policy.db as the admin's tools see it: made, upgraded, edited and listed. The daemon never opens
// it this way; it reads through policy_source.h.
//
// Values come in normal form (model::parse_destination); the database's own CHECKs and triggers are
// the last word, and their sentence is the error. Each call is one transaction; a lock held by
// somebody else is waited for five seconds, then named in the error.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"
#include "src/model/inbound_rule.h"
#include "src/model/profile.h"
#include "src/store/policy_summary.h"

namespace store {

struct OutboundRow {
  std::string destination;
  std::string profile;
  std::optional<std::string> match;
  std::string mode = "enforce";
  std::optional<std::string> owner;
  std::optional<std::string> reason;
  std::optional<std::int64_t> expires_at;  // seconds since the epoch
  std::optional<std::string> comment;

  bool operator==(const OutboundRow&) const = default;
};

struct InboundRow {
  model::InboundRule rule;  // its fault, where it has one, is what the daemon would say of it
  std::optional<std::string> owner;
  std::optional<std::string> reason;
  std::optional<std::string> comment;
};

struct SubmissionRow {
  std::string sender;
  std::string require = "encrypt";
  std::string otherwise = "reject";
  std::optional<std::string> min_protocol;
  std::optional<std::string> text;
  std::optional<std::string> owner;
  std::optional<std::string> reason;
  std::optional<std::int64_t> expires_at;  // seconds since the epoch
  std::optional<std::string> comment;

  bool operator==(const SubmissionRow&) const = default;
};

struct ChangeRow {
  std::int64_t seq = 0;
  std::int64_t at = 0;
  std::string table_name;
  std::string key;
  std::string op;                     // insert | update | delete
  std::optional<std::string> before;  // JSON objects of the row
  std::optional<std::string> after;
};

// A profile as stored, for listings: every column as text, absent where NULL, in column order.
struct ProfileColumn {
  std::string name;
  std::optional<std::string> text;
  bool is_number = false;
};
using ProfileRow = std::vector<ProfileColumn>;

class PolicyDb {
 public:
  enum class Access { ReadOnly, ReadWrite };

  // Makes a new file in WAL mode with the newest schema and the shipped profiles; refuses to touch
  // a file that exists.
  static base::Result<void> init(const std::string& path);
  // Brings an older schema to the newest; says which versions it went through. A newer one is
  // refused.
  struct Upgraded {
    int from = 0;
    int to = 0;
  };
  static base::Result<Upgraded> upgrade(const std::string& path);

  static base::Result<PolicyDb> open(const std::string& path, Access access);
  PolicyDb(PolicyDb&&) noexcept;
  PolicyDb& operator=(PolicyDb&&) noexcept;
  ~PolicyDb();

  // Inserts or replaces.
  base::Result<void> set_outbound(const OutboundRow& row);
  // False where there was no such row.
  base::Result<bool> remove_outbound(std::string_view destination);
  base::Result<std::optional<OutboundRow>> find_outbound(std::string_view destination);
  // In order of destination.
  base::Result<std::vector<OutboundRow>> list_outbound();

  // In order of id.
  base::Result<std::vector<InboundRow>> list_inbound();
  // The id is given by the database, whatever stands in the row.
  base::Result<std::int64_t> add_inbound(const InboundRow& row);
  base::Result<bool> remove_inbound(std::int64_t id);

  // Inserts or replaces.
  base::Result<void> set_submission(const SubmissionRow& row);
  // False where there was no such row.
  base::Result<bool> remove_submission(std::string_view sender);
  // In order of sender.
  base::Result<std::vector<SubmissionRow>> list_submission();

  // What the rows that are in force at `now` (seconds since the epoch) ask for; of each kind at
  // most `limit` names.
  base::Result<PolicySummary> summarise(std::int64_t now, std::int64_t limit);

  base::Result<std::vector<ProfileRow>> list_profiles();
  base::Result<std::optional<ProfileRow>> find_profile(std::string_view name);
  // The profile as the engine sees it; the error names the column where a value isn't one of ours.
  base::Result<std::optional<model::Profile>> load_profile(std::string_view name);
  // Inserts, or changes the named columns of an existing profile: column name and new value,
  // nothing for NULL. A new profile needs at least level.
  struct Setting {
    std::string column;
    std::optional<std::string> value;
  };
  base::Result<void> set_profile(std::string_view name, const std::vector<Setting>& settings);
  base::Result<bool> remove_profile(std::string_view name);
  // The columns of `profile` in order, for messages that say what is allowed.
  static const std::vector<std::string>& profile_columns();

  // Newest first, at most `limit`; empty table_name or key = any.
  base::Result<std::vector<ChangeRow>> list_changes(std::string_view table_name,
                                                    std::string_view key, std::int64_t limit);
  // Puts the row of change `seq` back to what it was before. Refuses where the row has changed
  // since, and names the later change. Returns one sentence saying what was done.
  base::Result<std::string> undo(std::int64_t seq);

 private:
  friend class RowImport;
  struct State;
  base::Result<ChangeRow> find_undoable(std::int64_t seq);
  base::Result<std::vector<std::string>> list_names_in_force(std::string_view profile,
                                                             std::string_view which,
                                                             std::int64_t now, std::int64_t limit);
  base::Result<void> name_examples(ProfileUse& use, std::int64_t now, std::int64_t limit);
  explicit PolicyDb(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The version of SQLite that runs, for --version.
const char* library_version();

}  // namespace store
