// A policy.db that a test edits, replaces and damages, watched as the daemon watches it.
#pragma once

#include <fmt/format.h>
#include <unistd.h>

#include <functional>
#include <map>

#include "src/image/reader.h"
#include "src/store/policy_db.h"
#include "src/store/policy_source.h"
#include "tests/unit/catch.h"
#include "tests/unit/database_files.h"

namespace test {

using store::Compiled;
using store::Trouble;

// Stands for Postfix's grammar: knows one wrong word.
inline std::optional<std::string> postfix_says(const model::Profile& profile,
                                               std::string_view match) {
  if (profile.exclude == "WRONG") return "Postfix refuses exclude=WRONG";
  if (match == "wrong") return "Postfix refuses match=wrong";
  return std::nullopt;
}

class Watched {
 public:
  Watched() { REQUIRE(store::PolicyDb::init(file).ok()); }

  std::string edit(const std::string& sql) { return shell(file, sql); }
  // An edit past every rule, as by a tool that knows none.
  std::string force(const std::string& sql) {
    return edit(
        ".once /dev/null\n.dbconfig enable_trigger off\nPRAGMA ignore_check_constraints=ON;" + sql);
  }
  void insert(const std::string& destination, const std::string& profile = "required") {
    REQUIRE(edit(fmt::format("INSERT INTO outbound(destination, profile) VALUES('{}', '{}')",
                             destination, profile))
                .empty());
  }
  // Another database, with so many rows.
  std::string prepare(const std::string& name, int rows, const std::string& profile = "secure") {
    auto other = folder.path(name);
    REQUIRE(store::PolicyDb::init(other).ok());
    REQUIRE(
        shell(other, fmt::format("WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n "
                                 "WHERE i < {}) INSERT INTO outbound(destination, profile) "
                                 "SELECT format('d%05d.example', i), '{}' FROM n",
                                 rows, profile))
            .empty());
    return other;
  }

  std::variant<store::Unchanged, Compiled, Trouble> poll() {
    now += std::chrono::seconds{100};
    return source.poll(now);
  }
  // Polls for a policy and says what is in it: "destination=profile" or "destination!fault".
  std::string policy() {
    auto outcome = poll();
    if (const auto* trouble = std::get_if<Trouble>(&outcome)) return "trouble " + trouble->text;
    if (std::holds_alternative<store::Unchanged>(outcome)) return "unchanged";
    compiled = std::move(std::get<Compiled>(outcome));
    const auto image = image::Image::map(compiled.image.get(), image::Image::Checksum::Now);
    REQUIRE(image.ok());
    std::string text;
    (*image)->for_each_row([&text](const model::PolicyRow& row) {
      if (!text.empty()) text += ' ';
      text += row.destination;
      text += row.fault.empty() ? "=" + row.profile->name : "!" + std::string(row.fault);
      return true;
    });
    return text;
  }
  // Polls for trouble; "code: text".
  std::string trouble() {
    auto outcome = poll();
    if (const auto* found = std::get_if<Trouble>(&outcome)) return found->code + ": " + found->text;
    return std::holds_alternative<Compiled>(outcome) ? "compiled" : "unchanged";
  }

  Folder folder;
  std::string file = folder.path("policy.db");
  base::sys_seconds now{std::chrono::seconds{1'800'000'000}};
  store::PolicySource source{file, postfix_says};
  Compiled compiled;
};

// A shell that has run some SQL, and holds what it locked until it is let go.
class Holder {
 public:
  Holder(const Watched& db, const std::string& begin, const std::string& end)
      : file_(db.file), fifo_(db.folder.path("fifo")) {
    const auto ready = db.folder.path("ready");
    REQUIRE(std::system(fmt::format("mkfifo '{}' '{}'", fifo_, ready).c_str()) == 0);
    const auto script = db.folder.path("held.script");
    std::ofstream(script) << fmt::format(
        "{}\n.shell echo > '{}'\n.shell cat '{}' > /dev/null\n{}\n", begin, ready, fifo_, end);
    const auto command = fmt::format("sqlite3 -batch '{}' < '{}' > /dev/null &", db.file, script);
    REQUIRE(std::system(command.c_str()) == 0);
    std::string line;
    std::getline(std::ifstream(ready), line);
  }
  ~Holder() { let_go(); }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;

  // Returns when the other has ended its transaction.
  void let_go() {
    if (is_let_go_) return;
    is_let_go_ = true;
    std::ofstream(fifo_) << "go\n";
    CHECK(shell(file_, ".timeout 10000\nBEGIN IMMEDIATE; ROLLBACK;").empty());
  }

 private:
  std::string file_;
  std::string fifo_;
  bool is_let_go_ = false;
};

inline void overwrite(const std::string& file, std::size_t offset, const std::string& bytes) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekp(static_cast<std::streamoff>(offset));
  stream << bytes;
}

inline std::string read_bytes(const std::string& file, std::size_t offset, std::size_t size) {
  std::ifstream stream(file, std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(offset));
  std::string bytes(size, '\0');
  stream.read(bytes.data(), static_cast<std::streamsize>(size));
  return bytes;
}

}  // namespace test
