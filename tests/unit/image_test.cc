#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

#include <cstring>
#include <map>
#include <random>
#include <string>

#include "src/image/reader.h"
#include "src/image/sealed_file.h"
#include "src/image/writer.h"
#include "tests/unit/catch.h"

using namespace image;

namespace {

constexpr base::sys_seconds kBuilt{std::chrono::seconds(1'800'000'000)};

model::Profile profile_named(std::string name) {
  model::Profile profile;
  profile.name = std::move(name);
  return profile;
}

std::string bytes_of(int fd) {
  std::string bytes;
  char chunk[4096];
  for (ssize_t got = 0;
       (got = pread(fd, chunk, sizeof(chunk), static_cast<off_t>(bytes.size()))) > 0;) {
    bytes.append(chunk, static_cast<std::size_t>(got));
  }
  return bytes;
}

base::UniqueFd finish(Writer& writer, base::sys_seconds built_at = kBuilt) {
  auto fd = writer.finish(built_at);
  REQUIRE(fd.ok());
  return std::move(*fd);
}

std::unique_ptr<Image> mapped(const base::UniqueFd& fd,
                              Image::Checksum when = Image::Checksum::Now) {
  auto image = Image::map(fd.get(), when);
  INFO((image.ok() ? std::string() : image.error()));
  REQUIRE(image.ok());
  return std::move(*image);
}

void add(Writer& writer, const Writer::Row& row) {
  const auto added = writer.add_row(row);
  INFO((added.ok() ? std::string() : added.error()));
  REQUIRE(added.ok());
}

// Bytes with one row "a.example" of profile "p".
std::string small_image() {
  Writer writer;
  REQUIRE(writer.add_profile(profile_named("p")).ok());
  add(writer, {.destination = "a.example"});
  return bytes_of(finish(writer).get());
}

Header header_of(std::string_view bytes) {
  Header header;
  std::memcpy(&header, bytes.data(), sizeof(Header));
  return header;
}

// With a header that agrees with itself again.
std::string with_header(std::string bytes, Header header) {
  header.checksum = XXH3_64bits(&header, offsetof(Header, checksum));
  std::memcpy(bytes.data(), &header, sizeof(Header));
  return bytes;
}

std::string refusal(const std::string& bytes) {
  const auto image = Image::over(bytes);
  return image.ok() ? "taken" : image.error();
}

}  // namespace

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

TEST_CASE("image: an unsealed descriptor is refused, whatever is in it") {
  const auto bytes = small_image();
  const base::UniqueFd fd(memfd_create("unsealed", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  REQUIRE(write(fd.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  CHECK_FALSE(Image::map(fd.get(), Image::Checksum::Now).ok());
  REQUIRE(fcntl(fd.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK) == 0);
  CHECK_FALSE(Image::map(fd.get(), Image::Checksum::Now).ok());
  REQUIRE(fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SEAL) == 0);
  CHECK(Image::map(fd.get(), Image::Checksum::Now).ok());
  CHECK_FALSE(Image::map(-1, Image::Checksum::Now).ok());
}

TEST_CASE("image: no bit can change without a refusal") {
  const auto good = small_image();
  std::size_t noticed = 0;
  for (std::size_t at = 0; at < good.size(); ++at) {
    auto bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    const auto fd = seal({bad});
    REQUIRE(fd.ok());
    if (!Image::map(fd->get(), Image::Checksum::Now).ok()) ++noticed;
  }
  CHECK(noticed == good.size());
}

TEST_CASE("image: a file cut short or grown is refused") {
  const auto good = small_image();
  for (std::size_t size = 0; size < good.size(); ++size) {
    CHECK(refusal(good.substr(0, size)) != "taken");
  }
  CHECK(refusal(good + '\0') != "taken");
  CHECK(refusal(good) == "taken");
}

TEST_CASE("image: a later format is refused by its number") {
  const auto good = small_image();
  auto header = header_of(good);
  header.version = kFormatVersion + 1;
  CHECK(refusal(with_header(good, header)).find("format 2") != std::string::npos);
  header = header_of(good);
  header.magic[0] = 'X';
  CHECK(refusal(with_header(good, header)).find("no policy image") != std::string::npos);
}

TEST_CASE("image: a header that contradicts itself is refused, even with a right checksum") {
  const auto good = small_image();
  struct Change {
    const char* what;
    void (*apply)(Header&);
  };
  for (const auto& [what, apply] : {
           Change{"more rows than slots", [](Header& h) { h.rows = h.slots + 1; }},
           Change{"too many rows", [](Header& h) { h.rows = kMostRows + 1; }},
           Change{"more faults than rows", [](Header& h) { h.faulty_rows = h.rows + 1; }},
           Change{"more slots than bytes", [](Header& h) { ++h.slots; }},
           Change{"a profile too many", [](Header& h) { ++h.profiles; }},
           Change{"a profile too few", [](Header& h) { --h.profiles; }},
           Change{"profiles before the header's end", [](Header& h) { h.profiles_end = 80; }},
           Change{"records behind the pool", [](Header& h) { h.records_end = h.pool_end + 1; }},
           Change{"a pool behind the end", [](Header& h) { h.pool_end = ~std::uint64_t{0} - 7; }},
           Change{"another length", [](Header& h) { ++h.image_end; }},
       }) {
    INFO(what);
    auto header = header_of(good);
    apply(header);
    CHECK(refusal(with_header(good, header)) != "taken");
  }
}

TEST_CASE("image: verify_some checks a large content in slices") {
  const auto good = small_image();
  auto image = std::move(*Image::over(good));
  int slices = 1;
  for (auto done = image->verify_some(10); done.ok() && !*done; done = image->verify_some(10)) {
    ++slices;
  }
  CHECK(slices == static_cast<int>((good.size() - sizeof(Header) + 9) / 10));
  CHECK(*image->verify_some(10));

  auto bad = good;
  bad.back() = static_cast<char>(bad.back() ^ 1);
  auto damaged = std::move(*Image::over(bad));
  CHECK_FALSE(damaged->verify_some(bad.size()).ok());
  CHECK_FALSE(damaged->verify_some(bad.size()).ok());
}

TEST_CASE("image: a row whose bytes are damaged is found as a faulty one") {
  const auto good = small_image();
  const auto header = header_of(good);
  auto bad = good;
  // The head of the only record: a destination of 2047 bytes.
  bad[header.profiles_end + 2] = '\xff';
  bad[header.profiles_end + 3] = '\x0f';
  const auto image = std::move(*Image::over(bad));
  const auto row = image->find("a.example");
  REQUIRE(row);
  CHECK_FALSE(row->fault.empty());
  CHECK(row->destination == "a.example");
  CHECK_FALSE(image->rows().next());
  // A profile that isn't there.
  bad = good;
  bad[header.profiles_end] = 9;
  const auto other = std::move(*Image::over(bad));
  REQUIRE(other->find("a.example"));
  CHECK_FALSE(other->find("a.example")->fault.empty());
  CHECK(other->find("a.example")->profile == nullptr);
}
