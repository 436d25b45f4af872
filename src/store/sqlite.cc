#include "src/store/sqlite.h"

#include <sqlite3.h>

#include <array>
#include <climits>

namespace store {

int close_database(sqlite3* db) noexcept {
  // _v2: waits for statements that outlive their database by a moment.
  return sqlite3_close_v2(db);
}

int finalise_statement(sqlite3_stmt* statement) noexcept {
  return sqlite3_finalize(statement);
}

void Statement::note(int code) {
  failure_ = {};
  if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE) return;
  failure_.code = code;
  failure_.text = sqlite3_errmsg(sqlite3_db_handle(statement_.get()));
}

bool Statement::step() {
  if (failure_.failed()) return false;
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  note(code);
  return false;
}

Failure Statement::run() {
  while (step()) {
  }
  Failure failure = failure_;
  reset();
  return failure;
}

void Statement::reset() {
  // Repeats the failure of the last step, which is known already.
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
  failure_ = {};
}

void Statement::bind(int parameter, std::string_view text) {
  if (failure_.failed()) return;
  const char* bytes = text.empty() ? "" : text.data();
  note(sqlite3_bind_text64(statement_.get(), parameter, bytes, text.size(), SQLITE_STATIC,
                           SQLITE_UTF8));
}

void Statement::bind(int parameter, std::int64_t number) {
  if (failure_.failed()) return;
  note(sqlite3_bind_int64(statement_.get(), parameter, number));
}

void Statement::bind(int parameter, const std::optional<std::string>& text) {
  if (text) return bind(parameter, std::string_view(*text));
  if (!failure_.failed()) note(sqlite3_bind_null(statement_.get(), parameter));
}

void Statement::bind(int parameter, std::optional<std::int64_t> number) {
  if (number) return bind(parameter, *number);
  if (!failure_.failed()) note(sqlite3_bind_null(statement_.get(), parameter));
}

int Statement::columns() const {
  return sqlite3_column_count(statement_.get());
}

std::string_view Statement::column_name(int column) const {
  const char* name = sqlite3_column_name(statement_.get(), column);
  return name == nullptr ? std::string_view{} : name;
}

ColumnType Statement::type(int column) const {
  switch (sqlite3_column_type(statement_.get(), column)) {
    case SQLITE_INTEGER:
      return ColumnType::Integer;
    case SQLITE_FLOAT:
      return ColumnType::Real;
    case SQLITE_TEXT:
      return ColumnType::Text;
    case SQLITE_BLOB:
      return ColumnType::Blob;
  }
  return ColumnType::Null;
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::text(int column) const {
  // Asked first: for want of memory SQLite makes a NULL of it.
  const bool is_null = sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
  const auto* bytes = sqlite3_column_text(statement_.get(), column);
  if (bytes == nullptr) {
    // Then the row is not what stands there, and step() ends.
    if (!is_null) {
      failure_ = {SQLITE_NOMEM, sqlite3_errstr(SQLITE_NOMEM)};
    }
    return {};
  }
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return {reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)};
}

std::optional<std::string> Statement::optional_text(int column) const {
  if (type(column) == ColumnType::Null) return std::nullopt;
  return std::string(text(column));
}

Failure Database::check(int code) const {
  if (code == SQLITE_OK) return {};
  const char* text = handle_ ? sqlite3_errmsg(handle_.get()) : sqlite3_errstr(code);
  return {code, text};
}

std::pair<Database, Failure> Database::open(const std::string& path, int flags, int lock_wait_ms) {
  Database db;
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags | SQLITE_OPEN_EXRESCODE, nullptr);
  db.handle_.reset(handle);
  Failure failure = db.check(code);
  if (!failure.failed()) failure = db.check(sqlite3_busy_timeout(handle, lock_wait_ms));
  return {std::move(db), std::move(failure)};
}

Failure Database::execute(const std::string& sql) {
  return check(sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr));
}

std::pair<Statement, Failure> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                                      &statement, nullptr);
  return {Statement(statement), check(code)};
}

std::pair<std::int64_t, Failure> Database::number(std::string_view sql) {
  auto [statement, failure] = prepare(sql);
  if (failure.failed()) return {0, failure};
  const std::int64_t value = statement.step() ? statement.integer(0) : 0;
  return {value, statement.failure()};
}

std::pair<std::string, Failure> Database::text(std::string_view sql) {
  auto [statement, failure] = prepare(sql);
  if (failure.failed()) return {std::string(), failure};
  std::string value(statement.step() ? statement.text(0) : std::string_view{});
  return {std::move(value), statement.failure()};
}

std::int64_t Database::changes() const {
  return sqlite3_changes64(handle_.get());
}

Failure Database::distrust_content(int longest_value) {
  struct Setting {
    int option;
    int value;
  };
  constexpr std::array kSettings{
      Setting{SQLITE_DBCONFIG_DEFENSIVE, 1}, Setting{SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
      Setting{SQLITE_DBCONFIG_ENABLE_VIEW, 0}, Setting{SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0}};
  for (const auto& setting : kSettings) {
    auto failure = check(sqlite3_db_config(handle_.get(), setting.option, setting.value,
                                           static_cast<int*>(nullptr)));
    if (failure.failed()) return failure;
  }
  sqlite3_limit(handle_.get(), SQLITE_LIMIT_LENGTH, longest_value);
  sqlite3_limit(handle_.get(), SQLITE_LIMIT_ATTACHED, 0);
  return execute("PRAGMA mmap_size=0; PRAGMA cell_size_check=ON");
}

Failure Database::disable_triggers() {
  return check(sqlite3_db_config(handle_.get(), SQLITE_DBCONFIG_ENABLE_TRIGGER, 0,
                                 static_cast<int*>(nullptr)));
}

Failure Database::trust_schema() {
  return check(sqlite3_db_config(handle_.get(), SQLITE_DBCONFIG_TRUSTED_SCHEMA, 1,
                                 static_cast<int*>(nullptr)));
}

std::pair<Transaction, Failure> Transaction::begin(Database& db, Kind kind) {
  Failure failure = db.execute(kind == Kind::Write ? "BEGIN IMMEDIATE" : "BEGIN");
  Database* const owner = failure.failed() ? nullptr : &db;
  return {Transaction(owner), std::move(failure)};
}

Transaction::~Transaction() {
  // Nothing is left to do where even this fails: closing the connection rolls back as well.
  if (db_ != nullptr) static_cast<void>(db_->execute("ROLLBACK"));
}

Failure Transaction::commit() {
  Failure failure = db_->execute("COMMIT");
  if (!failure.failed()) db_ = nullptr;
  return failure;
}

}  // namespace store
