// Pieces of SQL that more than one schema step is put together from: CHECKs that speak in
// sentences, and the triggers that write the change log.
//
// What they yield stands in the schema of every database, which is compared letter by letter: an
// edit here is an edit of released steps. Private to the steps.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace store {

// The CHECKs are compiled anew for each INSERT of a shell script, so every expression in them has a
// price: one GLOB costs less than a call of length(), and char() and || cost most.

// Text for people: any Unicode but control characters. (NUL, which GLOB doesn't see behind, is
// looked for once for all columns of a row.)
std::string prose(std::string_view column, int most);
// Text for Postfix: no blanks and no commas, which end an attribute [F 2.3].
std::string attribute(std::string_view column, int most);
std::string seconds(std::string_view column, int least);
std::string yes_or_no(std::string_view column);
std::string no_nul(std::initializer_list<std::string_view> columns);

// SQL that a table's triggers run beside writing the log; each refuses by RAISE or does nothing.
struct TableRules {
  std::string insert;
  std::string rename;
  std::string update;
  std::string remove;
};
// The triggers of a table; the first of its columns is the primary key.
std::string log_triggers(std::string_view table, std::span<const char* const> columns,
                         const TableRules& rules);

}  // namespace store
