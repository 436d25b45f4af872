// The head of an HTTP/1.x request (RFC 9112), as far as read-only pages on the loopback need it:
// bytes in, values out. Strict: what two readers could understand in two ways is refused. Bodies,
// and what stands in most header fields, are nobody's business here.
#pragma once

#include <cstddef>
#include <string_view>
#include <variant>

namespace wire {

// Request line, header fields and the empty line, all together.
inline constexpr std::size_t kLongestHttpHead = 8'192;

struct HttpRequest {
  std::size_t consumed = 0;
  // Views into the input.
  std::string_view method;  // as written; case counts (RFC 9110 9.1)
  std::string_view path;    // from the first '/', without the query; "/" where a target has none
  std::string_view host;    // of the absolute form, else of the field Host; may be empty
};
struct HttpNeedMore {};
struct HttpMalformed {
  int status = 400;      // or 431 of a head too long, 505 of another version
  std::string_view why;  // a sentence
};
using HttpParsed = std::variant<HttpRequest, HttpNeedMore, HttpMalformed>;

HttpParsed parse_http_request(std::string_view input);

// True where `host`, with or without a port, is localhost or a loopback address as text: 127.x.y.z,
// [::1]. A page of somebody else's whose name was made to lead here (DNS rebinding) says its own
// name.
[[nodiscard]] bool is_loopback_host(std::string_view host);

}  // namespace wire
