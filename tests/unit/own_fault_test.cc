// Them or us: when it is our own network that strips STARTTLS.
#include "src/engine/own_fault.h"

#include <fmt/format.h>

#include "tests/unit/catch.h"
#include "tests/unit/probe_samples.h"

using engine::find_own_fault;
using engine::OfferCheck;

namespace {

constexpr std::int64_t kNow = 1'000'000;

// Hosts of `count` owners, each in a network of its own.
struct World {
  std::vector<std::string> hosts;
  std::vector<std::string> addresses;
  std::vector<OfferCheck> checks;

  explicit World(int count) {
    for (int i = 0; i < count; ++i) {
      hosts.push_back(fmt::format("mx.partner{}.example", i));
      addresses.push_back(fmt::format("198.51.{}.1", i));
    }
    for (std::size_t i = 0; i < hosts.size(); ++i) {
      checks.push_back({hosts[i], addresses[i], kNow - 60, 0, false});
    }
  }
  World& lose(int count) {
    for (int i = 0; i < count; ++i) {
      checks[static_cast<std::size_t>(i)].lost_since = kNow - 600 + i;
    }
    return *this;
  }
};

}  // namespace

TEST_CASE("them or us: many unrelated hosts that lose STARTTLS at once are us") {
  World world(10);
  CHECK_FALSE(find_own_fault(world.lose(4).checks, {}, kNow).has_value());
  world.lose(5).checks[0].is_crossed_out = true;
  const auto fault = find_own_fault(world.checks, {}, kNow);
  REQUIRE(fault.has_value());
  CHECK(fault->lost == 5);
  CHECK(fault->checked == 10);
  CHECK(fault->crossed_out == 1);
  CHECK(fault->since == kNow - 600);
  CHECK(
      fault->text.starts_with("5 of 10 unrelated hosts that offered STARTTLS before do not since "
                              "1970-01-12T13:36:40Z, 1 of them with capabilities crossed out"));
}

TEST_CASE("them or us: few of many are them") {
  CHECK_FALSE(find_own_fault(World(100).lose(19).checks, {}, kNow).has_value());
  CHECK(find_own_fault(World(100).lose(20).checks, {}, kNow).has_value());
}

TEST_CASE("them or us: hosts of one owner or one network are one") {
  World world(10);
  world.lose(10);
  for (auto& check : world.checks) check.address = "192.0.2.7";
  CHECK_FALSE(find_own_fault(world.checks, {}, kNow).has_value());
  World owner(10);
  for (std::size_t i = 0; i < 10; ++i) {
    owner.hosts[i] = fmt::format("mx{}.hoster.example", i);
    owner.checks[i].host = owner.hosts[i];
  }
  CHECK_FALSE(find_own_fault(owner.lose(10).checks, {}, kNow).has_value());
}

TEST_CASE("them or us: one /48 is one network, however its addresses are written") {
  World one(6);
  one.addresses = {"2001:db8::1",           "2001:db8:0:5::1",   "2001:0db8:0:0:0:0:0:1",
                   "2001:db8:00:0:1:2:3:4", "2001:DB8::5:6:7:8", "2001:db8:000::1:0:0:9"};
  World many(6);
  for (std::size_t i = 0; i < 6; ++i) {
    one.checks[i].address = one.addresses[i];
    many.addresses[i] = fmt::format("2001:db8:{}::1", i);
    many.checks[i].address = many.addresses[i];
  }
  CHECK_FALSE(find_own_fault(one.lose(6).checks, {}, kNow).has_value());
  CHECK(find_own_fault(many.lose(6).checks, {}, kNow).has_value());
}

TEST_CASE("them or us: what was lost long ago, or not looked at lately, does not count") {
  World old(10);
  old.lose(10);
  for (auto& check : old.checks) check.lost_since = kNow - 7 * 3'600;
  CHECK_FALSE(find_own_fault(old.checks, {}, kNow).has_value());
  World stale(10);
  stale.lose(10);
  for (auto& check : stale.checks) check.at = kNow - 6 * 3'600;
  CHECK_FALSE(find_own_fault(stale.checks, {}, kNow).has_value());
}

TEST_CASE("them or us: an owner one of whose hosts still offers it is not cut off") {
  World world(10);
  world.lose(5);
  world.hosts.emplace_back("mx2.partner0.example");
  world.checks.push_back({world.hosts.back(), "198.51.0.2", kNow - 60, 0, false});
  CHECK_FALSE(find_own_fault(world.checks, {}, kNow).has_value());
}

