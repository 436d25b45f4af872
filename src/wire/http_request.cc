#include "src/wire/http_request.h"

#include <algorithm>
#include <array>

#include "src/base/text.h"

namespace wire {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr std::size_t kDigitsOfPort = 5;

// RFC 9110 5.6.2
bool is_token(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return base::is_alnum(c) || kMarks.find(c) != kMarks.npos;
  });
}

bool is_visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

// RFC 9110 5.5: visible characters, blanks, tabs, and bytes above ASCII.
bool is_field_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return c == '\t' || (byte >= 0x20 && byte != 0x7F);
  });
}

// The next line of `rest`, which ends in one.
std::string_view take_line(std::string_view& rest) {
  const auto end = rest.find(kLineEnd);
  const auto line = rest.substr(0, end);
  rest.remove_prefix(end + kLineEnd.size());
  return line;
}

bool is_ipv4_loopback(std::string_view text) {
  int count = 0;
  for (bool is_more = true; is_more; ++count) {
    const auto dot = text.find('.');
    const auto part = text.substr(0, dot);
    const auto number = base::parse_number<unsigned>(part);
    if (part.size() > 3 || !number || *number > 255 || (count == 0 && *number != 127)) return false;
    is_more = dot != text.npos;
    if (is_more) text.remove_prefix(dot + 1);
  }
  return count == 4;
}

class Head {
 public:
  explicit Head(std::string_view head) : rest_(head) {}

  HttpParsed parse() {
    if (!take_request_line()) return fault_;
    while (rest_.size() > kLineEnd.size()) {
      if (!take_field(take_line(rest_))) return fault_;
    }
    // RFC 9112 3.2: HTTP/1.1 has exactly one; what the target says itself wins over it.
    if (!has_host_ && is_1_1_) return HttpMalformed{400, "The field Host is missing."};
    if (!authority_.empty()) request_.host = authority_;
    return request_;
  }

 private:
  bool fail(int status, std::string_view why) {
    fault_ = {status, why};
    return false;
  }

  bool take_request_line() {
    const auto line = take_line(rest_);
    const auto first = line.find(' ');
    const auto last = line.rfind(' ');
    if (first == line.npos || first == last)
      return fail(400, "The request line has no three words.");
    request_.method = line.substr(0, first);
    const auto version = line.substr(last + 1);
    if (!is_token(request_.method)) return fail(400, "The method is no word.");
    if (version != "HTTP/1.1" && version != "HTTP/1.0") {
      return fail(505, "HTTP/1.1 and HTTP/1.0 are spoken here.");
    }
    is_1_1_ = version == "HTTP/1.1";
    return take_target(line.substr(first + 1, last - first - 1));
  }

  // RFC 9112 3.2.1 and 3.2.2: "/path?query", or "http://host/path?query".
  bool take_target(std::string_view target) {
    constexpr std::string_view kScheme = "http://";
    if (target.starts_with(kScheme)) {
      target.remove_prefix(kScheme.size());
      const auto slash = target.find('/');
      authority_ = target.substr(0, slash);
      target = slash == target.npos ? std::string_view("/") : target.substr(slash);
      if (authority_.empty()) return fail(400, "The target names no host.");
    }
    if (!target.starts_with('/') || !is_visible(target) || !is_visible(authority_)) {
      return fail(400, "The target is no path.");
    }
    request_.path = target.substr(0, target.find('?'));
    return true;
  }

  // No blank before the colon, and no line that continues another (RFC 9112 5.1, 5.2).
  bool take_field(std::string_view line) {
    const auto colon = line.find(':');
    if (colon == line.npos || !is_token(line.substr(0, colon)) ||
        !is_field_value(line.substr(colon + 1))) {
      return fail(400, "A header field is malformed.");
    }
    if (!base::is_equal_ignoring_case(line.substr(0, colon), "host")) return true;
    if (has_host_) return fail(400, "The field Host stands twice.");
    has_host_ = true;
    request_.host = base::trim(line.substr(colon + 1));
    return true;
  }

  std::string_view rest_;
  HttpRequest request_;
  HttpMalformed fault_;
  std::string_view authority_;
  bool is_1_1_ = false;
  bool has_host_ = false;
};

}  // namespace

HttpParsed parse_http_request(std::string_view input) {
  const auto end = input.substr(0, kLongestHttpHead).find(kHeadEnd);
  if (end == input.npos) {
    if (input.size() < kLongestHttpHead) return HttpNeedMore{};
    return HttpMalformed{431, "The head of the request is longer than 8 KiB."};
  }
  const auto size = end + kHeadEnd.size();
  auto parsed = Head(input.substr(0, size)).parse();
  if (auto* request = std::get_if<HttpRequest>(&parsed)) request->consumed = size;
  return parsed;
}

bool is_loopback_host(std::string_view host) {
  const auto colon = host.find(':', host.starts_with('[') ? host.find(']') : 0);
  const auto name = host.substr(0, colon);
  if (colon != host.npos) {
    const auto port = host.substr(colon + 1);
    const bool is_port =
        port.size() <= kDigitsOfPort && std::all_of(port.begin(), port.end(), base::is_digit);
    if (!is_port) return false;
  }
  return base::is_equal_ignoring_case(name, "localhost") || name == "[::1]" ||
         is_ipv4_loopback(name);
}

}  // namespace wire
