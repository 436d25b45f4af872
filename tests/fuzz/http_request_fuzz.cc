// The head of an HTTP request, on any bytes: each strict prefix of one waits or is refused as the
// whole is, what stands behind it changes nothing, and what is read stands in the input, free of
// blanks and controls.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "src/wire/http_request.h"

namespace {

using wire::HttpMalformed;
using wire::HttpNeedMore;
using wire::HttpRequest;
using wire::parse_http_request;

void require(bool holds) {
  if (!holds) std::abort();
}

bool is_inside(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void check(std::string_view input) {
  const auto parsed = parse_http_request(input);
  if (const auto* request = std::get_if<HttpRequest>(&parsed)) {
    require(request->consumed <= input.size() && request->consumed <= wire::kLongestHttpHead);
    const auto head = input.substr(0, request->consumed);
    require(head.ends_with("\r\n\r\n"));
    require(is_inside(request->method, head));
    require(is_inside(request->path, head) || request->path == "/");
    require(is_inside(request->host, head));
    require(!request->method.empty() && request->path.starts_with('/'));
    for (const char c : request->path) require(c > ' ' && c <= '~' && c != '?');
    for (const char c : request->host) require(c != '\r' && c != '\n' && c != '\0');
    // Nothing behind the head counts.
    const std::string more = std::string(head) + "GET /x HTTP/1.1\r\nHost: other\r\n\r\n";
    const auto again = parse_http_request(more);
    const auto* same = std::get_if<HttpRequest>(&again);
    if (same == nullptr) std::abort();
    require(same->consumed == request->consumed && same->path == request->path);
    require(same->host == request->host && same->method == request->method);
  } else if (const auto* malformed = std::get_if<HttpMalformed>(&parsed)) {
    require(malformed->status >= 400 && malformed->status < 600);
    require(malformed->why.ends_with('.'));
  } else {
    require(input.size() < wire::kLongestHttpHead);
  }
}

void check_prefixes(std::string_view input) {
  const auto whole = parse_http_request(input);
  for (std::size_t length = 0; length < input.size(); ++length) {
    const auto part = parse_http_request(input.substr(0, length));
    if (std::holds_alternative<HttpNeedMore>(part)) continue;
    require(part.index() == whole.index());
  }
}

// A host that passes has no letters but those of localhost.
void check_host(std::string_view host) {
  if (!wire::is_loopback_host(host)) return;
  require(host.size() <= 25);
  for (const char c : host) {
    require(std::string_view("localhostLOCALHOST0123456789.:[]").find(c) != std::string_view::npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  check(input);
  check_host(input);
  if (size <= 600) check_prefixes(input);
  return 0;
}
