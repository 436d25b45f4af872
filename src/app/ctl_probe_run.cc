// Probes what is to be probed, in this process, with an event loop of its own: one target live,
// step by step; several with a line of progress where standard error is a terminal.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <utility>

#include "src/app/ctl_probe.h"
#include "src/app/ctl_time.h"
#include "src/app/probe_setup.h"
#include "src/jobs/prober.h"
#include "src/net/loop.h"
#include "src/net/tls_context.h"

namespace app::ctl {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t kLongestPatience = 3'600;  // seconds

// What a single connection is asked for, whoever wants to know.
using Place = std::pair<std::string, std::uint16_t>;

struct User {
  ProbedHost* host;
  ProbedEndpoint* endpoint;
};

class ProbeWatch final : public jobs::Prober::Watcher {
 public:
  ProbeWatch(const Context& context, std::vector<ProbedTarget>& targets, net::Loop& loop,
             bool is_live)
      : context_(context),
        targets_(targets),
        loop_(loop),
        is_live_(is_live),
        shows_progress_(!is_live && ::isatty(STDERR_FILENO) == 1) {
    collect();
  }

  [[nodiscard]] const std::vector<Place>& places() const { return places_; }

  void on_step(std::size_t index, const model::ProbeStep& step) override {
    if (!is_live_) return;
    if (index == shown_) {
      open_shown();
      print(text_of(step));
    } else {
      held_[index] += text_of(step);
    }
  }

  void on_done(std::size_t index, model::ProbedAddress probed) override {
    for (const User& user : users_[index]) user.endpoint->seen = probed;
    is_done_[index] = true;
    ++done_;
    if (is_live_) show_those_done();
    if (shows_progress_) show_progress();
    if (done_ == places_.size()) loop_.stop();
  }

 private:
  void collect() {
    std::map<Place, std::size_t> known;
    for (auto& target : targets_) {
      for (auto& host : target.hosts) {
        for (auto& endpoint : host.endpoints) {
          if (!endpoint.refused.empty()) continue;
          const Place place{endpoint.address, endpoint.port};
          const auto [at, is_new] = known.emplace(place, places_.size());
          if (is_new) {
            places_.push_back(place);
            users_.emplace_back();
          }
          users_[at->second].push_back({&host, &endpoint});
        }
      }
    }
    is_done_.resize(places_.size());
    held_.resize(places_.size());
  }

  static void print(const std::string& text) {
    fmt::print(stdout, "{}", text);
    std::fflush(stdout);
  }

  void open_shown() {
    if (std::exchange(is_open_, true)) return;
    const User& first = users_[shown_].front();
    print(title_of(*first.host, *first.endpoint) + "\n");
  }

  // One transcript after the other, in the order of the route, though they came at once.
  void show_those_done() {
    while (shown_ < places_.size()) {
      if (!held_[shown_].empty() || is_done_[shown_]) open_shown();
      print(std::exchange(held_[shown_], {}));
      if (!is_done_[shown_]) return;
      for (const User& user : users_[shown_]) {
        if (user.endpoint->would == engine::WouldDeliver{}) {
          user.endpoint->would =
              engine::would_deliver(user.endpoint->seen, user.endpoint->expected);
        }
        print(verdicts_of(*user.endpoint, context_.now));
      }
      print("\n");
      ++shown_;
      is_open_ = false;
    }
  }

  void show_progress() const {
    fmt::print(stderr, "\r{} of {} addresses probed{}", done_, places_.size(),
               done_ == places_.size() ? "\n" : "");
  }

  const Context& context_;
  std::vector<ProbedTarget>& targets_;
  net::Loop& loop_;
  bool is_live_;
  bool shows_progress_;
  std::vector<Place> places_;
  std::vector<std::vector<User>> users_;  // of each place
  std::vector<bool> is_done_;
  std::vector<std::string> held_;  // steps of those whose turn has not come
  std::size_t done_ = 0;
  std::size_t shown_ = 0;
  bool is_open_ = false;
};

jobs::Prober::Settings settings_of(const Arguments& arguments) {
  jobs::Prober::Settings settings;
  settings.dialogue.ehlo_name = find_ehlo_name();
  settings.dialogue.mail_from = arguments.sender;
  settings.asks_for_plain_mail = arguments.asks_for_plain_mail || arguments.is_self;
  settings.tries_weak_tls = !arguments.leaves_weak_tls;
  if (arguments.duration.empty()) return settings;
  const auto patience = parse_duration(arguments.duration).value_or(kLongestPatience);
  settings.dialogue.total = milliseconds{std::min(patience, kLongestPatience) * 1'000};
  settings.dialogue.step = settings.dialogue.total * 2 / 3;
  return settings;
}

}  // namespace

base::Result<void> run_probes(const Context& context, const Arguments& arguments,
                              std::vector<ProbedTarget>& targets) {
  auto settings = settings_of(arguments);
  net::Loop loop;
  ProbeWatch watch(context, targets, loop, targets.size() == 1 && !context.is_json);
  if (watch.places().empty()) return {};
  const auto tls = net::TlsContext::make(context.config.tls_ca_file);
  if (!tls) return base::Error{tls.error()};
  const base::SystemClock clock;
  jobs::Prober prober(loop, clock, *tls, std::move(settings), watch);
  for (const auto& [address, port] : watch.places()) prober.add({address, port});
  loop.run();
  return {};
}

}  // namespace app::ctl
