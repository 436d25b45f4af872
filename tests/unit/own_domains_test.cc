// Which domains are ours, by what main.cf says.
#include "src/app/own_domains.h"

#include "tests/unit/catch.h"

using app::doctor::find_own_domains;
using app::doctor::Instance;
using app::doctor::PostfixHost;
using Strings = std::vector<std::string>;

namespace {

PostfixHost host_with(tlsmap::Parameters parameters) {
  PostfixHost host;
  Instance instance;
  instance.parameters = std::move(parameters);
  host.instances.push_back(std::move(instance));
  return host;
}

}  // namespace

TEST_CASE("own domains: names of all four parameters, none twice, in lower case") {
  const auto found = find_own_domains(host_with(
      {{"mydestination", "mail.example.com, Example.COM localhost.example.com, localhost"},
       {"virtual_mailbox_domains", "example.org,example.com"},
       {"virtual_alias_domains", ""},
       {"relay_domains", "example.net\n  sub.example.net"}}));
  CHECK(found.names == Strings{"mail.example.com", "example.com", "example.org", "example.net",
                               "sub.example.net"});
  CHECK(found.unread.empty());
}

TEST_CASE("own domains: what stands in tables and files is named, not read") {
  const auto found = find_own_domains(
      host_with({{"mydestination", "example.com /etc/postfix/domains"},
                 {"virtual_mailbox_domains", "hash:/etc/postfix/virtual"},
                 {"virtual_alias_domains", "inline:{ a.example=x, b.example=y }"}}));
  CHECK(found.names == Strings{"example.com"});
  CHECK(found.unread == Strings{"mydestination: /etc/postfix/domains",
                                "virtual_mailbox_domains: hash:/etc/postfix/virtual",
                                "virtual_alias_domains: inline:{ a.example=x, b.example=y }"});
}

TEST_CASE("own domains: names that get no mail from outside, and what is no name, are left out") {
  const auto found = find_own_domains(
      host_with({{"mydestination", "mailhost, localhost.localdomain, !example.com, a..b, *.com"}}));
  CHECK(found.names.empty());
}

TEST_CASE("own domains: all instances count") {
  auto host = host_with({{"mydestination", "a.example"}});
  host.instances.push_back(host_with({{"relay_domains", "b.example a.example"}}).instances.front());
  CHECK(find_own_domains(host).names == Strings{"a.example", "b.example"});
}
