// SQLite's C API with ownership and one place where return codes are looked at. Knows no table.
//
// Nothing here throws: a failure is a Failure with SQLite's extended code, so that callers can tell
// "somebody holds a lock" from "the file is damaged", and with its message.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "src/base/handle.h"
#include "src/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace store {

// What SQLite answered: a result code, 0 where all is well.
struct Failure {
  int code = 0;  // extended
  std::string text;

  [[nodiscard]] bool failed() const { return code != 0; }
  // The code without its extension, to compare with SQLITE_BUSY and the like.
  [[nodiscard]] int kind() const { return code & 0xff; }
  [[nodiscard]] base::Error to_error() const { return base::Error{text}; }
};

int close_database(sqlite3* db) noexcept;
int finalise_statement(sqlite3_stmt* statement) noexcept;

enum class ColumnType : std::uint8_t { Null, Integer, Real, Text, Blob };

// A prepared statement. Columns are counted from 0, parameters from 1. Values given to bind() are
// borrowed until the next reset(); a text that comes back is valid until the next step().
class Statement {
 public:
  Statement() = default;

  // True: there is a row. False: done, or failed; failure() tells.
  bool step();
  // For statements without rows.
  Failure run();
  void reset();

  void bind(int parameter, std::string_view text);
  void bind(int parameter, std::int64_t number);
  void bind(int parameter, const std::optional<std::string>& text);
  void bind(int parameter, std::optional<std::int64_t> number);

  [[nodiscard]] int columns() const;
  [[nodiscard]] std::string_view column_name(int column) const;
  [[nodiscard]] ColumnType type(int column) const;
  [[nodiscard]] std::int64_t integer(int column) const;
  // The bytes as stored, NULs included; empty for NULL.
  [[nodiscard]] std::string_view text(int column) const;
  [[nodiscard]] std::optional<std::string> optional_text(int column) const;

  [[nodiscard]] const Failure& failure() const { return failure_; }

 private:
  friend class Database;
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  void note(int code);

  base::Handle<sqlite3_stmt, finalise_statement> statement_;
  mutable Failure failure_;  // reading a text can fail too
};

class Database {
 public:
  Database() = default;

  // `flags` are SQLITE_OPEN_*; `locks` is how long a lock of somebody else is waited for. `path` is
  // a file name, or an URI with SQLITE_OPEN_URI.
  static std::pair<Database, Failure> open(const std::string& path, int flags, int lock_wait_ms);

  explicit operator bool() const { return handle_ != nullptr; }
  // One or many statements without parameters, rows are thrown away.
  Failure execute(const std::string& sql);
  std::pair<Statement, Failure> prepare(std::string_view sql);
  // The one number that `sql` yields, 0 where it yields none.
  std::pair<std::int64_t, Failure> number(std::string_view sql);
  // The same for a text.
  std::pair<std::string, Failure> text(std::string_view sql);
  // How many rows the last INSERT, UPDATE or DELETE changed, those of triggers not counted.
  [[nodiscard]] std::int64_t changes() const;

  // Takes from whoever wrote the file the means to make SQLite do more than read and write tables:
  // no extensions, no ATTACH, no views, no functions in the schema but harmless ones, no values of
  // more than `longest_value` bytes.
  Failure distrust_content(int longest_value);
  Failure disable_triggers();
  // Lets triggers call SQLite's own functions again (json_object is none of the harmless ones), for
  // a schema that was compared with ours.
  Failure trust_schema();

 private:
  [[nodiscard]] Failure check(int code) const;

  base::Handle<sqlite3, close_database> handle_;
};

// BEGIN ... COMMIT; rolls back when it goes without having been committed.
class Transaction {
 public:
  enum class Kind : std::uint8_t { Read, Write };
  static std::pair<Transaction, Failure> begin(Database& db, Kind kind);
  Transaction(Transaction&& other) noexcept : db_(std::exchange(other.db_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();

  Failure commit();

 private:
  explicit Transaction(Database* db) : db_(db) {}
  Database* db_;
};

}  // namespace store
