// What a cold start may answer from at once: the saved image, where policy.db is as it was.
#include "src/app/saved_policy.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "src/image/sealed_file.h"
#include "tests/unit/catch.h"
#include "tests/unit/policy_source_rig.h"

using test::Watched;

namespace {

// A policy that was compiled, answered and saved by one run of the daemon.
class Saved : public Watched {
 public:
  Saved() {
    insert("a.example");
    REQUIRE(policy() == "a.example=required");
    run.set_file(image_file);
    save();
  }
  [[nodiscard]] std::uint64_t digest() const {
    return (*image::Image::map(compiled.image.get(), image::Image::Checksum::Now))->stamp().digest;
  }
  void save() {
    run.finish(compiled.image.get(), digest(), source);
    REQUIRE(run.alarm().empty());
  }
  // Asked by the next run, of the image that lies there.
  [[nodiscard]] bool is_current(std::uint64_t of) const {
    const store::PolicySource fresh(file, test::postfix_says);
    app::SavedPolicy next;
    next.set_file(image_file);
    return next.is_current(fresh, of);
  }

  std::string image_file = folder.path("policy.image");
  std::string mark_file = image_file + ".mark";
  app::SavedPolicy run;
};

}  // namespace

TEST_CASE("saved policy: a database that nobody touched is as it was") {
  const Saved saved;
  CHECK(saved.is_current(saved.digest()));
}

TEST_CASE("saved policy: after any edit, and of any other image, it is not") {
  Saved saved;
  CHECK_FALSE(saved.is_current(saved.digest() + 1));
  SECTION("a row") {
    saved.insert("b.example");
  }
  SECTION("an edit of the same length") {
    REQUIRE(saved.edit("UPDATE outbound SET profile = 'verified'").empty());
  }
  SECTION("an edit and its undoing") {
    saved.insert("b.example");
    REQUIRE(saved.edit("DELETE FROM outbound WHERE destination = 'b.example'").empty());
  }
  SECTION("another file under the name") {
    std::filesystem::rename(saved.prepare("other.db", 1), saved.file);
  }
  SECTION("no file") {
    std::filesystem::remove(saved.file);
  }
  SECTION("times set back") {
    const auto before = std::filesystem::last_write_time(saved.file);
    REQUIRE(saved.edit("UPDATE outbound SET profile = 'verified'").empty());
    std::filesystem::last_write_time(saved.file, before);
  }
  CHECK_FALSE(saved.is_current(saved.digest()));
}

TEST_CASE("saved policy: an edit that was compiled and not saved yet is not taken for saved") {
  Saved saved;
  const auto old = saved.digest();
  saved.insert("b.example");
  REQUIRE(saved.policy() == "a.example=required b.example=required");
  saved.run.save_mark(saved.source);  // the image on disk is still the old one
  CHECK_FALSE(saved.is_current(old));
  CHECK_FALSE(saved.is_current(saved.digest()));
  saved.save();
  CHECK(saved.is_current(saved.digest()));
}

TEST_CASE("saved policy: a mark that is cut, foreign or gone is none") {
  const Saved saved;
  std::string line;
  std::getline(std::ifstream(saved.mark_file), line);
  SECTION("cut") {
    std::ofstream(saved.mark_file) << line;  // without its end
  }
  SECTION("of another version") {
    std::ofstream(saved.mark_file) << "0.0.1" << line << '\n';
  }
  SECTION("empty") {
    std::ofstream(saved.mark_file).flush();
  }
  SECTION("gone") {
    std::filesystem::remove(saved.mark_file);
  }
  SECTION("a folder") {
    std::filesystem::remove(saved.mark_file);
    std::filesystem::create_directory(saved.mark_file);
  }
  CHECK_FALSE(saved.is_current(saved.digest()));
}

namespace {

// As the loop of role `store` does, with the time that the test says.
void follow_until(Saved& saved, base::SteadyPoint now, const std::function<bool()>& is_so) {
  const auto last = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!is_so() && std::chrono::steady_clock::now() < last) {
    saved.run.follow(saved.compiled.image.get(), saved.digest(), now);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  REQUIRE(is_so());
}

std::uint64_t digest_of_file(const std::string& path) {
  const auto loaded = image::load_sealed(path);
  if (!loaded) return 0;
  return (*image::Image::map(loaded->get(), image::Image::Checksum::Now))->stamp().digest;
}

constexpr base::SteadyPoint kStart{std::chrono::hours(1)};

}  // namespace

TEST_CASE("saved policy: of images that come faster than the disk the last one is saved") {
  Saved saved;
  for (int edit = 0; edit < 20; ++edit) {
    saved.insert("b" + std::to_string(edit) + ".example");
    REQUIRE_FALSE(saved.policy().empty());  // closes the image before it
    saved.run.follow(saved.compiled.image.get(), saved.digest(), kStart);
  }
  follow_until(saved, kStart, [&] { return digest_of_file(saved.image_file) == saved.digest(); });
  CHECK(saved.run.alarm().empty());
}

TEST_CASE("saved policy: what failed is tried again after two seconds, and said as long") {
  Saved saved;
  const auto folder = saved.folder.path("later");
  const auto file = folder + "/policy.image";
  saved.run.set_file(file);
  follow_until(saved, kStart, [&] { return !saved.run.alarm().empty(); });
  CHECK_THAT(saved.run.alarm(), Catch::Matchers::ContainsSubstring(file));
  std::filesystem::create_directory(folder);
  saved.run.follow(saved.compiled.image.get(), saved.digest(),
                   kStart + std::chrono::milliseconds(1999));
  CHECK_FALSE(std::filesystem::exists(file));
  follow_until(saved, kStart + std::chrono::seconds(2), [&] { return saved.run.alarm().empty(); });
  CHECK(digest_of_file(file) == saved.digest());
}

TEST_CASE("saved policy: the end tries once more what failed a moment ago, and no more than once") {
  Saved saved;
  const auto folder = saved.folder.path("later");
  saved.run.set_file(folder + "/policy.image");
  saved.run.finish(saved.compiled.image.get(), saved.digest(), saved.source);
  CHECK_FALSE(saved.run.alarm().empty());
  std::filesystem::create_directory(folder);
  saved.save();
  CHECK(digest_of_file(folder + "/policy.image") == saved.digest());
}
