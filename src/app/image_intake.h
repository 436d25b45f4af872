// A policy image on its way into role `answer`: loaded and verified in slices, so that no look-up
// waits for it, then handed on. A newer one takes the place of one that isn't done.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "src/base/handle.h"
#include "src/image/reader.h"
#include "src/net/loop.h"

namespace app {

class ImageIntake {
 public:
  using Install = std::function<void(std::unique_ptr<image::Image> image, base::UniqueFd fd)>;
  using Refuse = std::function<void(std::string_view why)>;
  // The loop outlives the intake.
  ImageIntake(net::Loop& loop, Install install, Refuse refuse);

  enum class Pace { AtOnce, InSlices };
  // `fd` is a sealed memfd. Calls one of the two, before it returns or later.
  void take(base::UniqueFd fd, Pace pace);

 private:
  void verify_next_slice();

  Install install_;
  Refuse refuse_;
  Pace pace_ = Pace::AtOnce;
  std::unique_ptr<image::Image> image_;
  base::UniqueFd fd_;
  net::Timer next_;
};

}  // namespace app
