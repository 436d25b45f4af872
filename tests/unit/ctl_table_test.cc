#include "src/app/ctl_table.h"

#include "src/app/ctl_output.h"
#include "tests/unit/catch.h"

using app::ctl::count_characters;
using app::ctl::Table;
using app::ctl::terminal_text;

TEST_CASE("table: columns are as wide as their widest cell, lines end without blanks") {
  Table table({"name", "level"});
  table.add({"a", "encrypt"});
  table.add({"bank.example", "-"});
  CHECK(table.render() ==
        "NAME          LEVEL\n"
        "a             encrypt\n"
        "bank.example  -\n");
}

TEST_CASE("table: rows of different length, empty cells, indent") {
  Table table;
  table.add({"a"});
  table.add({"", "b", "c"});
  CHECK(table.render(2) == "  a\n     b  c\n");
  CHECK(Table().render().empty());
}

TEST_CASE("table: characters count, not bytes") {
  Table table;
  table.add({"M\xC3\xBCller", "1"});
  table.add({"Mueller", "2"});
  CHECK(table.render() == "M\xC3\xBCller   1\nMueller  2\n");
  CHECK(count_characters("\xE2\x82\xAC") == 1);
}

TEST_CASE("terminal text: UTF-8 is kept") {
  for (const std::string text :
       {"plain", "M\xC3\xBCller", "\xE2\x82\xAC", "\xF0\x9F\x92\xA9", "\xF4\x8F\xBF\xBF", ""}) {
    CHECK(terminal_text(text) == text);
  }
}

TEST_CASE("terminal text: what could act on a terminal becomes a question mark") {
  CHECK(terminal_text("a\x1b[31mb") == "a?[31mb");
  CHECK(terminal_text("a\nb\r\t\x7f") == "a?b???");
  CHECK(terminal_text(std::string_view("a\0b", 3)) == "a?b");
  CHECK(terminal_text("\xC2\x9B"
                      "31m") == "?31m");  // CSI as one character
  CHECK(terminal_text("\xE2\x80\xAE"
                      "gpj") == "?gpj");  // right-to-left override
  CHECK(terminal_text("\xE2\x81\xA6"
                      "x") == "?x");            // isolate
  CHECK(terminal_text("\xE2\x80\xA8") == "?");  // line separator
}

TEST_CASE("terminal text: broken UTF-8 becomes question marks, byte by byte") {
  CHECK(terminal_text("\xff") == "?");
  CHECK(terminal_text("\xC3") == "?");
  CHECK(terminal_text("\xC3(") == "?(");
  CHECK(terminal_text("\xC0\xAF") == "??");            // overlong
  CHECK(terminal_text("\xE0\x80\xAF") == "???");       // overlong
  CHECK(terminal_text("\xED\xA0\x80") == "???");       // surrogate
  CHECK(terminal_text("\xF4\x90\x80\x80") == "????");  // above U+10FFFF
  CHECK(terminal_text("\x80"
                      "a") == "?a");
}
