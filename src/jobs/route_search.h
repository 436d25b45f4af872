// Finds one route by asking the resolver: drives jobs/mail_route.h, which decides everything.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <string_view>

#include "src/jobs/dns_desk.h"
#include "src/jobs/mail_route.h"
#include "src/net/loop.h"

namespace jobs {

// For a route in all; what is open then counts as a Timeout.
inline constexpr std::chrono::seconds kLongestRouteSearch{30};
// Questions of one search at a time; more wait here.
inline constexpr std::size_t kMostOpenQuestions = 20;

class RouteSearch {
 public:
  using Done = std::function<void(const model::Route&)>;

  // `done` is called once, from the loop and never in here; it may destroy the search. Destroyed
  // before, it asks no more and never calls. The desk outlives it.
  RouteSearch(net::Loop& loop, DnsDesk& desk, std::string_view next_hop, Done done);
  RouteSearch(const RouteSearch&) = delete;
  RouteSearch& operator=(const RouteSearch&) = delete;

 private:
  struct Open {
    wire::DnsQuestion question;
    std::unique_ptr<DnsDesk::Question> asked;  // nothing: it waits
  };
  void go_on();
  void take_answer(std::list<Open>::iterator open, const wire::DnsLookup& lookup);
  void give_up();

  DnsDesk& desk_;
  MailRoute machine_;
  Done done_;
  std::size_t asked_ = 0;
  std::list<Open> open_;
  net::Timer next_turn_;
  net::Timer deadline_;
};

}  // namespace jobs
