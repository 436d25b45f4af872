// The laws of a reply stream, on any bytes: pieces of any size give the replies and the fault that
// the whole gives, what is read keeps to the limits, and a reply written again reads as itself. The
// first byte says how large the pieces are.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "src/wire/smtp_reply.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

struct Heard {
  std::vector<wire::SmtpReply> replies;
  std::optional<wire::ReplyFault> fault;
  std::size_t taken = 0;
  bool is_inside = false;
  bool operator==(const Heard&) const = default;
};

Heard hear(std::string_view stream, std::size_t piece) {
  wire::ReplyReader reader;
  Heard heard;
  while (heard.taken < stream.size() && !reader.fault()) {
    auto rest = stream.substr(heard.taken, piece);
    while (!rest.empty() && !reader.fault()) {
      const auto taken = reader.feed(rest);
      require(taken > 0 && taken <= rest.size());
      heard.taken += taken;
      rest.remove_prefix(taken);
      if (reader.is_complete()) heard.replies.push_back(reader.take());
    }
  }
  heard.fault = reader.fault();
  heard.is_inside = reader.is_inside();
  if (heard.fault) require(reader.feed("220 a\r\n") == 0 && !reader.is_complete());
  return heard;
}

void check_limits(const wire::SmtpReply& reply) {
  require(reply.code >= 200 && reply.code <= 599);
  require(!reply.lines.empty() && reply.lines.size() <= wire::kMostReplyLines);
  for (const auto& line : reply.lines) {
    require(line.size() + 3 <= wire::kLongestReplyLine);
    require(line.find('\n') == std::string::npos);
  }
  const auto offers = wire::parse_capabilities(reply);
  require(offers.lines.size() < reply.lines.size());
}

void check_round_trip(const wire::SmtpReply& reply) {
  std::string written;
  for (std::size_t i = 0; i < reply.lines.size(); ++i) {
    written += std::to_string(reply.code) + (i + 1 < reply.lines.size() ? "-" : " ");
    written += reply.lines[i] + "\r\n";
  }
  // A line whose blank was left out is one byte longer now.
  if (std::any_of(reply.lines.begin(), reply.lines.end(),
                  [](const auto& line) { return line.size() + 4 > wire::kLongestReplyLine; })) {
    return;
  }
  if (written.size() > wire::kLargestReplyStream) return;
  wire::ReplyReader reader;
  require(reader.feed(written) == written.size() && reader.is_complete());
  const auto again = reader.take();
  require(again.code == reply.code && again.lines == reply.lines && !again.has_bare_lf);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = data[0] == 0 ? 1 : data[0];
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = hear(stream, stream.size() + 1);
  require(hear(stream, piece) == whole);
  require(hear(stream, 1) == whole);
  require(whole.taken <= wire::kLargestReplyStream + 1);
  for (const auto& reply : whole.replies) {
    check_limits(reply);
    check_round_trip(reply);
  }
  return 0;
}
