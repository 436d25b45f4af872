// What a cold start may answer from at once: the saved image, where policy.db is as it was.
#include "src/app/saved_policy.h"

#include <filesystem>
#include <fstream>

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
    REQUIRE(run.save(compiled.image.get(), digest()));
    run.save_mark(source);
  }
  [[nodiscard]] std::uint64_t digest() const {
    return (*image::Image::map(compiled.image.get(), image::Image::Checksum::Now))->stamp().digest;
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
  REQUIRE(saved.run.save(saved.compiled.image.get(), saved.digest()));
  saved.run.save_mark(saved.source);
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
