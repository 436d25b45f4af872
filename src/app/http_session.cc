#include "src/app/http_session.h"

#include <fmt/format.h>

#include "src/show/page.h"
#include "src/show/prometheus.h"

namespace app {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";
// https://prometheus.io/docs/instrumenting/exposition_formats/
constexpr std::string_view kMetrics = "text/plain; version=0.0.4; charset=utf-8";

// Of all but the page, which says itself what it needs.
constexpr std::string_view kNothing = "default-src 'none'; frame-ancestors 'none'";
constexpr std::string_view kSecurityFields =
    "Cache-Control: no-store\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "X-Content-Type-Options: nosniff\r\n";

std::string_view phrase_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 421:
      return "Misdirected Request";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
  }
  return "";
}

}  // namespace

net::Session::Step HttpSession::receive(std::string_view in, std::string& out) {
  const auto parsed = wire::parse_http_request(in);
  if (std::holds_alternative<wire::HttpNeedMore>(parsed)) return {};
  if (const auto* malformed = std::get_if<wire::HttpMalformed>(&parsed)) {
    put(sentence(malformed->status, malformed->why), true, out);
    return {in.size(), true};
  }
  const auto& request = std::get<wire::HttpRequest>(parsed);
  const auto answered = answer(request);
  // Who sends on and on while he waits does not want an answer.
  if (!answered) return {0, in.size() > 2 * wire::kLongestHttpHead};
  put(*answered, request.method != "HEAD", out);
  return {in.size(), true};
}

HttpSession::Answer HttpSession::sentence(int status, std::string_view text) {
  return {status, kText, fmt::format("{}\n", text)};
}

std::optional<HttpSession::Answer> HttpSession::answer(const wire::HttpRequest& request) {
  // Without one, as HTTP/1.0 allows it: no browser.
  if (!request.host.empty() && !wire::is_loopback_host(request.host)) {
    return sentence(421,
                    "The field Host names another host: ask for localhost, 127.0.0.1 or [::1], and "
                    "have a proxy do so.");
  }
  if (request.method != "GET" && request.method != "HEAD") {
    return sentence(405, "Only GET and HEAD are answered: nothing is changed by HTTP.");
  }
  if (request.path == "/healthz" || request.path == "/readyz") {
    const auto trouble = request.path == "/healthz" ? desk_.health() : desk_.readiness();
    return trouble.empty() ? sentence(200, "ok") : sentence(503, trouble);
  }
  if (request.path == "/metrics" || request.path == show::kPagePath ||
      request.path == show::kStillPagePath) {
    return show(request.path);
  }
  return sentence(404, "There are /, /metrics, /healthz and /readyz.");
}

std::optional<HttpSession::Answer> HttpSession::show(std::string_view path) {
  const auto [is_coming, overview] = desk_.look();
  if (is_coming) return std::nullopt;
  if (overview == nullptr) {
    return sentence(503,
                    "Role store has not reported yet; /healthz says whether Postfix is answered.");
  }
  if (path == "/metrics")
    return Answer{200, kMetrics, show::render_metrics(*overview, desk_.now())};
  const auto reload = path == show::kStillPagePath ? show::Reload::Never : show::Reload::ByItself;
  return Answer{200, show::kPageType, show::render_page(*overview, desk_.now(), reload)};
}

void HttpSession::put(const Answer& answer, bool has_body, std::string& out) {
  out += fmt::format(
      "HTTP/1.1 {} {}\r\n"
      "Content-Type: {}\r\n"
      "Content-Length: {}\r\n"
      "Connection: close\r\n"
      "{}Content-Security-Policy: {}\r\n"
      "{}\r\n",
      answer.status, phrase_of(answer.status), answer.type, answer.body.size(),
      answer.status == 405 ? "Allow: GET, HEAD\r\n" : "",
      answer.type == show::kPageType ? std::string_view(desk_.page_policy()) : kNothing,
      kSecurityFields);
  if (has_body) out += answer.body;
}

}  // namespace app
