// How `answer` tells `http` that it serves: of itself, once a second, so that nobody's request
// becomes its work, and a health check depends on `answer` alone.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "src/base/handle.h"
#include "src/net/channel.h"
#include "src/net/loop.h"

namespace app {

class Pulse {
 public:
  // `digest` says which image is in force, 0 = none; nothing is told while it has no value to give.
  using FindDigest = std::function<std::optional<std::uint64_t>()>;
  Pulse(net::Loop& loop, FindDigest digest);

  // `http` is there, perhaps a new one.
  void connect(base::UniqueFd channel);
  // Now, and every second from then on, as long as there is an `http`.
  void tell();

 private:
  net::Loop& loop_;
  FindDigest digest_;
  std::unique_ptr<net::Channel> http_;
  net::Timer timer_;
};

}  // namespace app
