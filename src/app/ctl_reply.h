// Socketmap from the client's side: the request that Postfix would send, the reply it would read.
#pragma once

#include <string>
#include <string_view>

#include "src/base/result.h"

namespace app::ctl {

struct Reply {
  std::string text;    // as it came: "OK encrypt"
  std::string status;  // OK, NOTFOUND, TEMP, PERM
  std::string value;   // behind the blank
  // True where Postfix takes it for an answer and not for a failure.
  [[nodiscard]] bool is_answer() const { return status == "OK" || status == "NOTFOUND"; }
};

// util/dict_sockmap.c: what it reads at most.
inline constexpr std::size_t kLargestReply = 100'000;

std::string make_request(std::string_view map, std::string_view key);

// The one netstring in `bytes`.
base::Result<Reply> parse_reply(std::string_view bytes);

}  // namespace app::ctl
