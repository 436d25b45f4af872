// Ping-pong load: N connections, each with one request in flight, as Postfix's smtp(8) processes
// ask. Prints one line of JSON. Exit 1 where an answer was wrong or a connection went away: figures
// of a server that answers wrongly mean nothing.
#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "tests/bench/address.h"
#include "tests/bench/histogram.h"
#include "tests/bench/keys.h"
#include "tests/bench/load_options.h"

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// A server that has answered nothing for so long behind the end of a run is given up.
constexpr int kPatienceMs = 5000;

// CPU time of a process and its threads, from the scheduler's own count: ticks of 10 ms are too
// coarse.
nanoseconds read_cpu(const std::vector<int>& pids) {
  std::int64_t total = 0;
  for (const int pid : pids) {
    std::error_code gone;
    for (const auto& task :
         std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", gone)) {
      std::int64_t spent = 0;
      if (std::ifstream(task.path() / "schedstat") >> spent) total += spent;
    }
  }
  return nanoseconds(total);
}

nanoseconds read_own_cpu() {
  timespec spent{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return std::chrono::seconds(spent.tv_sec) + nanoseconds(spent.tv_nsec);
}

// An answer of policy delegation ends with an empty line.
bool is_whole_action(std::string_view reply) {
  return reply.ends_with("\n\n");
}

// True when `reply` is a whole netstring. Replies of socketmap are short; the length is believed.
bool is_whole(std::string_view reply) {
  std::size_t length = 0;
  const auto [end, error] = std::from_chars(reply.data(), reply.data() + reply.size(), length);
  if (error != std::errc{}) return false;
  const auto digits = static_cast<std::size_t>(end - reply.data());
  return reply.size() == digits + 1 + length + 1;
}

bool is_expected(std::string_view reply, std::string_view expect) {
  const auto colon = reply.find(':');
  return colon != std::string_view::npos && reply.substr(colon + 1).starts_with(expect);
}

class Load {
 public:
  Load(const bench::LoadOptions& options, const std::vector<std::string>& requests)
      : options_(options), requests_(requests), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;
  ~Load() {
    for (const auto& peer : peers_) ::close(peer.fd);
    ::close(epoll_);
  }

  bool connect(const bench::Address& address) {
    peers_.resize(options_.connections);
    for (std::size_t i = 0; i < peers_.size(); ++i) {
      peers_[i].fd = bench::connect_to(address);
      if (peers_[i].fd < 0) return false;
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.u64 = i;
      ::epoll_ctl(epoll_, EPOLL_CTL_ADD, peers_[i].fd, &event);
    }
    return true;
  }

  // False: the server stopped answering, answered wrongly or hung up.
  bool run() {
    const auto begin = Clock::now();
    start_ = begin + milliseconds(options_.warm_up_milliseconds);
    end_ = start_ + milliseconds(options_.milliseconds);
    for (auto& peer : peers_) {
      if (!ask(peer, begin)) return false;
    }
    std::array<epoll_event, 256> events{};
    while (true) {
      const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()),
                                     options_.spins ? 0 : kPatienceMs);
      if (count < 0 || (count == 0 && !options_.spins)) return false;
      if (count == 0 && Clock::now() >= end_ + milliseconds(kPatienceMs)) return false;
      for (int i = 0; i < count; ++i) {
        const auto now = Clock::now();
        if (!is_measuring_ && now >= start_) begin_measuring(now);
        if (now >= end_) return finish(now);
        if (!receive(peers_[events[static_cast<std::size_t>(i)].data.u64], now)) return false;
      }
    }
  }

  void print() const {
    const auto micros = [](auto ns) { return static_cast<double>(ns) / 1000.0; };
    const auto lookups = static_cast<double>(latencies_.count());
    const auto seconds = std::chrono::duration<double>(took_).count();
    fmt::print(
        "{{\"lookups\": {}, \"seconds\": {:.4f}, \"rate\": {:.1f}, \"p50_us\": {:.2f}, "
        "\"p99_us\": {:.2f}, \"p999_us\": {:.2f}, \"max_us\": {:.2f}, \"cpu_us\": {:.3f}, "
        "\"generator_busy\": {:.3f}}}\n",
        latencies_.count(), seconds, lookups / seconds, micros(latencies_.quantile(0.5)),
        micros(latencies_.quantile(0.99)), micros(latencies_.quantile(0.999)),
        micros(latencies_.largest()), lookups > 0 ? micros(server_cpu_.count()) / lookups : 0,
        static_cast<double>(own_cpu_.count()) / static_cast<double>(took_.count()));
  }

 private:
  struct Peer {
    int fd = -1;
    Clock::time_point asked;
    std::size_t filled = 0;
    std::array<char, 512> reply;
  };

  bool ask(Peer& peer, Clock::time_point now) {
    const auto& request = requests_[next_];
    next_ = next_ + 1 == requests_.size() ? 0 : next_ + 1;
    peer.asked = now;
    peer.filled = 0;
    return ::send(peer.fd, request.data(), request.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(request.size());
  }

  bool receive(Peer& peer, Clock::time_point now) {
    const auto count =
        ::recv(peer.fd, peer.reply.data() + peer.filled, peer.reply.size() - peer.filled, 0);
    if (count <= 0) return false;
    peer.filled += static_cast<std::size_t>(count);
    const std::string_view reply(peer.reply.data(), peer.filled);
    const bool is_policy = options_.kind == "policy";
    if (is_policy ? !is_whole_action(reply) : !is_whole(reply)) {
      return peer.filled < peer.reply.size();
    }
    if (is_policy ? !reply.starts_with(options_.expect) : !is_expected(reply, options_.expect)) {
      fmt::print(stderr, "expected {}, got {}\n", options_.expect, reply);
      return false;
    }
    if (is_measuring_) latencies_.record(static_cast<std::uint64_t>((now - peer.asked).count()));
    return ask(peer, Clock::now());
  }

  void begin_measuring(Clock::time_point now) {
    is_measuring_ = true;
    start_ = now;
    server_cpu_ = -read_cpu(options_.pids);
    own_cpu_ = -read_own_cpu();
  }

  bool finish(Clock::time_point now) {
    took_ = now - start_;
    server_cpu_ += read_cpu(options_.pids);
    own_cpu_ += read_own_cpu();
    return latencies_.count() > 0;
  }

  const bench::LoadOptions& options_;
  const std::vector<std::string>& requests_;
  int epoll_;
  std::vector<Peer> peers_;
  std::size_t next_ = 0;
  bool is_measuring_ = false;
  Clock::time_point start_;
  Clock::time_point end_;
  nanoseconds took_{1};
  nanoseconds server_cpu_{0};
  nanoseconds own_cpu_{0};
  bench::Histogram latencies_;
};

int run(const bench::LoadOptions& options) {
  constexpr std::size_t kRequests = std::size_t{1} << 18;  // more than any cache holds of the table
  const auto address = bench::parse_address(options.address);
  const bool is_policy = options.kind == "policy";
  const auto kind = bench::parse_key_kind(is_policy ? "hit" : options.kind);
  if (!address || !kind) {
    fmt::print(stderr, "load: bad --address or --kind\n");
    return 2;
  }
  const auto requests = is_policy
                            ? bench::make_policy_requests(options.rows, kRequests)
                            : bench::make_requests(options.map, *kind, options.rows, kRequests);
  Load load(options, requests);
  if (!load.connect(*address)) {
    std::perror(options.address.c_str());
    return 1;
  }
  if (!load.run()) {
    fmt::print(stderr, "load: {} did not answer as it should\n", options.address);
    return 1;
  }
  load.print();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::span arguments(argv, static_cast<std::size_t>(argc));
  const auto options = bench::parse_load_options(arguments.subspan(1));
  if (!options) {
    fmt::print(stderr, "load: see tests/bench/load_options.h for what it takes\n");
    return 2;
  }
  return run(*options);
}
