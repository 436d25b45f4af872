// Which profile the lines of a table share.
#include "src/app/profile_book.h"

#include "src/app/profile_settings.h"
#include "tests/unit/catch.h"
#include "tlsmap/policy_parse.h"

using app::ctl::ProfileBook;
using Catch::Matchers::ContainsSubstring;

namespace {

model::Profile profile(std::string_view name, std::string_view settings) {
  auto parsed = app::ctl::parse_settings(name, settings);
  INFO(settings);
  REQUIRE(parsed.ok());
  return *parsed;
}

ProfileBook book_of(const std::vector<model::Profile>& profiles) {
  std::vector<store::RowImport::FoundProfile> found;
  for (const auto& each : profiles) found.push_back({each.name, each});
  return ProfileBook(std::move(found));
}

std::string share(ProfileBook& book, std::string_view policy) {
  auto parsed = tlsmap::parse_policy(policy);
  REQUIRE(parsed.ok());
  return book.share(parsed->profile);
}

const model::Profile kRequired = [] {
  model::Profile required;
  required.name = "required";
  return required;
}();

}  // namespace

TEST_CASE("profile book: a bare level shares the shipped profile, also beside equal ones") {
  auto book = book_of({profile("a-copy", "level=encrypt fallback=never"), kRequired,
                       profile("native", "level=may fallback=native"),
                       profile("opportunistic", "level=may fallback=after-retry")});
  CHECK(share(book, "encrypt") == "required");
  CHECK(share(book, "may") == "native");
  CHECK(book.made().empty());
}

TEST_CASE("profile book: attributes share an own profile, the first by name, or make one") {
  auto book = book_of({profile("b", "level=encrypt fallback=never ciphers=high"),
                       profile("a", "level=encrypt fallback=bounce ciphers=high"),
                       profile("c", "level=encrypt fallback=never ciphers=high")});
  CHECK(share(book, "encrypt ciphers=high") == "b");
  CHECK(book.made().empty());
  CHECK(share(book, "encrypt ciphers=medium") == "encrypt-medium");
  CHECK(share(book, "encrypt ciphers=Medium") == "encrypt-medium");
  REQUIRE(book.made().size() == 1);
  CHECK(app::ctl::settings_text(book.made().front()) ==
        "level=encrypt fallback=never ciphers=medium");
}

TEST_CASE("profile book: a name that is taken gets a number") {
  auto book = book_of({profile("encrypt-high", "level=verify fallback=never"),
                       profile("encrypt-high-2", "level=verify fallback=never")});
  CHECK(share(book, "encrypt ciphers=high") == "encrypt-high-3");
  CHECK(share(book, "secure exclude=MD5") == "secure-exclude");
  CHECK(share(book, "secure exclude=RC4") == "secure-exclude-2");
}

TEST_CASE("profile book: a shipped profile that the admin changed isn't shared") {
  auto book = book_of({profile("required", "level=encrypt fallback=never ciphers=high")});
  CHECK(share(book, "encrypt") == "encrypt");
  CHECK(share(book, "encrypt ciphers=high") == "required");
}

TEST_CASE("profile book: settings that a file names are met, made, or refused") {
  auto book = book_of({kRequired});
  CHECK(book.demand("required", "level=encrypt fallback=never").ok());
  CHECK_FALSE(book.demand("own", "level=may fallback=after-retry attempts=3 reroute_to=").ok());
  CHECK(book.demand("own", "level=may fallback=after-retry attempts=3").ok());
  REQUIRE(book.made().size() == 1);
  CHECK(book.find("own")->attempts == 3);
  CHECK(book.demand("own", "level=may fallback=after-retry attempts=3").ok());
  CHECK(book.made().size() == 1);
  CHECK_THAT(book.demand("required", "level=may fallback=never").error(),
             ContainsSubstring("another one here"));
  CHECK_THAT(book.demand("x", "fallback=never").error(), ContainsSubstring("level="));
  CHECK_THAT(book.demand("x", "level=verify fallback=after-retry").error(),
             ContainsSubstring("after-retry"));
  CHECK_THAT(book.demand("x", "level=verify name=y").error(), ContainsSubstring("name=y"));
}

TEST_CASE("profile settings: every column there is comes back") {
  const std::string text =
      "level=encrypt fallback=reroute first_contact=may min_protocol=TLSv1.2 ciphers=high "
      "exclude=MD5 servername=hostname connection_reuse=yes enable_rpk=no attempts=2 retry_after=5 "
      "failure_memory=6 downgrade_to=none downgrade_for=7 downgrade_max=8 remember_for=0 "
      "reroute_to=x:y";
  CHECK(app::ctl::settings_text(profile("own", text)) == text);
  CHECK(app::ctl::settings_text(profile("own", "level=secure protocols=TLSv1.2 tafile=/a")) ==
        "level=secure fallback=never protocols=TLSv1.2 tafile=/a");
  CHECK(app::ctl::is_as_shipped(kRequired));
  CHECK_FALSE(app::ctl::is_as_shipped(profile("required", "level=may")));
  CHECK_FALSE(app::ctl::is_as_shipped(profile("required2", "level=encrypt")));
}
