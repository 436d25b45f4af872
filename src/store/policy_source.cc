#include "src/store/policy_source.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <future>
#include <optional>
#include <utility>

#include "src/image/reader.h"
#include "src/store/compile_policy.h"
#include "src/store/policy_file.h"
#include "src/store/schema.h"

namespace store {
namespace {

using Seconds = std::chrono::seconds;
// What damage is looked at again after: it mends itself seldom, and looking reads the whole file.
constexpr Seconds kLongestWait{60};
// How often a reading is begun anew, when the file was written to while it was read.
constexpr int kAttempts = 3;

using Reading = std::variant<Compiled, Trouble>;

std::optional<std::uint64_t> digest_of(const base::UniqueFd& fd) {
  const auto image = image::Image::map(fd.get(), image::Image::Checksum::Later);
  if (!image) return std::nullopt;
  return (*image)->stamp().digest;
}

// The first finding of quick_check, which names the page; empty where there is none. What
// integrity_check would add (rows out of order, an index that lacks some) the compiler sees on its
// way through the table, and it takes half as long again: 0.28 s for a million rows. Table by
// table, because of the admin's own tables we neither need the pages nor trust the expressions.
std::pair<std::string, Failure> find_damage(Database& db) {
  const auto [version, version_failure] = db.number("PRAGMA user_version");
  if (version_failure.failed()) return {{}, version_failure};
  for (const char* table :
       {"profile", "outbound", "destination_rule", "replaced_row", "inbound", "submission"}) {
    const bool is_of_step_2 =
        std::string_view(table) == "inbound" || std::string_view(table) == "submission";
    if (is_of_step_2 && version < 2) continue;
    auto [finding, failure] = db.text(fmt::format("PRAGMA quick_check({})", table));
    if (failure.failed() || finding != "ok") return {std::move(finding), std::move(failure)};
  }
  return {};
}

}  // namespace

struct PolicySource::State {
  State(PolicyFile policy_file, model::PolicyCheck policy_check)
      : file(std::move(policy_file)), check(std::move(policy_check)) {}

  std::variant<Unchanged, Compiled, Trouble> poll(base::sys_seconds now);
  std::variant<Unchanged, Compiled, Trouble> report(Reading reading, base::sys_seconds now);

  // One look at what `sight` shows; nothing where the file was written to all the while.
  std::optional<Reading> examine(Sight& sight, base::sys_seconds now);
  std::optional<Trouble> find_file_trouble(const Sight& sight);
  std::optional<Trouble> clear_away_former_wal(Sight& sight);
  std::optional<Trouble> find_lost_commits(const Sight& sight, base::sys_seconds now);
  [[nodiscard]] bool has_lost_wal(const Sight& sight) const;

  std::optional<Reading> read(const Sight& sight, PolicyFile::View view, base::sys_seconds now);
  std::optional<Trouble> find_content_trouble(Database& db);
  std::optional<Trouble> find_page_damage(PolicyFile::View view) const;
  Reading check_and_compile(Database& db, const Sight& sight, PolicyFile::View view,
                            base::sys_seconds now);
  Reading compile(Database& db, base::sys_seconds now);

  [[nodiscard]] Trouble trouble(std::string code, std::string_view text) const {
    return {std::move(code), fmt::format("{}: {}", file.path(), text)};
  }
  [[nodiscard]] Trouble explain(const Failure& failure) const;

  PolicyFile file;
  model::PolicyCheck check;
  // Of the file now examined. Read before it is opened as a database: closing it after that would
  // let go of that connection's locks.
  PolicyFile::Format format = PolicyFile::Format::Unreadable;
  bool is_older = false;  // made by a version that knew fewer tables

