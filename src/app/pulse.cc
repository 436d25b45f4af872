#include "src/app/pulse.h"

#include <utility>

#include "src/wire/http_message.h"
#include "src/wire/role_message.h"

namespace app {
namespace {

constexpr std::chrono::seconds kEvery{1};

}  // namespace

Pulse::Pulse(net::Loop& loop, FindDigest digest)
    : loop_(loop), digest_(std::move(digest)), timer_(loop, [this] { tell(); }) {}

void Pulse::connect(base::UniqueFd channel) {
  http_ = std::make_unique<net::Channel>(
      loop_, std::move(channel), [](const net::Message&) {}, [this] { http_.reset(); });
  tell();
}

void Pulse::tell() {
  if (!http_) return;
  if (const auto digest = digest_()) {
    http_->send(wire::AnswerToHttp::Serving, wire::to_payload(*digest));
  }
  timer_.start(kEvery);
}

}  // namespace app
