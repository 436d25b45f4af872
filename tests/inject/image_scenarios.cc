// The policy image on its way to disk and back.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <chrono>

#include "src/image/sealed_file.h"
#include "src/image/writer.h"
#include "tests/inject/policy_samples.h"
#include "tests/inject/scenario.h"

namespace inject {
namespace {

constexpr unsigned kDone = 0;

base::Result<base::UniqueFd> build(int rows) {
  image::Writer writer;
  model::Profile profile;
  profile.name = "secure";
  profile.level = model::Level::Secure;
  const auto index = writer.add_profile(profile);
  if (!index) return base::Error{index.error()};
  for (int i = 0; i < rows; ++i) {
    const auto name = fmt::format("d{:03}.example", i);
    image::Writer::Row row;
    row.destination = name;
    row.profile = *index;
    row.match = name;
    if (const auto added = writer.add_row(row); !added) return base::Error{added.error()};
  }
  return writer.finish(kNow);
}

struct Samples {
  base::UniqueFd after;
  std::string before_text;
  std::string after_text;
};
Samples& samples() {
  static Samples one;
  return one;
}

void prepare(const World& world) {
  const auto before = must(build(100));
  must(image::save_atomically(before.get(), world.path("image")));
  samples().after = must(build(120));
  samples().before_text = describe_image(before.get());
  samples().after_text = describe_image(samples().after.get());
}

Outcome make(const World& world) {
  const auto built = build(100);
  if (!built) return world.refused(built.error());
  const Calm ours;
  return describe_image(built->get()) == samples().before_text ? Outcome::Exact
                                                               : world.wrong("another image");
}

Outcome save(const World& world) {
  const auto saved = image::save_atomically(samples().after.get(), world.path("image"));
  if (!saved) {
    // An error leaves nothing beside it.
    const Calm ours;
    const bool is_there = ::access(world.path("image.new").c_str(), F_OK) == 0;
    return is_there ? world.wrong("image.new is left after: " + saved.error())
                    : world.refused(saved.error());
  }
  world.acknowledge(kDone);
  return Outcome::Exact;
}

std::string inspect_save(const World& world) {
  const auto fd = image::load_sealed(world.path("image"));
  if (!fd) return fd.error();
  const auto text = describe_image(fd->get());
  if (text == samples().after_text) return {};
  return text == samples().before_text && !world.is_acknowledged(kDone) ? "" : "another image";
}

Outcome load(const World& world, bool copies) {
  const auto fd = image::load_sealed(world.path("image"));
  if (!fd) return world.refused(fd.error());
  if (!image::is_sealed(fd->get())) return world.refused("it is not sealed");
  const auto when = copies ? image::Image::Checksum::Later : image::Image::Checksum::Now;
  const auto image =
      copies ? image::Image::load(fd->get(), when) : image::Image::map(fd->get(), when);
  if (!image) return world.refused(image.error());
  while (copies) {
    const auto verified = (*image)->verify_some(1000);
    if (!verified) return world.refused(verified.error());
    if (*verified) break;
  }
  const auto row = (*image)->find("d042.example");
  const Calm ours;
  if (!row || row->match != "d042.example") return world.wrong("a row is not found");
  return describe(**image) == samples().before_text ? Outcome::Exact : world.wrong("another image");
}

Outcome read(const World& world) {
  constexpr std::size_t kMost = 1'000'000;
  const auto fd = image::load_sealed(world.path("image"));
  if (!fd) return world.refused(fd.error());
  const auto bytes = image::read_sealed(fd->get(), kMost);
  if (bytes.empty()) return world.refused("it can't be read");
  const Calm ours;
  const auto image = image::Image::over(bytes);
  if (!image) return world.wrong(image.error());
  return describe(**image) == samples().before_text ? Outcome::Exact : world.wrong("another image");
}

const std::array kScenarios{
    Scenario{"image-make", prepare, make, inspect_save},
    Scenario{"image-save", prepare, save, inspect_save},
    Scenario{"image-map", prepare, [](const World& world) { return load(world, false); },
             inspect_save},
    Scenario{"image-load", prepare, [](const World& world) { return load(world, true); },
             inspect_save},
    Scenario{"image-read", prepare, read, inspect_save},
};

}  // namespace

std::span<const Scenario> image_scenarios() {
  return kScenarios;
}

}  // namespace inject
