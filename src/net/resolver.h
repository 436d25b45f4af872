// Asks DNS resolvers over UDP, and TCP where an answer does not fit: questions and answers are
// bytes, which are made and read elsewhere. c-ares does the transport (retries, other servers, TCP,
// and that an answer comes from where the question went, with its identity and its question); that
// it does, and how it is linked to the loop, is known to resolver.cc alone.
//
// SERVFAIL and the like are answers, so the first server that says anything is believed; only one
// that is silent or refuses packets makes room for the next. Reads no file: the servers are told to
// it.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "src/base/handle.h"
#include "src/base/result.h"
#include "src/net/loop.h"

struct ares_channeldata;

namespace net {

void free_ares(ares_channeldata* channel) noexcept;

struct ResolverServer {
  std::string address;  // IPv4 or IPv6
  std::uint16_t port = 53;
  bool operator==(const ResolverServer&) const = default;
};

class Resolver {
 public:
  struct Limits {
    std::chrono::milliseconds timeout{2000};   // of the first try; twice that for the second
    int tries = 2;                             // for each server
    std::chrono::milliseconds deadline{8000};  // for a question in all, whatever the servers do
    std::size_t open = 1000;                   // questions on their way, given up ones too
  };
  enum class Failure : std::uint8_t {
    Timeout,      // silence
    Unreachable,  // nobody is there, or the way is blocked
    Full,         // `open` questions are on their way: ask later
    Refused,      // c-ares doesn't take it for a question
  };
  struct Answer {
    std::optional<Failure> failure;  // nothing: `bytes` is an answer
    std::string bytes;
    std::string why;  // of a failure, in c-ares's words
  };
  using Done = std::function<void(const Answer&)>;

  // A question that is open as long as this lives; destroyed, it is never answered. Must not
  // outlive its resolver.
  class Question {
   public:
    Question(Resolver& resolver, std::uint64_t number) : resolver_(resolver), number_(number) {}
    ~Question() { resolver_.forget(number_); }
    Question(const Question&) = delete;
    Question& operator=(const Question&) = delete;

   private:
    Resolver& resolver_;
    std::uint64_t number_;
  };

  // The error where c-ares doesn't start or there is no server among `servers`, which are tried in
  // their order; more than three are cut off, as the C library does.
  static base::Result<std::unique_ptr<Resolver>> make(Loop& loop,
                                                      const std::vector<ResolverServer>& servers,
                                                      Limits limits);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // Sends `question`, a whole DNS message whose identity is replaced by a random one. `done` is
  // called once, from the loop and never in here, at most `deadline` later; it may ask, and may
  // destroy any Question, but not the resolver.
  [[nodiscard]] std::unique_ptr<Question> ask(std::string_view question, Done done);

  // Those that c-ares has in hand.
  [[nodiscard]] std::size_t open() const { return sent_.size(); }

 private:
  // What c-ares gives back to us; it may outlive the Question.
  struct Sent {
    Resolver& resolver;
    std::uint64_t number;
  };
  struct Asked {
    Done done;
    std::unique_ptr<Timer> deadline;
  };
  struct Socket {
    Resolver& resolver;
    int fd;
    EventHandle event;
  };
  struct Finished {
    std::uint64_t number;
    Answer answer;
  };

  Resolver(Loop& loop, Limits limits);
  base::Result<void> start(const std::vector<ResolverServer>& servers);
  static void on_answer(void* sent, int status, int timeouts, unsigned char* bytes,
                        int size) noexcept;
  static void on_socket_state(void* self, int fd, int wants_read, int wants_write) noexcept;
  static void on_socket_event(int fd, short what, void* socket) noexcept;
  void send(std::uint64_t number, std::string question);
  void watch(int fd, bool wants_read, bool wants_write);
  void process(int read_fd, int write_fd);
  void start_timer();
  void finish(std::uint64_t number, Answer answer);
  void deliver();
  void forget(std::uint64_t number);

  Loop& loop_;
  Limits limits_;
  std::uint64_t last_number_ = 0;
  std::unordered_map<std::uint64_t, Asked> asked_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Sent>> sent_;
  std::deque<Finished> finished_;
  std::map<int, std::unique_ptr<Socket>> sockets_;
  Timer delivery_;
  Timer retry_;
  // Last: freed first, when it still closes sockets and gives its questions back.
  base::Handle<ares_channeldata, free_ares> channel_;
};

}  // namespace net
