// Asks the resolver typed questions and reads its answers: where net/resolver.h, which knows bytes,
// and wire/dns_lookup.h, which knows no socket, meet.
#pragma once

#include <deque>
#include <functional>
#include <memory>

#include "src/base/result.h"
#include "src/net/resolver.h"
#include "src/wire/dns_lookup.h"
#include "src/wire/resolver_choice.h"

namespace jobs {

// Questions on their way at a time; a socket buffer of the kernel's default size holds as many
// twice.
inline constexpr std::size_t kMostQuestionsAtOnce = 100;

class DnsDesk {
 public:
  using Done = std::function<void(const wire::DnsLookup&)>;

  // Open as long as it lives: destroyed, it is never answered. Must not outlive the desk.
  class Question {
   public:
    Question(DnsDesk& desk, wire::DnsQuestion asked, Done done);
    ~Question();
    Question(const Question&) = delete;
    Question& operator=(const Question&) = delete;

   private:
    friend class DnsDesk;
    void send(bool has_edns);
    void take(const net::Resolver::Answer& answer, bool has_edns);

    DnsDesk& desk_;
    wire::DnsQuestion asked_;
    Done done_;
    bool is_on_its_way_ = false;
    std::unique_ptr<net::Resolver::Question> sent_;
  };

  static base::Result<std::unique_ptr<DnsDesk>> make(net::Loop& loop,
                                                     const wire::ResolverChoice& choice,
                                                     net::Resolver::Limits limits);

  // `done` is called once, from the loop and never in here; it may ask, and may destroy any
  // question, its own too. Beyond kMostQuestionsAtOnce a question waits for its turn, and its
  // deadline begins then. A name that can't be asked for is answered NoName.
  [[nodiscard]] std::unique_ptr<Question> ask(wire::DnsQuestion question, Done done);

 private:
  DnsDesk(std::unique_ptr<net::Resolver> resolver, bool is_trusted)
      : resolver_(std::move(resolver)), is_trusted_(is_trusted) {}
  void send_next();

  std::unique_ptr<net::Resolver> resolver_;
  bool is_trusted_;
  std::size_t on_their_way_ = 0;
  std::deque<Question*> waiting_;
};

}  // namespace jobs
