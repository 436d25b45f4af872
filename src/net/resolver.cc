#include "src/net/resolver.h"

// c-ares 1.34 would rather be given its own form of a message than ours.
#define CARES_NO_DEPRECATED
#include <ares.h>
#include <event2/event.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/time.h>

#include <algorithm>
#include <utility>

#include "src/base/socket_address.h"

namespace net {
namespace {

constexpr std::size_t kMostServers = 3;  // resolv.conf(5), MAXNS
constexpr std::size_t kSmallestMessage = 12;
constexpr int kLargestUdpAnswer = 1232;

std::uint16_t random_identity() {
  std::uint16_t identity = 0;
  // Never short and never blocking once the kernel is up (getrandom(2)).
  while (::getrandom(&identity, sizeof identity, 0) != sizeof identity) {
  }
  return identity;
}

Resolver::Failure failure_of(int status) {
  switch (status) {
    case ARES_ETIMEOUT:
      return Resolver::Failure::Timeout;
    case ARES_EBADQUERY:
      return Resolver::Failure::Refused;
    default:  // whatever else c-ares has, the question found nobody who answers
      return Resolver::Failure::Unreachable;
  }
}

// "127.0.0.1:53,[::1]:53", as c-ares reads it.
base::Result<std::string> server_list(const std::vector<ResolverServer>& servers) {
  std::string list;
  std::size_t count = 0;
  for (const auto& server : servers) {
    if (count++ == kMostServers) break;
    if (!base::inet_address(server.address, server.port)) {
      return base::Error{fmt::format("resolver \"{}\" is no IP address", server.address)};
    }
    if (!list.empty()) list += ',';
    const bool is_v6 = server.address.find(':') != std::string::npos;
    list += is_v6 ? fmt::format("[{}]:{}", server.address, server.port)
                  : fmt::format("{}:{}", server.address, server.port);
  }
  if (list.empty()) return base::Error{"no resolver is known to ask"};
  return list;
}

}  // namespace

void free_ares(ares_channeldata* channel) noexcept {
  ares_destroy(channel);
}

Resolver::Resolver(Loop& loop, Limits limits)
    : loop_(loop),
      limits_(limits),
      delivery_(loop, [this] { deliver(); }),
      retry_(loop, [this] { process(ARES_SOCKET_BAD, ARES_SOCKET_BAD); }) {}

Resolver::~Resolver() = default;

base::Result<std::unique_ptr<Resolver>> Resolver::make(Loop& loop,
                                                       const std::vector<ResolverServer>& servers,
                                                       Limits limits) {
  std::unique_ptr<Resolver> made(new Resolver(loop, limits));
  if (auto started = made->start(servers); !started) return base::Error{started.error()};
  return made;
}

// Everything that c-ares would otherwise read from files and the environment is told to it.
base::Result<void> Resolver::start(const std::vector<ResolverServer>& servers) {
  const auto list = server_list(servers);
  if (!list) return base::Error{list.error()};
  ares_options options{};
  std::string lookups = "b";
  options.flags = ARES_FLAG_EDNS | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_NOCHECKRESP;
  options.ednspsz = kLargestUdpAnswer;
  options.timeout = static_cast<int>(limits_.timeout.count());
  options.tries = limits_.tries;
  options.ndots = 1;
  options.lookups = lookups.data();
  options.sock_state_cb = on_socket_state;
  options.sock_state_cb_data = this;
  int mask = ARES_OPT_FLAGS | ARES_OPT_EDNSPSZ | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
             ARES_OPT_NDOTS | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB | ARES_OPT_NOROTATE |
             ARES_OPT_SERVERS | ARES_OPT_DOMAINS | ARES_OPT_SORTLIST;
#ifdef ARES_OPT_QUERY_CACHE
  mask |= ARES_OPT_QUERY_CACHE;  // maximum TTL 0: the resolver has a cache, and ours would hide it
#endif
  ares_channeldata* channel = nullptr;
  if (const int status = ares_init_options(&channel, &options, mask); status != ARES_SUCCESS) {
    return base::Error{fmt::format("c-ares doesn't start: {}", ares_strerror(status))};
  }
  channel_.reset(channel);
  if (const int status = ares_set_servers_ports_csv(channel, list->c_str());
      status != ARES_SUCCESS) {
    return base::Error{
        fmt::format("c-ares doesn't take {} as resolver: {}", *list, ares_strerror(status))};
  }
  return {};
}

std::unique_ptr<Resolver::Question> Resolver::ask(std::string_view question, Done done) {
  const std::uint64_t number = ++last_number_;
  auto deadline = std::make_unique<Timer>(loop_, [this, number] {
    finish(number, {Failure::Timeout, {}, "no answer in time"});
  });
  deadline->start(limits_.deadline);
  asked_.emplace(number, Asked{std::move(done), std::move(deadline)});
  if (question.size() < kSmallestMessage) {
    finish(number, {Failure::Refused, {}, "that is no question"});
  } else if (sent_.size() >= limits_.open) {
    finish(number, {Failure::Full, {}, "too many questions are open"});
  } else {
    send(number, std::string(question));
  }
  return std::make_unique<Question>(*this, number);
}

void Resolver::send(std::uint64_t number, std::string question) {
  const std::uint16_t identity = random_identity();
  question[0] = static_cast<char>(identity >> 8U);
  question[1] = static_cast<char>(identity & 0xffU);
  auto& sent = sent_.emplace(number, std::make_unique<Sent>(Sent{*this, number})).first->second;
  ares_send(channel_.get(), reinterpret_cast<const unsigned char*>(question.data()),
            static_cast<int>(question.size()), on_answer, sent.get());
  start_timer();
}

// May be called by ares_send() and by ares_destroy() themselves.
void Resolver::on_answer(void* sent, int status, int /*timeouts*/, unsigned char* bytes,
                         int size) noexcept {
  const Sent given = *static_cast<Sent*>(sent);
  given.resolver.sent_.erase(given.number);
  if (status == ARES_EDESTRUCTION) return;
  Answer answer;
  if (status == ARES_SUCCESS && bytes != nullptr) {
    answer.bytes.assign(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  } else {
    answer.failure = failure_of(status);
    answer.why = ares_strerror(status);
  }
  given.resolver.finish(given.number, std::move(answer));
}

void Resolver::on_socket_state(void* self, int fd, int wants_read, int wants_write) noexcept {
  static_cast<Resolver*>(self)->watch(fd, wants_read != 0, wants_write != 0);
}

// c-ares closes `fd` after it wants neither.
void Resolver::watch(int fd, bool wants_read, bool wants_write) {
  sockets_.erase(fd);
  if (!wants_read && !wants_write) return;
  auto socket = std::make_unique<Socket>(Socket{*this, fd, nullptr});
  const auto what =
      static_cast<short>((wants_read ? EV_READ : 0) | (wants_write ? EV_WRITE : 0) | EV_PERSIST);
  socket->event = make_event(loop_, fd, what, on_socket_event, socket.get());
  event_add(socket->event.get(), nullptr);
  sockets_.emplace(fd, std::move(socket));
}

void Resolver::on_socket_event(int fd, short what, void* socket) noexcept {
  // The socket may go while c-ares works.
  Resolver& resolver = static_cast<Socket*>(socket)->resolver;
  resolver.process((what & EV_READ) != 0 ? fd : ARES_SOCKET_BAD,
                   (what & EV_WRITE) != 0 ? fd : ARES_SOCKET_BAD);
}

void Resolver::process(int read_fd, int write_fd) {
  ares_process_fd(channel_.get(), read_fd, write_fd);
  start_timer();
}

// When c-ares wants to try again.
void Resolver::start_timer() {
  timeval storage{};
  const timeval* wait = ares_timeout(channel_.get(), nullptr, &storage);
  if (wait == nullptr) {
    retry_.stop();
  } else {
    retry_.start(std::chrono::seconds{wait->tv_sec} + std::chrono::microseconds{wait->tv_usec});
  }
}

void Resolver::finish(std::uint64_t number, Answer answer) {
  if (asked_.find(number) == asked_.end()) return;
  finished_.push_back({number, std::move(answer)});
  delivery_.start(std::chrono::microseconds{0});
}

void Resolver::deliver() {
  // What is asked in a callback is answered in another turn of the loop.
  auto finished = std::exchange(finished_, {});
  for (auto& [number, answer] : finished) {
    const auto asked = asked_.find(number);
    if (asked == asked_.end()) continue;
    const Done done = std::move(asked->second.done);
    asked_.erase(asked);
    done(answer);
  }
}

void Resolver::forget(std::uint64_t number) {
  asked_.erase(number);
}

}  // namespace net
