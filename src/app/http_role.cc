// Role `http`: metrics, health checks and the page for people. Reads requests of whoever reaches
// its listeners, so it holds no policy and no database and opens no file: `store` tells it what
// there is to see, `answer` that it serves. Nobody's request becomes the work of `answer`, and
// `store` is asked once in two seconds at most.
#include <fmt/format.h>

#include <ctime>
#include <memory>
#include <optional>
#include <utility>

#include "src/app/config.h"
#include "src/app/http_session.h"
#include "src/app/role.h"
#include "src/app/sandbox.h"
#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/image/sealed_file.h"
#include "src/net/channel.h"
#include "src/net/loop.h"
#include "src/net/server.h"
#include "src/show/page.h"
#include "src/wire/http_message.h"
#include "src/wire/overview_json.h"
#include "src/wire/role_message.h"

namespace app {
namespace {

using wire::FromParent;
using wire::ToParent;

constexpr std::size_t kMostConnections = 64;
// For the head of a request, and again for the answer.
constexpr std::chrono::seconds kDeadline{10};
constexpr std::chrono::milliseconds kStopDeadline{500};
// `answer` tells once a second; so long it may be busy.
constexpr std::chrono::milliseconds kSilence{3500};
constexpr std::chrono::seconds kFresh{2};
// So long a peer waits for a newer overview where there is one, and where there is none; after that
// nobody waits for a while.
constexpr std::chrono::seconds kPatience{1};
constexpr std::chrono::seconds kFirstPatience{5};
constexpr std::chrono::seconds kResignation{5};

class Http final : public HttpDesk {
 public:
  Http();
  void run() { loop_.run(); }

  std::string health() override;
  std::string readiness() override;
  Sight look() override;
  const std::string& page_policy() override { return page_policy_; }
  std::int64_t now() override { return clock_.now().time_since_epoch().count(); }

 private:
  void on_parent(net::Message message);
  void configure(std::string_view text);
  void connect_peer(net::Message message);
  void connect_store(base::UniqueFd channel);
  void connect_answer(base::UniqueFd channel);
  void on_answer(const net::Message& message);
  void on_store(const net::Message& message);
  void stop_waiting();
  void go();

  const std::string page_policy_ = show::page_security_policy();
  base::SystemClock clock_;
  net::Loop loop_;
  net::Server server_;
  std::optional<base::SteadyPoint> told_at_;  // by `answer`
  std::uint64_t digest_ = 0;
  std::optional<model::Overview> overview_;
  base::SteadyPoint overview_at_{};
  bool is_asked_ = false;
  base::SteadyPoint resigned_until_{};
  std::unique_ptr<net::Channel> answer_;
  std::unique_ptr<net::Channel> store_;
  net::Channel parent_;
  net::Timer patience_;
};

Http::Http()
    : server_(loop_, clock_,
              {.connections = kMostConnections,
               .stall = kDeadline,
               .lifetime = 2 * kDeadline,
               .advice = "so many read the status page at once; who else wants to waits"}),
      parent_(
          loop_, base::UniqueFd(kParentChannel),
          [this](net::Message message) { on_parent(std::move(message)); },
          [this] { loop_.stop(); }),
      patience_(loop_, [this] {
        // Its answer may be lost, so it is asked again after that.
        is_asked_ = false;
        resigned_until_ = clock_.steady() + kResignation;
        server_.offer_again();
      }) {}

void Http::on_parent(net::Message message) {
  switch (static_cast<FromParent>(message.type)) {
    case FromParent::Config:
      configure(message.payload);
      break;
    case FromParent::Listeners:
      for (base::UniqueFd& listener : message.descriptors) {
        server_.add_listener(std::move(listener), [this](const net::PeerCredentials&) {
          return std::make_unique<HttpSession>(*this);
        });
      }
      break;
    case FromParent::Peer:
      connect_peer(std::move(message));
      break;
    case FromParent::Go:
      go();
      break;
    case FromParent::Stop:
      server_.stop(kStopDeadline, [this] { loop_.stop(); });
      break;
    case FromParent::Ping:
      parent_.send(ToParent::Pong);
      break;
    case FromParent::Image:
    case FromParent::StateBase:
    case FromParent::EvidenceUid:
    case FromParent::Roles:
      break;
  }
}

void Http::configure(std::string_view text) {
  const ParsedConfig parsed = parse_config(text, "configuration");
  if (parsed.errors.empty()) base::set_log_level(parsed.config.log_level);
}

void Http::connect_peer(net::Message message) {
  if (message.descriptors.size() != 1 || message.payload.size() != 1) return;
  if (message.payload.front() == static_cast<char>(wire::PeerRole::Store)) {
    connect_store(std::move(message.descriptors.front()));
  } else {
    connect_answer(std::move(message.descriptors.front()));
  }
}

void Http::connect_answer(base::UniqueFd channel) {
  answer_ = std::make_unique<net::Channel>(
      loop_, std::move(channel), [this](const net::Message& message) { on_answer(message); },
      [this] { answer_.reset(); });
}

void Http::on_answer(const net::Message& message) {
  if (message.type != static_cast<std::uint8_t>(wire::AnswerToHttp::Serving)) return;
  const auto digest = wire::parse_u64(message.payload);
  if (!digest) return;
  digest_ = *digest;
  told_at_ = clock_.steady();
}

std::string Http::health() {
  if (!told_at_) return "Role answer has not reported yet: Postfix is not answered.";
  const auto silence = clock_.steady() - *told_at_;
  if (silence <= kSilence) return {};
  return fmt::format("Role answer has been silent for {} s: Postfix may not be answered.",
                     std::chrono::duration_cast<std::chrono::seconds>(silence).count());
}

std::string Http::readiness() {
  auto trouble = health();
  if (trouble.empty() && digest_ == 0) {
    trouble =
        "No policy is in force: in mode enforce every look-up is answered TEMP, and mail waits.";
  }
  return trouble;
}

void Http::connect_store(base::UniqueFd channel) {
  store_ = std::make_unique<net::Channel>(
      loop_, std::move(channel), [this](const net::Message& message) { on_store(message); },
      [this] {
        store_.reset();
        stop_waiting();
      });
  stop_waiting();
}

void Http::on_store(const net::Message& message) {
  if (message.type != static_cast<std::uint8_t>(wire::StoreToHttp::Overview) ||
      message.descriptors.size() != 1) {
    return;
  }
  const auto text = image::read_sealed(message.descriptors.front().get(), wire::kLargestOverview);
  if (auto overview = wire::parse_overview(text)) {
    overview_ = std::move(*overview);
    overview_at_ = clock_.steady();
  }
  resigned_until_ = {};
  stop_waiting();
}

void Http::stop_waiting() {
  is_asked_ = false;
  patience_.stop();
  server_.offer_again();
}

HttpDesk::Sight Http::look() {
  const auto steady = clock_.steady();
  const Sight known{false, overview_ ? &*overview_ : nullptr};
  if (!store_ || (overview_ && steady - overview_at_ < kFresh) || steady < resigned_until_) {
    return known;
  }
  if (!is_asked_) is_asked_ = store_->send(wire::HttpToStore::Ask);
  if (!is_asked_) return known;
  if (!patience_.is_running()) patience_.start(overview_ ? kPatience : kFirstPatience);
  return {true, nullptr};
}

void Http::go() {
  ::tzset();  // what breaks a time down would open /etc/localtime
  enter_sandbox(Role::Http);
  server_.start();
  parent_.send(ToParent::Ready);
}

}  // namespace

int run_http() {
  Http().run();
  return 0;
}

}  // namespace app
