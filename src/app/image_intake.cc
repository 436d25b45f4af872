#include "src/app/image_intake.h"

#include <chrono>
#include <string>
#include <utility>

namespace app {
namespace {

// Of an image's checksum: short enough not to be seen in a look-up's latency.
constexpr std::size_t kSlice = 64 * 1024;

}  // namespace

ImageIntake::ImageIntake(net::Loop& loop, Install install, Refuse refuse)
    : install_(std::move(install)),
      refuse_(std::move(refuse)),
      next_(loop, [this] { verify_next_slice(); }) {}

void ImageIntake::take(base::UniqueFd fd, Pace pace) {
  auto image = image::Image::load(fd.get(), image::Image::Checksum::Later);
  if (!image) return refuse_(image.error());
  image_ = std::move(*image);
  fd_ = std::move(fd);
  pace_ = pace;
  if (pace == Pace::AtOnce) {
    while (image_) verify_next_slice();
  } else {
    next_.start(std::chrono::microseconds{0});
  }
}

void ImageIntake::verify_next_slice() {
  const auto verified = image_->verify_some(kSlice);
  if (!verified) {
    image_.reset();
    fd_.reset();
    refuse_(verified.error());
  } else if (*verified) {
    install_(std::move(image_), std::move(fd_));
  } else if (pace_ == Pace::InSlices) {
    next_.start(std::chrono::microseconds{0});
  }
}

}  // namespace app
