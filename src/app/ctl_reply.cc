#include "src/app/ctl_reply.h"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

#include "src/wire/netstring.h"

namespace app::ctl {

std::string make_request(std::string_view map, std::string_view key) {
  std::string request;
  wire::append_netstring(request, fmt::format("{} {}", map, key));
  return request;
}

base::Result<Reply> parse_reply(std::string_view bytes) {
  const auto parsed = wire::parse_netstring(bytes, kLargestReply);
  const auto* frame = std::get_if<wire::Frame>(&parsed);
  if (frame == nullptr) return base::Error{"the reply is no netstring"};
  if (frame->consumed != bytes.size()) return base::Error{"more than one reply came"};
  const auto blank = std::min(frame->payload.find(' '), frame->payload.size());
  Reply reply;
  reply.text = frame->payload;
  reply.status = frame->payload.substr(0, blank);
  reply.value = frame->payload.substr(std::min(blank + 1, frame->payload.size()));
  return reply;
}

}  // namespace app::ctl
