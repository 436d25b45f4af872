// The normal form of a sender that Postfix tells, by the short way and by the long one.
#include "src/model/sender_match.h"

#include <string>

#include "src/model/next_hop.h"
#include "tests/unit/catch.h"

TEST_CASE("sender: lower case, and the domain as a next-hop's name") {
  const auto at = [](std::string_view told) { return model::normalise_sender(told).address; };
  CHECK(at("Ann@Example.COM") == "ann@example.com");
  CHECK(at("Ann@Example.COM.") == "ann@example.com");
  CHECK(at("ann@B\xc3\xbc"
           "cher.example") == "ann@xn--bcher-kva.example");
  CHECK(at("\"a b@c\"@Example.com") == "\"a b@c\"@example.com");
  CHECK(at("ann@[IPv6:2001:DB8:0::1]") == "ann@[2001:db8::1]");
  CHECK(at("Root") == "root");
  CHECK(at("").empty());
  CHECK(at("ann@") == "ann@");
}

TEST_CASE("sender: a domain that needs no conversion is in the form that a conversion gives") {
  const auto domain = GENERATE("example.com", "Mail.EXAMPLE", "a_b.example", "1.2.3.4", "a..b",
                               "-a.b", "x-.example", ".example", "single", "xn--bcher-kva.example");
  CHECK(model::normalise_sender("u@" + std::string(domain)).domain() ==
        model::normalise_key(domain).text);
}
