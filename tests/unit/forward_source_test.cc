#include "tlsmap/forward_source.h"

#include <fmt/format.h>

#include "src/wire/sieve.h"
#include "tests/unit/catch.h"

using tlsmap::ForwardFormat;

namespace {

// "1 a@b.example, 2 ?:include:/x": line and address, '?' where it can't be told.
std::string forwards(std::string_view text, ForwardFormat format) {
  const auto found = tlsmap::read_forwards(text, format);
  if (!found) return "error: " + found.error();
  std::string list;
  for (const auto& each : *found) {
    const bool is_known = each.unknown.empty();
    if (is_known) CHECK(each.address.ends_with(each.domain));
    CHECK(is_known == !each.domain.empty());
    list += fmt::format("{}{} {}{}", list.empty() ? "" : ", ", each.line, is_known ? "" : "?",
                        each.address);
  }
  return list;
}
std::string aliases(std::string_view text) {
  return forwards(text, ForwardFormat::Aliases);
}
std::string table(std::string_view text) {
  return forwards(text, ForwardFormat::Virtual);
}
std::string sieve(std::string_view text) {
  return forwards(text, ForwardFormat::Sieve);
}

}  // namespace

TEST_CASE("forward source: an alias file names local users, commands, files and addresses") {
  CHECK(aliases("postmaster: root\nroot: ann, bob@a.example,c@b.example\n") ==
        "2 bob@a.example, 2 c@b.example");
  CHECK(aliases("a: |/usr/bin/vacation x@y.example\nb: \"|prog a@b.example, c\"\nc: /var/mail/x@y"
                "\nd: \"/tmp/a b\"\ne: \\e\n")
            .empty());
  CHECK(aliases("list: :include:/etc/list\n") == "1 ?:include:/etc/list");
  CHECK(aliases("# root: x@y.example\n\nroot: a@b.example\n  , c@d.example\n# x\n  e@f.example") ==
        "3 a@b.example, 3 c@d.example, 3 e@f.example");
  CHECK(aliases("\"odd:name\": a@b.example\nspaced : c@d.example\n") ==
        "1 a@b.example, 2 c@d.example");
}

TEST_CASE("forward source: addresses may have names, comments, quotes and blanks around them") {
  CHECK(aliases("a: Ann Lee <ann@a.example>, \"Lee, Bob\" <bob@b.example>") ==
        "1 ann@a.example, 1 bob@b.example");
  CHECK(aliases("a: ann@a.example (Ann, the first), bob@b.example") ==
        "1 ann@a.example, 1 bob@b.example");
  CHECK(aliases(R"(a: "ann lee"@a.example)") == "1 ann lee@a.example");
  CHECK(aliases("a: ann@a.example bob@b.example") == "1 ann@a.example, 1 bob@b.example");
  CHECK(aliases("a: <>").empty());
  CHECK(aliases("a: x@") == "1 ?x@");
  CHECK(aliases("a: \"open@a.example, b@c.example") == "1 open@a.example, b@c.example");
}

TEST_CASE("forward source: a virtual table has addresses, whole domains and expressions") {
  CHECK(table("ann@here.example ann@a.example, bob\n@here.example @there.example\n"
              "here.example anything\n") == "1 ann@a.example, 2 @there.example");
  CHECK(table("/^(a b|c)@here\\.example$/i  ${1}@there.example\n/x@(.*)$/ a@$1\n") ==
        "1 ${1}@there.example, 2 ?a@$1");
  CHECK(table("\"ann lee\"@here.example bob@a.example\n") == "1 bob@a.example");
  CHECK(table("key-alone\n").empty());
}