  std::optional<Sight> seen;   // at the last look; none: look again
  std::optional<Sight> read_;  // when what was compiled last was read
  std::optional<std::uint64_t> digest;
  std::vector<std::string> fault_texts;
  std::vector<std::string> warnings;
  std::string told;  // of the trouble that holds
  std::optional<base::sys_seconds> look_again;
  Seconds wait{1};
};

Trouble PolicySource::State::explain(const Failure& failure) const {
  switch (failure.kind()) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      if (format == PolicyFile::Format::Rollback) {
        return trouble("not-wal",
                       "a transaction keeps readers out, because the journal mode is not WAL; end "
                       "it, then run: sqlite3 FILE 'PRAGMA journal_mode=WAL'");
      }
      return trouble("locked",
                     "another program has locked it for itself (locking_mode=EXCLUSIVE, or a "
                     "recovery); it is looked at again each second");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_TOOBIG:
    case SQLITE_ERROR:
    case SQLITE_FORMAT:
      return trouble("corrupt", fmt::format("it is damaged ({}); put a good copy in its place with "
                                            "mv, never with cp",
                                            failure.text));
  }
  return trouble("unreadable", fmt::format("it can't be read ({}, SQLite code {}); the file, its "
                                           "-wal and -shm must be readable, and the folder "
                                           "writable where a -wal is in use",
                                           failure.text, failure.code));
}

std::optional<Trouble> PolicySource::State::find_file_trouble(const Sight& sight) {
  if (!sight.main) {
    if (sight.error != 0) return trouble("unreadable", std::strerror(sight.error));
    return trouble("missing", "it does not exist; `tlspolicyctl init` makes a new one");
  }
  if (!sight.main->is_regular) return trouble("unreadable", "it is no regular file");
  if (sight.main->size == 0) {
    return trouble("empty", "it has no content; put a good copy in its place");
  }
  format = file.read_format();
  switch (format) {
    case PolicyFile::Format::Foreign:
      return trouble("corrupt", "it is not an SQLite database");
    case PolicyFile::Format::Unreadable:
      return trouble("unreadable", "it can't be opened for reading by this user");
    case PolicyFile::Format::Wal:
    case PolicyFile::Format::Rollback:
      break;
  }
  return std::nullopt;
}

// A -wal knows nothing of the file it belongs to: SQLite would replay that of the former policy.db
// into the one that has taken its place.
std::optional<Trouble> PolicySource::State::clear_away_former_wal(Sight& sight) {
  const bool is_left_over = read_ && read_->main && read_->wal && sight.wal &&
                            !read_->main->is_same_file(*sight.main) &&
                            read_->wal->is_same_file(*sight.wal);
  if (!is_left_over) return std::nullopt;
  const auto error = file.remove_wal();
  sight = file.look();
  if (!error) return std::nullopt;
  return trouble("wal-lost", fmt::format("it was replaced, but the -wal of the former file is "
                                         "still there and can't be removed ({}); SQLite would mix "
                                         "the two: remove it",
                                         *error));
}

// Who deletes a -wal properly, the last program to close the database, has first copied its commits
// into the file. Gone, with the file untouched: somebody else did it.
bool PolicySource::State::has_lost_wal(const Sight& sight) const {
  if (!read_ || !digest || read_->main != sight.main || !read_->has_wal_content()) return false;
  return !sight.wal || !read_->wal->is_same_file(*sight.wal);
}

std::optional<Trouble> PolicySource::State::find_lost_commits(const Sight& sight,
                                                              base::sys_seconds now) {
  const auto left = read(sight, PolicyFile::View::Alone, now);
  if (!left) return std::nullopt;
  if (const auto* compiled = std::get_if<Compiled>(&*left)) {
    // All that the -wal held had been copied before.
    if (digest_of(compiled->image) == digest) return std::nullopt;
  }
  return trouble("wal-lost",
                 "its -wal was deleted, and with it commits that the file itself does not have; "
                 "the policy with them stays in force. Close all programs that use it, remove "
                 "-wal and -shm, bring the file up to date; `touch` it to use it as it is");
}

