#include "src/jobs/compare_images.h"

#include <map>
#include <string>

#include "src/image/writer.h"
#include "tests/unit/catch.h"

using namespace jobs;
using model::Level;

namespace {

constexpr std::int64_t kNow = 1'800'000'000;

struct Row {
  Level level = Level::Encrypt;
  model::RowMode mode = model::RowMode::Enforce;
  std::int64_t expires_at = 0;
  std::string fault = {};
};
using Policy = std::map<std::string, Row>;

std::unique_ptr<image::Image> image_of(const Policy& policy) {
  image::Writer writer;
  for (const auto level : model::kLevels) {
    model::Profile profile;
    profile.name = to_word(level);
    profile.level = level;
    REQUIRE(writer.add_profile(profile).ok());
  }
  for (const auto& [destination, row] : policy) {
    const image::Writer::Row written{.destination = destination,
                                     .profile = static_cast<std::uint32_t>(row.level),
                                     .match = {},
                                     .mode = row.mode,
                                     .expires_at = row.expires_at,
                                     .fault = row.fault};
    REQUIRE(writer.add_row(written).ok());
  }
  const auto fd = writer.finish({});
  REQUIRE(fd.ok());
  auto image = image::Image::map(fd->get(), image::Image::Checksum::Now);
  REQUIRE(image.ok());
  return std::move(*image);
}

void check(const Policy& before, const Policy& after, const engine::Difference& wanted) {
  const auto difference = compare_images(*image_of(before), *image_of(after),
                                         base::sys_seconds(std::chrono::seconds(kNow)));
  CHECK(difference.rows_before == wanted.rows_before);
  CHECK(difference.rows_after == wanted.rows_after);
  CHECK(difference.dropped == wanted.dropped);
  CHECK(difference.weakened == wanted.weakened);
}

}  // namespace

TEST_CASE("compare_images: equal policies take nothing away, empty ones neither") {
  const Policy policy{{"a", {}}, {"b", {.level = Level::May}}};
  check(policy, policy, {.rows_before = 2, .rows_after = 2});
  check({}, {}, {});
  check({}, policy, {.rows_before = 0, .rows_after = 2});
}

TEST_CASE("compare_images: a row that is gone counts as dropped, wherever it stood") {
  check({{"a", {}}, {"b", {}}, {"c", {}}}, {{"b", {}}},
        {.rows_before = 3, .rows_after = 1, .dropped = 2});
  check({{"b", {}}}, {{"a", {}}, {"c", {}}}, {.rows_before = 1, .rows_after = 2, .dropped = 1});
  check({{"a", {}}}, {}, {.rows_before = 1, .rows_after = 0, .dropped = 1});
}

TEST_CASE("compare_images: a row that ceases to hold counts as dropped") {
  check({{"a", {}}, {"b", {}}},
        {{"a", {.mode = model::RowMode::Observe}}, {"b", {.expires_at = kNow}}},
        {.rows_before = 2, .rows_after = 0, .dropped = 2});
  check({{"a", {}}}, {{"a", {.expires_at = kNow + 1}}}, {.rows_before = 1, .rows_after = 1});
}

TEST_CASE("compare_images: an old row that doesn't hold can't be lost") {
  check({{"a", {.mode = model::RowMode::Observe}}, {"b", {.expires_at = kNow}}}, {},
        {.rows_before = 0, .rows_after = 0});
  check({{"a", {.level = Level::Secure, .mode = model::RowMode::Observe}}},
        {{"a", {.level = Level::None}}}, {.rows_before = 0, .rows_after = 1});
}

TEST_CASE("compare_images: a looser level counts as weakened, a stricter one doesn't") {
  check({{"a", {}}, {"b", {}}, {"c", {}}},
        {{"a", {.level = Level::May}}, {"b", {.level = Level::Secure}}, {"c", {}}},
        {.rows_before = 3, .rows_after = 3, .weakened = 1});
}

TEST_CASE("compare_images: a faulty row holds, asks for all and hides nothing when it goes") {
  check({{"a", {}}, {"b", {.fault = "broken"}}, {"c", {.fault = "broken"}}},
        {{"a", {.fault = "broken"}}, {"b", {.level = Level::None}}},
        {.rows_before = 3, .rows_after = 2, .dropped = 1});
}
