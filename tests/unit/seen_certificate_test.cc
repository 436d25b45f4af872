// Which names a certificate is good for, by the rules of Postfix's TLS library.
#include "src/model/seen_certificate.h"

#include "tests/unit/catch.h"

using model::SeenCertificate;

namespace {

SeenCertificate with_names(std::vector<std::string> names, std::string common_name = "") {
  SeenCertificate certificate;
  certificate.dns_names = std::move(names);
  certificate.common_name = std::move(common_name);
  return certificate;
}

}  // namespace

TEST_CASE("certificate: a name is compared without regard to case") {
  const auto one = with_names({"other.example", "MX.Example.com"});
  CHECK(is_named(one, "mx.example.com"));
  CHECK_FALSE(is_named(one, "example.com"));
  CHECK_FALSE(is_named(one, "a.mx.example.com"));
  CHECK_FALSE(is_named(one, ""));
}

TEST_CASE("certificate: the common name counts where there is no other") {
  CHECK(is_named(with_names({}, "mx.example.com"), "mx.example.com"));
  CHECK_FALSE(is_named(with_names({"other.example"}, "mx.example.com"), "mx.example.com"));
  CHECK(names_of(with_names({})).empty());
}

TEST_CASE("certificate: a star stands for one whole label at the left") {
  const auto star = with_names({"*.example.com"});
  CHECK(is_named(star, "mx.example.com"));
  CHECK_FALSE(is_named(star, "example.com"));
  CHECK_FALSE(is_named(star, "a.mx.example.com"));
  CHECK_FALSE(is_named(with_names({"*.com"}), "example.com"));
  CHECK_FALSE(is_named(with_names({"m*.example.com"}), "mx.example.com"));
  CHECK_FALSE(is_named(with_names({"mx.*.com"}), "mx.example.com"));
  CHECK_FALSE(is_named(with_names({"*.example.com"}), ".example.com.evil"));
}

TEST_CASE("certificate: a dot in front asks for anything below a name") {
  CHECK(is_named(with_names({"mx.example.com"}), ".example.com"));
  CHECK(is_named(with_names({"a.mx.example.com"}), ".example.com"));
  CHECK(is_named(with_names({"*.example.com"}), ".example.com"));
  CHECK_FALSE(is_named(with_names({"example.com"}), ".example.com"));
  CHECK_FALSE(is_named(with_names({"badexample.com"}), ".example.com"));
}

TEST_CASE("certificate: an address needs an address in it") {
  auto one = with_names({"192.0.2.1"});
  CHECK_FALSE(is_named(one, "192.0.2.1"));
  one.addresses = {"192.0.2.1", "2001:db8::1"};
  CHECK(is_named(one, "192.0.2.1"));
  CHECK(is_named(one, "2001:db8::1"));
}

TEST_CASE("certificate: days are counted down to nothing and beyond") {
  SeenCertificate one;
  one.not_after = 1'000'000;
  CHECK(days_left(one, 1'000'000 - 86'400) == 1);
  CHECK(days_left(one, 1'000'000 - 86'399) == 0);
  CHECK(days_left(one, 1'000'000) == 0);
  CHECK(days_left(one, 1'000'001) == -1);
  CHECK(days_left(one, 1'000'000 + 86'400) == -1);
  CHECK(days_left(one, 1'000'000 + 86'401) == -2);
}