std::optional<Trouble> PolicySource::State::find_content_trouble(Database& db) {
  const auto identity = identify(db, policy_schema());
  is_older = identity.origin == Origin::Older;
  switch (identity.origin) {
    case Origin::Ours:
      break;
    case Origin::NotOurs:
      return trouble("not-ours", identity.text);
    case Origin::Newer:
      return trouble("schema-newer", identity.text);
    case Origin::Older:
      // What an older version made serves as it did; a table that it lacks has no rows.
      if (identity.version >= 1) break;
      return trouble("schema-older", identity.text);
    case Origin::Unreadable:
      return explain(identity.failure);
  }
  const auto schema = find_schema_fault(db, identity.version);
  if (schema.failure.failed()) return explain(schema.failure);
  if (schema.text) {
    return trouble("hostile-schema",
                   fmt::format("{}; mend the schema, or copy the rows into a new file made by "
                               "`tlspolicyctl init`",
                               *schema.text));
  }
  return std::nullopt;
}

// Reads the pages once more, on a connection of its own, for damage that the rows don't show.
std::optional<Trouble> PolicySource::State::find_page_damage(PolicyFile::View view) const {
  auto [db, open_failure] = file.open(view);
  if (open_failure.failed()) return explain(open_failure);
  const auto [damage, failure] = find_damage(db);
  if (failure.failed()) return explain(failure);
  if (!damage.empty()) return explain({SQLITE_CORRUPT, "quick_check: " + damage});
  return std::nullopt;
}

// Both readings go over the whole file and neither needs the other, so they go side by side: a
// third of the time until an edit among a million rows is live.
Reading PolicySource::State::check_and_compile(Database& db, const Sight& sight,
                                               PolicyFile::View view, base::sys_seconds now) {
  // Pages change where the file does; what is in a -wal has checksums of its own.
  if (read_ && read_->main == sight.main) return compile(db, now);
  auto damage = std::async(std::launch::async, [&] { return find_page_damage(view); });
  auto reading = compile(db, now);
  if (auto found = damage.get()) return std::move(*found);
  return reading;
}

Reading PolicySource::State::compile(Database& db, base::sys_seconds now) {
  auto outcome = compile_policy(db, check, now);
  if (auto* compiled = std::get_if<Compiled>(&outcome)) return std::move(*compiled);
  if (const auto* refusal = std::get_if<Refusal>(&outcome)) {
    return trouble("refused", refusal->text);
  }
  if (const auto* disorder = std::get_if<Disorder>(&outcome)) {
    return explain({SQLITE_CORRUPT, disorder->text});
  }
  if (const auto* not_built = std::get_if<NotBuilt>(&outcome)) {
    return trouble("not-built",
                   fmt::format("it is in order, but no image of it could be made ({}); "
                               "that is tried again",
                               not_built->text));
  }
  const auto& failure = std::get<Failure>(outcome);
  if (failure.kind() != SQLITE_CORRUPT) return explain(failure);
  const auto [damage, ignored] = find_damage(db);
  return explain({failure.code, damage.empty() ? failure.text : damage});
}

std::optional<Reading> PolicySource::State::read(const Sight& sight, PolicyFile::View view,
                                                 base::sys_seconds now) {
  auto [db, failure] = file.open(view);
  if (failure.failed()) return explain(failure);
  const auto [version, version_failure] = db.number("PRAGMA data_version");
  if (version_failure.failed()) return explain(version_failure);
  std::optional<Reading> reading;
  {
    auto [transaction, begin_failure] = Transaction::begin(db, Transaction::Kind::Read);
    if (begin_failure.failed()) return explain(begin_failure);
    if (auto found = find_content_trouble(db)) {
      reading = std::move(*found);
    } else {
      reading = check_and_compile(db, sight, view, now);
    }
  }
  if (file.look_at_file() == sight.main) return reading;
  // The file was written to. A commit explains it: it is copied from the -wal, and readers are kept
  // apart from that by their locks. Anything else, and all where none were held, may have torn it.
  if (view == PolicyFile::View::Alone) return std::nullopt;
  const auto [later, later_failure] = db.number("PRAGMA data_version");
  if (later_failure.failed() || later == version) return std::nullopt;
  return reading;
}