TEST_CASE("forward source: a sieve script forwards by redirect alone") {
  CHECK(sieve("require [\"fileinto\"];\n# redirect \"no@a.example\";\n"
              "if header :contains \"x\" \"redirect\" {\n  Redirect \"a@b.example\";\n}\n"
              "/* redirect \"n@a.example\"; */ redirect :copy\n \"c@d.example\";\n"
              "notify \"mailto:e@f.example\"; fileinto \"g@h.example\";\n") ==
        "4 a@b.example, 6 c@d.example");
  CHECK(sieve(R"(redirect "Ann <ann@a.example>"; redirect "a\"b@c.example";)") ==
        "1 ann@a.example, 1 a\"b@c.example");
  CHECK(sieve("redirect \"${to}@a.example\"; redirect :list \"tag:x@y\";") ==
        "1 ?${to}@a.example, 1 ?tag:x@y");
  CHECK(sieve("vacation text:\r\nredirect \"a@b.example\";\r\n..\r\n.\r\n;\nredirect text: # x\n"
              "c@d.example\n.\n;") == "6 c@d.example");
  CHECK(sieve("redirect \"a@b.example\"") == "1 a@b.example");
}

TEST_CASE("forward source: what is left open in a script is an error that names the line") {
  CHECK(sieve("keep;\nredirect \"a@b.example") == "error: line 2: a string is left open");
  CHECK(sieve("\n/* redirect") == "error: line 2: a comment is left open");
  CHECK(sieve("redirect text:\na@b.example\n") == "error: line 1: a text: is left open");
}

TEST_CASE("forward source: what is too long for an address is named, not taken for one") {
  const std::string longest(tlsmap::kLongestForward + 1, 'x');
  const auto found = tlsmap::read_forwards("a: " + longest + "@b.example", ForwardFormat::Aliases);
  REQUIRE(found.ok());
  REQUIRE(found->size() == 1);
  CHECK(found->front().address.size() == tlsmap::kLongestForward);
  CHECK(found->front().unknown == "it is too long for an address");
}

TEST_CASE("forward source: the format is seen from the name or the first line") {
  const auto guess = [](std::string_view file, std::string_view text) {
    return tlsmap::guess_forward_format(file, text);
  };
  CHECK(guess("a.sieve", "x: y") == ForwardFormat::Sieve);
  CHECK(guess("a", "require [\"copy\"];") == ForwardFormat::Sieve);
  CHECK(guess("a", "# x\nredirect \"a@b.example\";") == ForwardFormat::Sieve);
  CHECK(guess("a.siv", "x: y") == ForwardFormat::Sieve);
  CHECK(guess("a", "IF header") == ForwardFormat::Sieve);
  CHECK(guess("a", "/* nothing yet */") == ForwardFormat::Sieve);
  CHECK(guess("a", "postmaster: root") == ForwardFormat::Aliases);
  CHECK(guess("a", "\"a b\" : root") == ForwardFormat::Aliases);
  CHECK(guess("a", "a@b.example c@d.example") == ForwardFormat::Virtual);
  CHECK(guess("a", "/^a:b@/ c@d.example") == ForwardFormat::Virtual);
  CHECK(guess("a", "") == ForwardFormat::Aliases);
  CHECK(tlsmap::parse_forward_format("virtual") == ForwardFormat::Virtual);
  CHECK_FALSE(tlsmap::parse_forward_format("postfix").has_value());
}

TEST_CASE("forward source: a file with more forwards than anybody checks by hand is refused") {
  std::string lines;
  for (std::size_t i = 0; i < tlsmap::kMostForwards; ++i) lines += "a: b@c.example\n";
  CHECK(tlsmap::read_forwards(lines, ForwardFormat::Aliases)->size() == tlsmap::kMostForwards);
  for (const auto* more : {"a: b@c.example\n", "a: :include:/x\n"}) {
    INFO(more);
    CHECK(aliases(lines + more).find("it has more than") != std::string::npos);
  }
}

TEST_CASE(
    "forward source: backslashes, comments and patterns that are left open end with the line") {
  CHECK(aliases(R"(a: x\,y@a.example, b@b.example (left open, c@c.example)") ==
        "1 x,y@a.example, 1 b@b.example");
  CHECK(aliases("a: x@a.example\\") == "1 x@a.example\\");
  CHECK(aliases(R"(a: (one \) still) x@a.example)") == "1 x@a.example");
  CHECK(aliases("a: ) x@a.example, ,y@b.example") == "1 x@a.example, 1 y@b.example");
  CHECK(table(R"(/a\/ b/ x@a.example)") == "1 x@a.example");
  CHECK(table("!/^x$/ y@a.example\n/left open y@a.example\n") == "1 y@a.example");
  CHECK(table("! y@a.example").empty());
}
