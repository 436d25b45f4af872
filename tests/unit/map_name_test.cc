#include "tlsmap/map_name.h"

#include <string>
#include <vector>

#include "tests/unit/catch.h"

using model::PostfixVersion;
using tlsmap::kLongestView;
using tlsmap::parse_map_name;
using tlsmap::Table;

namespace {

struct Good {
  std::string name;
  Table table;
  std::optional<PostfixVersion> version;
  std::string view;
};

}  // namespace

TEST_CASE("every name of the outside contract leads to its table") {
  const std::vector<Good> names{
      {"policy", Table::Policy, {}, ""},
      {"policy-3.4", Table::Policy, PostfixVersion{3, 4, 0}, ""},
      {"policy-3.10", Table::Policy, PostfixVersion{3, 10, 0}, ""},
      {"policy-3.4.14", Table::Policy, PostfixVersion{3, 4, 14}, ""},
      {"policy@tenant1", Table::Policy, {}, "tenant1"},
      {"policy-3.10@a.b_c-D", Table::Policy, PostfixVersion{3, 10, 0}, "a.b_c-D"},
      {"strict", Table::Strict, {}, ""},
      {"strict-3.11", Table::Strict, PostfixVersion{3, 11, 0}, ""},
      {"strict-3.11@x", Table::Strict, PostfixVersion{3, 11, 0}, "x"},
      {"outcome", Table::Outcome, {}, ""},
      {"outcome@tenant1", Table::Outcome, {}, "tenant1"},
      {"transport", Table::Transport, {}, ""},
      {"sender-transport", Table::SenderTransport, {}, ""},
      {"QUERY", Table::Policy, {}, ""},
      {"QUERYwithTLSRPT", Table::Policy, PostfixVersion{3, 10, 0}, ""},
      {"QUERY@v", Table::Policy, {}, "v"},
      {"postfix", Table::Policy, {}, ""}};
  for (const auto& good : names) {
    INFO(good.name);
    const auto parsed = parse_map_name(good.name);
    REQUIRE(parsed);
    CHECK(parsed->table == good.table);
    CHECK(parsed->version == good.version);
    CHECK(parsed->view == good.view);
  }
}

TEST_CASE("anything else is no name of ours") {
  const std::vector<std::string> names{"",
                                       "Policy",
                                       "POLICY",
                                       "polic",
                                       "policy-",
                                       "policy-3",
                                       "policy-3.",
                                       "policy-3.4.",
                                       "policy-3.4.1.2",
                                       "policy-v3.4",
                                       "policy-03.4",
                                       "policy-3.4 ",
                                       "policy3.4",
                                       "policyx",
                                       "policy@",
                                       "policy@a@b",
                                       "policy@a b",
                                       "policy@a/b",
                                       "@a",
                                       "outcome-3.10",
                                       "transport-3.4",
                                       "QUERY-3.10",
                                       "query",
                                       "QUERYwith",
                                       "postfix-3.4",
                                       "sender_transport",
                                       "tls",
                                       "JSON",
                                       "policy\n",
                                       "policy@\xc3\xa9",
                                       "strict-",
                                       "policy-3.10-1",
                                       "policy-9999.1"};
  for (const auto& name : names) {
    INFO(name);
    CHECK_FALSE(parse_map_name(name));
  }
  CHECK_FALSE(parse_map_name(std::string_view("policy\0", 7)));
}

TEST_CASE("a view is as long as kLongestView, no longer") {
  CHECK(parse_map_name("policy@" + std::string(kLongestView, 'v')));
  CHECK_FALSE(parse_map_name("policy@" + std::string(kLongestView + 1, 'v')));
}