std::optional<Reading> PolicySource::State::examine(Sight& sight, base::sys_seconds now) {
  if (auto found = find_file_trouble(sight)) return *found;
  if (auto found = clear_away_former_wal(sight)) return *found;
  if (!sight.main) return std::nullopt;
  if (has_lost_wal(sight)) {
    if (auto found = find_lost_commits(sight, now)) return *found;
  }
  const bool is_wal = format == PolicyFile::Format::Wal;
  const auto view =
      is_wal && !sight.has_wal_content() ? PolicyFile::View::Alone : PolicyFile::View::WithWal;
  auto reading = read(sight, view, now);
  if (!reading) return std::nullopt;
  if (auto* compiled = std::get_if<Compiled>(&*reading); compiled != nullptr && is_older) {
    compiled->warnings.push_back(fmt::format(
        "{}: an older version made it; it serves as it is, and rules for incoming and submitted "
        "mail need `tlspolicyctl upgrade`",
        file.path()));
  }
  if (auto* compiled = std::get_if<Compiled>(&*reading); compiled != nullptr && !is_wal) {
    compiled->warnings.push_back(fmt::format(
        "{}: the journal mode is not WAL, so a long transaction keeps readers out; run: "
        "sqlite3 FILE 'PRAGMA journal_mode=WAL'",
        file.path()));
  }
  return reading;
}

std::variant<Unchanged, Compiled, Trouble> PolicySource::State::report(Reading reading,
                                                                       base::sys_seconds now) {
  if (auto* found = std::get_if<Trouble>(&reading)) {
    look_again.reset();
    if (found->code == "locked" || found->code == "not-wal") wait = Seconds{1};
    if (found->code == "locked" || found->code == "not-wal" || found->code == "unreadable" ||
        found->code == "corrupt" || found->code == "not-built") {
      look_again = now + wait;
      wait = std::min(wait * 2, kLongestWait);
    }
    if (found->text == told) return Unchanged{};
    told = found->text;
    return std::move(*found);
  }
  auto& compiled = std::get<Compiled>(reading);
  look_again.reset();
  wait = Seconds{1};
  const auto new_digest = digest_of(compiled.image);
  std::vector<std::string> texts;
  for (const auto& fault : compiled.faults) texts.push_back(fault.key + ": " + fault.why);
  const bool is_same = told.empty() && digest && new_digest == digest && texts == fault_texts &&
                       warnings == compiled.warnings;
  told.clear();
  digest = new_digest;
  fault_texts = std::move(texts);
  warnings = compiled.warnings;
  if (is_same) return Unchanged{};
  // cppcheck-suppress returnStdMoveLocal  ; a reference into a variant, which would be copied
  return std::move(compiled);
}

std::variant<Unchanged, Compiled, Trouble> PolicySource::State::poll(base::sys_seconds now) {
  auto sight = file.look();
  // A clock that was set back must not put the next look off.
  const bool is_due = look_again && (now >= *look_again || now + kLongestWait < *look_again);
  if (seen == sight && !is_due) return Unchanged{};
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const bool is_settled = file.settle(sight);
    auto reading = examine(sight, now);
    if (!reading) {
      sight = file.look();
      continue;
    }
    // What was written in the same tick of the clock as the last write seen would not show.
    seen = is_settled ? std::optional(sight) : std::nullopt;
    if (std::holds_alternative<Compiled>(*reading)) read_ = sight;
    return report(std::move(*reading), now);
  }
  seen.reset();
  return Unchanged{};
}

PolicySource::PolicySource(std::string path, model::PolicyCheck check,
                           std::chrono::nanoseconds tick)
    : state_(std::make_unique<State>(PolicyFile(std::move(path), tick), std::move(check))) {}
PolicySource::~PolicySource() = default;

std::variant<Unchanged, Compiled, Trouble> PolicySource::poll(base::sys_seconds now) {
  return state_->poll(now);
}

std::optional<std::string> PolicySource::mark_of(std::uint64_t digest) const {
  const bool is_settled = state_->seen && state_->seen == state_->read_ && state_->told.empty();
  if (!is_settled || state_->digest != digest) return std::nullopt;
  return to_text(*state_->read_);
}

bool PolicySource::is_still_at(std::string_view mark) const {
  const auto sight = state_->file.look();
  return sight.main && sight.error == 0 && to_text(sight) == mark;
}

void PolicySource::forget() {
  state_ = std::make_unique<State>(state_->file, std::move(state_->check));
}

}  // namespace store
