#include "src/model/profile.h"

#include <string>

#include "tests/unit/catch.h"

using namespace model;

namespace {

Profile profile_of(Level level, Fallback fallback) {
  Profile profile;
  profile.name = "test";
  profile.level = level;
  profile.fallback = fallback;
  if (fallback == Fallback::Reroute) profile.reroute_to = "escrow:";
  return profile;
}

// The profile is refused, and the sentence names what is at fault.
void check_refused(const Profile& profile, std::string_view named) {
  const auto fault = find_contradiction(profile);
  REQUIRE(fault);
  INFO(*fault);
  CHECK(fault->find(named) != std::string::npos);
}

}  // namespace

TEST_CASE("profile: the shipped combinations of level and fallback hold together") {
  struct Shipped {
    Level level;
    Fallback fallback;
  };
  for (const auto& [level, fallback] :
       {Shipped{Level::None, Fallback::Never}, Shipped{Level::May, Fallback::AfterRetry},
        Shipped{Level::May, Fallback::UnlessOffered}, Shipped{Level::May, Fallback::Native},
        Shipped{Level::Encrypt, Fallback::Never}, Shipped{Level::Verify, Fallback::Never},
        Shipped{Level::Secure, Fallback::Never}, Shipped{Level::Fingerprint, Fallback::Never},
        Shipped{Level::Dane, Fallback::Never}, Shipped{Level::DaneOnly, Fallback::Never}}) {
    INFO(to_word(level) << " " << to_word(fallback));
    CHECK_FALSE(find_contradiction(profile_of(level, fallback)));
  }
}

TEST_CASE("profile: a fallback that contradicts its level is refused") {
  for (const auto level : kLevels) {
    INFO(to_word(level));
    const bool weak = level == Level::None || level == Level::May;
    const auto is_taken = [level](Fallback fallback) {
      return !find_contradiction(profile_of(level, fallback));
    };
    CHECK(is_taken(Fallback::Never));
    CHECK(is_taken(Fallback::Bounce) == !weak);
    CHECK(is_taken(Fallback::Reroute) == !weak);
    CHECK(is_taken(Fallback::Native) == (level == Level::May || level == Level::Dane));
    // Neither lowers verify, secure, dane or fingerprint.
    CHECK(is_taken(Fallback::AfterRetry) == (weak || level == Level::Encrypt));
    CHECK(is_taken(Fallback::UnlessOffered) == weak);
  }
}

TEST_CASE("profile: reroute and reroute_to need each other") {
  auto profile = profile_of(Level::Encrypt, Fallback::Reroute);
  profile.reroute_to.clear();
  check_refused(profile, "needs reroute_to");
  profile.fallback = Fallback::Never;
  profile.reroute_to = "escrow:";
  check_refused(profile, "reroute_to has a meaning");
}

TEST_CASE("profile: durations and counts keep to their range") {
  struct Field {
    std::optional<std::int64_t> Profile::*member;
    std::string_view name;
    std::int64_t least;
    std::int64_t most;
  };
  for (const auto& [member, name, least, most] :
       {Field{&Profile::attempts, "attempts", 1, kMostAttempts},
        Field{&Profile::retry_after, "retry_after", 1, kLongestDuration},
        Field{&Profile::failure_memory, "failure_memory", 1, kLongestDuration},
        Field{&Profile::downgrade_for, "downgrade_for", 1, kLongestDuration},
        Field{&Profile::downgrade_max, "downgrade_max", 1, kLongestDuration},
        Field{&Profile::remember_for, "remember_for", 0, kLongestDuration}}) {
    auto profile = profile_of(Level::May, Fallback::AfterRetry);
    for (const auto good : {least, most}) {
      profile.*member = good;
      CHECK_FALSE(find_contradiction(profile));
    }
    for (const auto bad : {least - 1, most + 1}) {
      profile.*member = bad;
      check_refused(profile, name);
    }
  }
  auto profile = profile_of(Level::May, Fallback::AfterRetry);
  profile.downgrade_for = 3600;
  profile.downgrade_max = 3599;
  check_refused(profile, "downgrade_max is less");
}

TEST_CASE("profile: an attribute the level has no use for is refused") {
  auto profile = profile_of(Level::Encrypt, Fallback::Never);
  profile.tafile = "/etc/ssl/anchor.pem";
  check_refused(profile, "tafile");
  profile.level = Level::Secure;
  CHECK_FALSE(find_contradiction(profile));

  profile = profile_of(Level::Encrypt, Fallback::Never);
  profile.protocols = "!SSLv2";
  profile.min_protocol = TlsVersion::Tls12;
  check_refused(profile, "exclude each other");

  profile = profile_of(Level::None, Fallback::Never);
  profile.ciphers = "high";
  check_refused(profile, "level none uses no TLS");
  // Where the level may rise by itself the attributes have their use.
  profile.fallback = Fallback::AfterRetry;
  CHECK_FALSE(find_contradiction(profile));

  profile = profile_of(Level::May, Fallback::AfterRetry);
  profile.first_contact = Level::Verify;
  check_refused(profile, "first_contact");
  profile.first_contact = Level::Encrypt;
  profile.downgrade_to = Level::Encrypt;
  check_refused(profile, "downgrade_to");
}

TEST_CASE("profile: a name is short and plain") {
  for (const std::string& good : {std::string("a"), std::string("dane-only"), std::string("x_1.y"),
                                  std::string(kLongestProfileName, 'n')}) {
    CHECK(is_profile_name(good));
  }
  for (const std::string& bad : {std::string(), std::string("-a"), std::string(".a"),
                                 std::string("a b"), std::string("\xc3\xa4"), std::string("a\0", 2),
                                 std::string(kLongestProfileName + 1, 'n')}) {
    CHECK_FALSE(is_profile_name(bad));
  }
  auto profile = profile_of(Level::May, Fallback::Never);
  profile.name = "two words";
  check_refused(profile, "profile name");
}

TEST_CASE("profile: fingerprint needs pins, and match goes with three levels alone") {
  for (const auto level : kLevels) {
    INFO(to_word(level));
    const auto profile = profile_of(level, Fallback::Never);
    CHECK(find_match_fault(profile, "").has_value() == (level == Level::Fingerprint));
    CHECK(find_match_fault(profile, "AA:BB").has_value() == !is_match_allowed(level));
  }
}
