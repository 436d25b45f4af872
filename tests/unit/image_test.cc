#include <xxhash.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tests/unit/built_image.h"

using namespace image;
using namespace tests;

TEST_CASE("image: every field of a row comes back") {
  Writer writer;
  REQUIRE(*writer.add_profile(profile_named("first")) == 0);
  REQUIRE(*writer.add_profile(profile_named("second")) == 1);
  add(writer, {.destination = "*", .profile = 1});
  add(writer, {.destination = ".example", .profile = 0, .mode = model::RowMode::Observe});
  add(writer, {.destination = "a.example", .profile = 1, .match = "AA:BB", .expires_at = -5});
  add(writer, {.destination = "b.example",
               .profile = 77,
               .match = "AA:BB",
               .mode = model::RowMode::Observe,
               .expires_at = 1'900'000'000,
               .fault = "no such profile"});
  const auto fd = finish(writer);
  const auto image = mapped(fd);

  const auto any = image->find("*");
  REQUIRE(any);
  CHECK(any->destination == "*");
  REQUIRE(any->profile != nullptr);
  CHECK(any->profile->name == "second");
  CHECK(any->match.empty());
  CHECK(any->mode == model::RowMode::Enforce);
  CHECK(any->expires_at == 0);
  CHECK(any->fault.empty());

  CHECK(image->find(".example")->mode == model::RowMode::Observe);
  CHECK(image->find(".example")->profile->name == "first");
  CHECK(image->find("a.example")->match == "AA:BB");
  CHECK(image->find("a.example")->expires_at == -5);

  const auto faulty = image->find("b.example");
  REQUIRE(faulty);
  CHECK(faulty->profile == nullptr);
  CHECK(faulty->fault == "no such profile");
  CHECK(faulty->match == "AA:BB");
  CHECK(faulty->mode == model::RowMode::Observe);
  CHECK(faulty->expires_at == 1'900'000'000);

  for (const auto* absent : {"", "c.example", "A.example", "a.exampl", "a.example.", "example"}) {
    INFO(absent);
    CHECK_FALSE(image->find(absent));
  }
}

TEST_CASE("image: every field of a profile comes back") {
  model::Profile full = profile_named("full");
  full.level = model::Level::Secure;
  full.fallback = model::Fallback::Reroute;
  full.first_contact = model::Level::Encrypt;
  full.protocols = "!SSLv2:!SSLv3";
  full.min_protocol = model::TlsVersion::Tls13;
  full.ciphers = "high";
  full.exclude = "RC4";
  full.tafile = "/etc/ssl/anchor.pem";
  full.servername = "hostname";
  full.connection_reuse = true;
  full.enable_rpk = false;
  full.attempts = 3;
  full.retry_after = 60;
  full.failure_memory = 61;
  full.downgrade_to = model::Level::None;
  full.downgrade_for = 62;
  full.downgrade_max = 63;
  full.remember_for = 0;
  full.reroute_to = "escrow:";
  full.comment =
      "b\xc3\xbc"
      "cher\n";
  Writer writer;
  REQUIRE(writer.add_profile(full).ok());
  REQUIRE(writer.add_profile(profile_named("bare")).ok());
  const auto fd = finish(writer);
  const auto image = mapped(fd);
  REQUIRE(image->profiles().size() == 2);
  CHECK(image->profiles()[0] == full);
  CHECK(image->profiles()[1] == profile_named("bare"));
}

TEST_CASE("image: an empty policy is a policy") {
  Writer writer;
  const auto fd = finish(writer);
  const auto image = mapped(fd);
  CHECK_FALSE(image->find("example.com"));
  CHECK_FALSE(image->find(""));
  CHECK(image->stamp().rows == 0);
  image->for_each_row([](const model::PolicyRow&) {
    FAIL("there is no row");
    return true;
  });
}

TEST_CASE("image: each of many rows is found, none besides, and the walk is in order") {
  std::map<std::string, std::uint32_t> wanted;
  std::mt19937 random(7);
  while (wanted.size() < 20'000) {
    std::string name;
    for (std::size_t i = 1 + random() % 30; i > 0; --i) {
      name += static_cast<char>('a' + random() % 26);
    }
    wanted.emplace(name, random() % 3);
  }
  Writer writer;
  for (const auto* name : {"0", "1", "2"}) REQUIRE(writer.add_profile(profile_named(name)).ok());
  writer.expect_rows(10);
  for (const auto& [name, profile] : wanted) {
    add(writer, {.destination = name, .profile = profile});
  }
  const auto fd = finish(writer);
  const auto image = mapped(fd);
  CHECK(image->stamp().rows == wanted.size());

  std::size_t right = 0;
  for (const auto& [name, profile] : wanted) {
    const auto row = image->find(name);
    const bool is_right =
        row && row->destination == name && row->profile->name == std::to_string(profile);
    const bool is_alone = wanted.contains(name + "q") || !image->find(name + "q");
    if (is_right && is_alone) ++right;
  }
  CHECK(right == wanted.size());

  auto next = wanted.begin();
  bool is_same = true;
  image->for_each_row([&](const model::PolicyRow& row) {
    is_same = is_same && next != wanted.end() && row.destination == next->first;
    ++next;
    return is_same;
  });
  CHECK(is_same);
  CHECK(next == wanted.end());
}

TEST_CASE("image: the walk ends when the visitor has seen enough") {
  Writer writer;
  REQUIRE(writer.add_profile(profile_named("p")).ok());
  for (const auto* name : {"a", "b", "c"}) add(writer, {.destination = name});
  const auto fd = finish(writer);
  int seen = 0;
  mapped(fd)->for_each_row([&seen](const model::PolicyRow&) { return ++seen < 2; });
  CHECK(seen == 2);
}

TEST_CASE("image: the stamp counts, and its digest knows the content but not the hour") {
  const auto build = [](std::string_view match, base::sys_seconds at) {
    Writer writer;
    REQUIRE(writer.add_profile(profile_named("p")).ok());
    add(writer, {.destination = "a", .match = match});
    add(writer, {.destination = "b", .fault = "broken"});
    const auto fd = finish(writer, at);
    return mapped(fd)->stamp();
  };
  const auto stamp = build("x", kBuilt);
  CHECK(stamp.built_at == kBuilt.time_since_epoch().count());
  CHECK(stamp.rows == 2);
  CHECK(stamp.faulty_rows == 1);
  CHECK(stamp.profiles == 1);
  CHECK(build("x", kBuilt + std::chrono::seconds(1)).digest == stamp.digest);
  CHECK(build("y", kBuilt).digest != stamp.digest);
}

TEST_CASE("image: a text that many rows share is stored once") {
  const std::string pins(5'000, 'A');
  Writer writer;
  REQUIRE(writer.add_profile(profile_named("p")).ok());
  for (int i = 100; i < 200; ++i) {
    const auto name = std::to_string(i);
    if (i % 2 == 0) {
      add(writer, {.destination = name, .match = pins});
    } else {
      add(writer, {.destination = name, .fault = "one and the same"});
    }
  }
  const auto fd = finish(writer);
  const auto image = mapped(fd);
  CHECK(image->size_in_bytes() < 2 * pins.size());
  CHECK(image->find("150")->match == pins);
  CHECK(image->find("151")->fault == "one and the same");
}

TEST_CASE("image: a row of a 20-letter name costs at most 45 bytes") {
  Writer writer;
  REQUIRE(writer.add_profile(profile_named("p")).ok());
  constexpr std::size_t kRows = 10'000;
  for (std::size_t i = 0; i < kRows; ++i) {
    add(writer, {.destination = std::to_string(10'000'000 + i) + ".example.com"});
  }
  const auto fd = finish(writer);
  CHECK(mapped(fd)->size_in_bytes() <= kRows * 45);
}

TEST_CASE("image: the writer refuses what a reader couldn't find again, and stays as it was") {
  Writer writer;
  REQUIRE(writer.add_profile(profile_named("p")).ok());
  add(writer, {.destination = "b"});
  const std::string too_long(kLongestText + 1, 'x');
  for (const auto& bad :
       {Writer::Row{.destination = "b"}, Writer::Row{.destination = "a"},
        Writer::Row{.destination = ""}, Writer::Row{.destination = "c", .profile = 1},
        Writer::Row{.destination = std::string_view(too_long).substr(0, kLongestKey + 1)},
        Writer::Row{.destination = "c", .match = too_long}}) {
    CHECK_FALSE(writer.add_row(bad).ok());
  }
  auto profile = profile_named("q");
  profile.exclude = too_long;
  CHECK_FALSE(writer.add_profile(profile).ok());
  add(writer, {.destination = "c"});
  const auto fd = finish(writer);
  const auto image = mapped(fd);
  CHECK(image->stamp().rows == 2);
  CHECK(image->stamp().profiles == 1);
  CHECK(image->find("c"));
}

TEST_CASE("image: bytes above 127 come behind all others, as SQLite has it") {
  Writer writer;
  REQUIRE(writer.add_profile(profile_named("p")).ok());
  add(writer, {.destination = "z", .fault = "f"});
  add(writer, {.destination = "\xc3\xbc.example", .fault = "not normal"});
  const auto fd = finish(writer);
  CHECK(mapped(fd)->find("\xc3\xbc.example"));
}

TEST_CASE("image: the longest texts fit, a longer fault is cut") {
  const std::string longest(kLongestText, 'm');
  const std::string name(kLongestKey, 'n');
  Writer writer;
  auto profile = profile_named("p");
  profile.comment = std::string(kLongestText + 9, 'c');
  REQUIRE(writer.add_profile(profile).ok());
  add(writer, {.destination = name, .match = longest, .fault = longest});
  const auto fd = finish(writer);
  const auto image = mapped(fd);
  REQUIRE(image->find(name));
  CHECK(image->find(name)->match == longest);
  CHECK(image->find(name)->fault == longest.substr(0, kLongestFault));
  CHECK(image->profiles()[0].comment.size() == kLongestText);
}

TEST_CASE("image: a finished writer begins anew") {
  Writer writer;
  REQUIRE(writer.add_profile(profile_named("p")).ok());
  add(writer, {.destination = "b", .match = "text"});
  const auto first = finish(writer);
  CHECK_FALSE(writer.add_row({.destination = "c"}).ok());
  REQUIRE(*writer.add_profile(profile_named("q")) == 0);
  add(writer, {.destination = "a", .match = "text"});
  const auto second = finish(writer);
  const auto image = mapped(second);
  CHECK_FALSE(image->find("b"));
  CHECK(image->find("a")->match == "text");
  CHECK(image->stamp().rows == 1);
}

TEST_CASE("image: a mapping lives on when its descriptor is closed") {
  Writer writer;
  REQUIRE(writer.add_profile(profile_named("p")).ok());
  add(writer, {.destination = "a.example"});
  auto fd = finish(writer);
  const auto image = mapped(fd);
  fd.reset();
  CHECK(image->find("a.example"));
}

TEST_CASE(
    "image: a copy is made and verified slice by slice, and lives on without its descriptor") {
  Writer writer;
  REQUIRE(writer.add_profile(profile_named("p")).ok());
  std::vector<std::string> names;
  for (int i = 0; i < 500; ++i) names.push_back("d" + std::to_string(100'000 + i) + ".example");
  for (const auto& name : names) add(writer, {.destination = name});
  auto fd = finish(writer);
  auto image = Image::load(fd.get(), Image::Checksum::Later);
  REQUIRE(image.ok());
  fd.reset();
  int slices = 1;
  while (true) {
    const auto verified = (*image)->verify_some(1000);
    REQUIRE(verified.ok());
    if (*verified) break;
    ++slices;
  }
  CHECK(slices > 10);
  std::size_t found = 0;
  for (const auto& name : names) {
    if ((*image)->find(name)) ++found;
  }
  CHECK(found == names.size());
}

TEST_CASE("image: two names of one tag are told apart") {
  std::unordered_map<std::uint32_t, std::string> by_tag;
  std::pair<std::string, std::string> alike;
  for (int i = 0; alike.first.empty(); ++i) {
    auto name = "d" + std::to_string(i) + ".example";
    const auto tag = static_cast<std::uint32_t>(XXH3_64bits(name.data(), name.size()) >> 32U);
    const auto [known, is_new] = by_tag.emplace(tag, name);
    if (!is_new) alike = std::minmax(known->second, name);
  }
  Writer one;
  REQUIRE(one.add_profile(profile_named("p")).ok());
  add(one, {.destination = alike.first});
  const auto fd = finish(one);
  CHECK(mapped(fd)->find(alike.first));
  CHECK_FALSE(mapped(fd)->find(alike.second));
  Writer both;
  REQUIRE(both.add_profile(profile_named("p")).ok());
  add(both, {.destination = alike.first, .match = "first"});
  add(both, {.destination = alike.second, .match = "second"});
  const auto two = finish(both);
  CHECK(mapped(two)->find(alike.first)->match == "first");
  CHECK(mapped(two)->find(alike.second)->match == "second");
}

TEST_CASE("image: the rows of a large policy don't fit into a processor's cache") {
  Writer writer;
  REQUIRE(writer.add_profile(profile_named("p")).ok());
  for (int i = 100'000; i < 120'000; ++i) {
    add(writer, {.destination = "d" + std::to_string(i) + ".example"});
  }
  const auto fd = finish(writer);
  CHECK(mapped(fd)->is_large());
}

TEST_CASE("image: what is beyond the limits of an image is refused, and the rest stays") {
  const auto refusal = [](const auto& added) {
    return added.ok() ? std::string("taken") : added.error();
  };
  Writer writer({.profiles = 1, .rows = 2, .rules = 1});
  CHECK(refusal(writer.add_profile(profile_named("p"))) == "taken");
  CHECK(refusal(writer.add_profile(profile_named("q"))) == "more than 1 profiles");
  CHECK(refusal(writer.add_rule(model::InboundRule{})) == "taken");
  CHECK(refusal(writer.add_rule(model::InboundRule{})) == "table inbound has more than 1 rows");
  CHECK(refusal(writer.add_rule(model::SubmissionRule{})) == "taken");
  CHECK(refusal(writer.add_rule(model::SubmissionRule{})) ==
        "table submission has more than 1 rows");
  CHECK(refusal(writer.add_row({.destination = "a"})) == "taken");
  CHECK(refusal(writer.add_row({.destination = "b"})) == "taken");
  CHECK(refusal(writer.add_row({.destination = "c"})) == "row \"c\" is one more than 2");
  const auto fd = finish(writer);
  CHECK(mapped(fd)->stamp().rows == 2);
  CHECK(mapped(fd)->inbound_rules().size() == 1);
}

TEST_CASE("image: neither its sections nor the whole grow beyond what offsets can name") {
  const std::string name(kLongestKey, 'n');
  const std::string text(kLongestText, 't');
  constexpr std::uint64_t kRoom = 2 * (kLongestText + kLongestFault);
  Writer records({.section = kRoom});
  REQUIRE(records.add_profile(profile_named("p")).ok());
  base::Result<void> added;
  int rows = 0;
  for (; added.ok() && rows < 1'000; ++rows) {
    const auto number = std::to_string(100 + rows);
    const auto long_name = number + name.substr(number.size());
    added = records.add_row({.destination = long_name});
  }
  CHECK_FALSE(added.ok());
  CHECK(rows > 50);
  Writer pool({.section = kRoom});
  REQUIRE(pool.add_profile(profile_named("p")).ok());
  add(pool, {.destination = "a", .match = "m"});
  CHECK_FALSE(pool.add_row({.destination = "b"}).ok());
  Writer whole({.image = sizeof(Header) + 9});
  add(whole, {.destination = "a", .fault = "f"});
  const auto finished = whole.finish(kBuilt);
  REQUIRE_FALSE(finished.ok());
  CHECK(finished.error().starts_with("the policy image would have "));
}
