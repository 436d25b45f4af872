#include "src/wire/http_request.h"

#include <fmt/format.h>

#include <string>

#include "tests/unit/catch.h"

namespace {

using wire::HttpMalformed;
using wire::HttpNeedMore;
using wire::HttpRequest;
using wire::is_loopback_host;
using wire::parse_http_request;

int status_of(std::string_view input) {
  const auto parsed = parse_http_request(input);
  if (std::holds_alternative<HttpRequest>(parsed)) return 200;
  if (std::holds_alternative<HttpNeedMore>(parsed)) return 0;
  return std::get<HttpMalformed>(parsed).status;
}

}  // namespace

TEST_CASE("a request of a browser is read") {
  const std::string text =
      "GET /metrics?x=1 HTTP/1.1\r\nUser-Agent: x\r\nHost:  127.0.0.1:8461 \r\nAccept: */*\r\n\r\n";
  const auto input = text + "what stands behind";
  const auto parsed = parse_http_request(input);
  REQUIRE(std::holds_alternative<HttpRequest>(parsed));
  const auto& request = std::get<HttpRequest>(parsed);
  CHECK(request.method == "GET");
  CHECK(request.path == "/metrics");
  CHECK(request.host == "127.0.0.1:8461");
  CHECK(request.consumed == text.size());
}

TEST_CASE("the host of the absolute form wins over the field") {
  const auto parsed =
      parse_http_request("GET http://evil.example/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  REQUIRE(std::holds_alternative<HttpRequest>(parsed));
  CHECK(std::get<HttpRequest>(parsed).host == "evil.example");
  CHECK(std::get<HttpRequest>(parsed).path == "/healthz");
  CHECK(status_of("GET http:///x HTTP/1.1\r\nHost: localhost\r\n\r\n") == 400);
  CHECK(status_of("GET http://localhost HTTP/1.1\r\nHost: localhost\r\n\r\n") == 200);
}

TEST_CASE("a health check by HTTP/1.0 needs no Host, HTTP/1.1 needs one and no two") {
  CHECK(status_of("GET /healthz HTTP/1.0\r\n\r\n") == 200);
  CHECK(status_of("GET /healthz HTTP/1.1\r\n\r\n") == 400);
  CHECK(status_of("GET / HTTP/1.1\r\nHost: localhost\r\nhOST: evil.example\r\n\r\n") == 400);
}

TEST_CASE("what is not complete waits, up to 8 KiB") {
  CHECK(status_of("") == 0);
  CHECK(status_of("GET / HTTP/1.1\r\nHost: localhost\r\n") == 0);
  const std::string begin = "GET / HTTP/1.1\r\nHost: localhost\r\nX: ";
  const std::string fits(wire::kLongestHttpHead - begin.size() - 4, 'x');
  CHECK(status_of(begin + fits + "\r\n\r\n") == 200);
  CHECK(status_of(begin + fits + "x\r\n\r\n") == 431);
  CHECK(status_of(std::string(wire::kLongestHttpHead - 1, 'x')) == 0);
  CHECK(status_of(std::string(wire::kLongestHttpHead, 'x')) == 431);
}

TEST_CASE("what two readers could understand in two ways is refused") {
  for (const std::string_view line :
       {"GET /", "GET  HTTP/1.1", " / HTTP/1.1", "G(T / HTTP/1.1", "GET x HTTP/1.1",
        "GET /a b HTTP/1.1", "GET /\xC3\xA4 HTTP/1.1", "GET * HTTP/1.1", "GET /\t HTTP/1.1"}) {
    CAPTURE(line);
    CHECK(status_of(fmt::format("{}\r\nHost: localhost\r\n\r\n", line)) == 400);
  }
  CHECK(status_of("GET / HTTP/2.0\r\nHost: localhost\r\n\r\n") == 505);
  for (const std::string_view field :
       {"Host", "Host : localhost", " Host: localhost", ": localhost", "Host: a\nX: b",
        "Host: a\rb", "Host: a\r\n b"}) {
    CAPTURE(field);
    CHECK(status_of(fmt::format("GET / HTTP/1.1\r\n{}\r\n\r\n", field)) == 400);
  }
}

TEST_CASE("only names and addresses of the loopback are hosts of ours") {
  for (const std::string_view host : {"localhost", "LocalHost:8461", "127.0.0.1", "127.0.0.1:8461",
                                      "127.8.9.255", "[::1]", "[::1]:8461", "localhost:"}) {
    CAPTURE(host);
    CHECK(is_loopback_host(host));
  }
  for (const std::string_view host :
       {"", ":80", "localhost.evil.example", "evil.example", "127.0.0.1.evil.example",
        "127.0.0.256", "127.0.0", "127.0.0.1.1", "1.127.0.0", "10.0.0.1", "[::2]", "::1", "[::1",
        "[::1]x", "localhost:80x", "localhost:123456", "127.0.0.1,evil.example", "user@localhost",
        "127.0.0.0001"}) {
    CAPTURE(host);
    CHECK_FALSE(is_loopback_host(host));
  }
}