TEST_CASE("them or us: only hosts that offered STARTTLS before are asked about") {
  const auto record = test::record_of("partner.example", 9,
                                      {test::plain_peer("a.example"), test::plain_peer("b.example"),
                                       test::silent_peer("c.example")});
  model::WatchMemory memory;
  memory.hosts = {
      {"a.example", 5, 9, {}, {}}, {"b.example", 0, 0, {}, {}}, {"c.example", 5, 0, {}, {}}};
  const auto checks = engine::offer_checks_of(record, memory);
  REQUIRE(checks.size() == 1);
  CHECK(checks[0].host == "a.example");
  CHECK(checks[0].lost_since == 9);
}

TEST_CASE("them or us: a book of checks forgets what is older than the window") {
  engine::OfferBook book;
  for (int i = 0; i < 6; ++i) {
    const auto host = fmt::format("mx.partner{}.example", i);
    const auto record =
        test::record_of("d", kNow, {test::plain_peer(host, fmt::format("198.51.{}.1", i))});
    model::WatchMemory memory;
    memory.hosts = {{host, 5, kNow, {}, {}}};
    book.take(record, memory);
    // What is older does not take its place.
    memory.hosts[0].absent_since = 0;
    book.take(test::record_of("e", kNow - 9, {test::good_peer(host)}), memory);
  }
  CHECK(book.find({}, kNow + 1).has_value());
  CHECK(book.size() == 6);
  CHECK_FALSE(book.find({}, kNow + 6 * 3'600).has_value());
  CHECK(book.size() == 0);
}

TEST_CASE("them or us: a fault is said once, again while it lasts, and once when it is over") {
  engine::OfferBook book;
  CHECK_FALSE(book.look({}, kNow).has_value());
  for (int i = 0; i < 6; ++i) {
    const auto host = fmt::format("mx.partner{}.example", i);
    model::WatchMemory memory;
    memory.hosts = {{host, 5, kNow, {}, {}}};
    book.take(test::record_of("d", kNow, {test::plain_peer(host, fmt::format("198.51.{}.1", i))}),
              memory);
  }
  const auto first = book.look({}, kNow + 1);
  REQUIRE(first.has_value());
  CHECK((first->is_ours && first->is_new));
  CHECK_FALSE(book.look({}, kNow + engine::OfferBook::kSayAgain).has_value());
  const auto again = book.look({}, kNow + 1 + engine::OfferBook::kSayAgain);
  REQUIRE(again.has_value());
  CHECK((again->is_ours && !again->is_new));
  const auto over = book.look({}, kNow + 7 * 3'600);
  REQUIRE(over.has_value());
  CHECK((!over->is_ours && over->is_new));
  CHECK_FALSE(book.look({}, kNow + 7 * 3'600).has_value());
}

TEST_CASE("them or us: of an owner's losses the first counts, and one crossed out is enough") {
  World world(5);
  world.lose(5);
  for (const auto since : {kNow - 700, kNow - 100}) {
    world.checks.push_back(
        {"mx.partner1.example", "198.51.1.2", kNow - 60, since, since < kNow - 200});
  }
  // Offered, but that was too long ago to excuse the owner.
  world.checks.push_back({"mx.partner1.example", "198.51.1.3", kNow - 6 * 3'600, 0, false});
  const auto fault = find_own_fault(world.checks, {}, kNow);
  REQUIRE(fault.has_value());
  CHECK(fault->since == kNow - 700);
  CHECK(fault->crossed_out == 1);
  CHECK(fault->lost == 5);
}

TEST_CASE("them or us: a host of no known address stands for its owner") {
  World world(5);
  for (auto& check : world.checks) check.address = "";
  CHECK(find_own_fault(world.lose(5).checks, {}, kNow).has_value());
}

TEST_CASE("them or us: a full book counts no further host, and goes on with those it has") {
  engine::OfferBook book;
  const auto take = [&book](const std::string& host, std::int64_t at) {
    model::WatchMemory memory;
    memory.hosts = {{host, 5, 0, {}, {}}};
    book.take(test::record_of("d", at, {test::good_peer(host)}), memory);
  };
  for (std::size_t i = 0; i < engine::OfferBook::kMost; ++i)
    take(fmt::format("mx{}.example", i), 9);
  take("one-more.example", 9);
  CHECK(book.size() == engine::OfferBook::kMost);
  take("mx0.example", kNow);
  CHECK_FALSE(book.find({}, kNow).has_value());
  CHECK(book.size() == 1);
}
