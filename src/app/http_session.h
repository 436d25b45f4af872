// One connection of a browser, of Prometheus, of a health check: one request, one answer, the end.
// Reads alone, and changes nothing. Bytes in, bytes out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/model/overview.h"
#include "src/net/session.h"
#include "src/wire/http_request.h"

namespace app {

// What role `http` can tell.
class HttpDesk {
 public:
  virtual ~HttpDesk() = default;
  // What is wrong, one sentence; empty where all is well.
  virtual std::string health() = 0;     // Postfix is answered
  virtual std::string readiness() = 0;  // by a policy
  // What there is to see. `is_coming`: a newer one is on its way, and the session is asked again
  // when it has come, or takes too long. `overview` is null while nothing was ever told.
  struct Sight {
    bool is_coming = false;
    const model::Overview* overview = nullptr;
  };
  virtual Sight look() = 0;
  virtual std::int64_t now() = 0;  // seconds since the epoch
  // show::page_security_policy(): made before the sandbox closes, for what makes it reads a file.
  virtual const std::string& page_policy() = 0;
};

class HttpSession final : public net::Session {
 public:
  // The desk outlives the session.
  explicit HttpSession(HttpDesk& desk) : desk_(desk) {}
  Step receive(std::string_view in, std::string& out) override;

 private:
  struct Answer {
    int status = 200;
    std::string_view type;
    std::string body;
  };
  static Answer sentence(int status, std::string_view text);
  // Nothing: not yet.
  std::optional<Answer> answer(const wire::HttpRequest& request);
  std::optional<Answer> show(std::string_view path);
  void put(const Answer& answer, bool has_body, std::string& out);

  HttpDesk& desk_;
};

}  // namespace app
