#include "src/app/ctl_control.h"

#include <fmt/format.h>

#include "src/app/ctl_peer.h"

namespace app::ctl {
namespace {

base::Result<std::string> exchange_line(const std::string& socket, std::string_view request,
                                        std::chrono::milliseconds patience) {
  auto peer = Peer::connect(unix_socket(socket), patience);
  if (!peer) return base::Error{peer.error()};
  if (auto sent = peer->send(request); !sent) return base::Error{sent.error()};
  std::string answer;
  while (answer.find('\n') == std::string::npos) {
    const auto more = peer->receive(answer);
    if (!more) return base::Error{more.error()};
    if (!*more) return base::Error{"it hung up before its answer was complete"};
    if (answer.size() > kLargestControlAnswer) return base::Error{"its answer is too long"};
  }
  return answer.substr(0, answer.find('\n'));
}

}  // namespace

base::Result<Json> ask_control(const std::string& socket, std::string_view verb,
                               std::chrono::milliseconds patience) {
  return ask_control_for(socket, Json{{"verb", verb}}, patience);
}

base::Result<Json> ask_control_for(const std::string& socket, const Json& request,
                                   std::chrono::milliseconds patience) {
  const auto text = request.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  const auto line = exchange_line(socket, text, patience);
  if (!line) {
    return base::Error{
        fmt::format("the daemon can't be reached at {} (control_socket): {}; is it "
                    "running (systemctl status tlspolicyd), and may you open that socket?",
                    socket, line.error())};
  }
  auto answer = Json::parse(*line, nullptr, /*allow_exceptions=*/false);
  if (!answer.is_object()) {
    return base::Error{
        fmt::format("{} (control_socket) answered what isn't a JSON object; is another program "
                    "listening there?",
                    socket)};
  }
  return answer;
}

std::optional<std::string> refusal_in(const Json& answer) {
  if (is_true_in(answer, "ok")) return std::nullopt;
  const auto why = text_in(answer, "error");
  return why.empty() ? "the daemon doesn't say why" : why;
}

std::string text_in(const Json& object, const char* name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

std::int64_t number_in(const Json& object, const char* name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_number() ? at->get<std::int64_t>() : 0;
}

bool is_true_in(const Json& object, const char* name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_boolean() && at->get<bool>();
}

Json object_in(const Json& object, const char* name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_object() ? *at : Json::object();
}

Json array_in(const Json& object, const char* name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_array() ? *at : Json::array();
}

}  // namespace app::ctl
