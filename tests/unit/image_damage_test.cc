#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

#include <cstring>
#include <string>

#include "src/image/sealed_file.h"
#include "tests/unit/built_image.h"

using namespace image;
using namespace tests;

namespace {

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
  CHECK_FALSE(Image::load(-1, Image::Checksum::Now).ok());
}

TEST_CASE("image: no bit can change without a refusal") {
  const auto good = small_image();
  std::size_t noticed = 0;
  for (std::size_t at = 0; at < good.size(); ++at) {
    auto bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    const auto fd = seal("tlspolicyd-image", {bad});
    REQUIRE(fd.ok());
    const bool is_mapped = Image::map(fd->get(), Image::Checksum::Now).ok();
    const bool is_loaded = Image::load(fd->get(), Image::Checksum::Now).ok();
    if (!is_mapped && !is_loaded) ++noticed;
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
           Change{"more homes than slots", [](Header& h) { h.home_slots = h.slots + 1; }},
           Change{"no homes", [](Header& h) { h.home_slots = 0; }},
           Change{"more slots than bytes", [](Header& h) { ++h.slots; }},
           Change{"a profile too many", [](Header& h) { ++h.profiles; }},
           Change{"a profile too few", [](Header& h) { --h.profiles; }},
           Change{"profiles before the header's end", [](Header& h) { h.profiles_end = 80; }},
           Change{"records behind the pool", [](Header& h) { h.records_end = h.pool_end + 1; }},
           Change{"a pool behind the end", [](Header& h) { h.pool_end = ~std::uint64_t{0} - 7; }},
           Change{"profiles behind the rules", [](Header& h) { h.profiles_end = h.rules_end + 1; }},
           Change{"rules behind the records", [](Header& h) { h.rules_end = h.records_end + 1; }},
           Change{"too many profiles", [](Header& h) { h.profiles = kMostProfiles + 1; }},
           Change{"too many inbound rules", [](Header& h) { h.inbound_rules = kMostRules + 1; }},
           Change{"too many submission rules",
                  [](Header& h) { h.submission_rules = kMostRules + 1; }},
           Change{"a rule too many", [](Header& h) { ++h.inbound_rules; }},
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

TEST_CASE("image: a descriptor that is too large or too short is refused by its size") {
  const auto refusal_of = [](int fd) {
    const auto image = Image::map(fd, Image::Checksum::Now);
    return image.ok() ? "taken" : image.error();
  };
  const base::UniqueFd huge(memfd_create("huge", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  REQUIRE(ftruncate(huge.get(), static_cast<off_t>(kLargestImage) + 1) == 0);
  REQUIRE(fcntl(huge.get(), F_ADD_SEALS,
                F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) == 0);
  CHECK(refusal_of(huge.get()) == "policy image refused: its size is out of bounds");
  const auto tiny = seal("tiny", {"x"});
  REQUIRE(tiny.ok());
  CHECK(refusal_of(tiny->get()) == "policy image refused: it is too short");
}

TEST_CASE("image: a rule whose bytes are damaged refuses the image by its place") {
  const auto with_rules = [](int inbound, int submission) {
    Writer writer;
    for (int i = 0; i < inbound; ++i) REQUIRE(writer.add_rule(model::InboundRule{}).ok());
    for (int i = 0; i < submission; ++i) REQUIRE(writer.add_rule(model::SubmissionRule{}).ok());
    return bytes_of(finish(writer).get());
  };
  const auto changed = [](std::string bytes, std::size_t at, char to) {
    bytes[sizeof(Header) + at] = to;
    return refusal(bytes);
  };
  // Behind the number: what is required, what happens, the oldest TLS, ... the length of a text.
  const auto inbound = with_rules(1, 0);
  for (const std::size_t at : {8U, 9U, 10U, 31U}) {
    CHECK(changed(inbound, at, '\x7f') == "policy image refused: its inbound rule 0 is damaged");
  }
  CHECK(changed(inbound, 10, '\x01') == "taken");
  const auto submission = with_rules(0, 1);
  for (const std::size_t at : {0U, 1U, 2U, 12U}) {
    CHECK(changed(submission, at, '\x7f') ==
          "policy image refused: its submission rule 0 is damaged");
  }
  CHECK(changed(submission, 2, '\x00') == "taken");
  // A rule that nobody counts.
  auto header = header_of(inbound);
  header.inbound_rules = 0;
  CHECK(refusal(with_header(inbound, header)) == "policy image refused: its rules are damaged");
}

TEST_CASE("image: a row without a name, or with an empty text, is damaged") {
  Writer writer;
  REQUIRE(writer.add_profile(profile_named("p")).ok());
  add(writer, {.destination = "a.example", .match = "text"});
  const auto good = bytes_of(finish(writer).get());
  const auto header = header_of(good);
  const auto is_damaged = [](const std::string& bytes) {
    const auto image = std::move(*Image::over(bytes));
    const auto row = image->find("a.example");
    return row && !row->fault.empty() && !image->rows().next();
  };
  CHECK_FALSE(is_damaged(good));
  // The offset of the match, and the length that stands there.
  for (const auto at : {header.rules_end + 4, header.records_end}) {
    auto bad = good;
    bad[at] = at == header.records_end ? '\0' : '\x7f';
    CHECK(is_damaged(bad));
  }
  auto nameless = good;
  std::uint32_t head = 0;
  std::memcpy(&head, nameless.data() + header.rules_end, sizeof head);
  head &= ~(kKeyMask << kProfileBits);
  std::memcpy(nameless.data() + header.rules_end, &head, sizeof head);
  CHECK(is_damaged(nameless));
}

TEST_CASE("image: to look ahead finds nothing and harms nothing, whatever the slots say") {
  Writer writer;
  REQUIRE(writer.add_profile(profile_named("p")).ok());
  add(writer, {.destination = "a.example"});
  add(writer, {.destination = "b.example"});
  auto bytes = bytes_of(finish(writer).get());
  const auto look = [&bytes](std::string_view name) {
    const auto image = std::move(*Image::over(bytes));
    CHECK_FALSE(image->is_large());
    image->look_further(image->look_ahead(name));
  };
  for (int i = 0; i < 1'000; ++i) look("d" + std::to_string(i));
  look("a.example");
  // Every slot points behind the records.
  const auto header = header_of(bytes);
  for (auto at = header.pool_end; at < header.image_end; at += sizeof(std::uint64_t)) {
    std::memset(bytes.data() + at, 0x7f, sizeof(std::uint32_t));
  }
  look("a.example");
  look("b.example");
}
