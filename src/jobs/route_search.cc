#include "src/jobs/route_search.h"

#include <iterator>
#include <utility>

namespace jobs {

RouteSearch::RouteSearch(net::Loop& loop, DnsDesk& desk, std::string_view next_hop, Done done)
    : desk_(desk),
      machine_(next_hop),
      done_(std::move(done)),
      next_turn_(loop, [this] { go_on(); }),
      deadline_(loop, [this] { give_up(); }) {
  deadline_.start(kLongestRouteSearch);
  next_turn_.start(std::chrono::microseconds{0});
}

void RouteSearch::go_on() {
  if (machine_.is_done()) {
    deadline_.stop();
    const Done done = std::move(done_);
    const model::Route route = machine_.route();
    done(route);  // which may be the end of *this
    return;
  }
  for (auto& question : machine_.take_questions()) open_.push_back({std::move(question), nullptr});
  for (auto open = open_.begin(); open != open_.end() && asked_ < kMostOpenQuestions; ++open) {
    if (open->asked) continue;
    ++asked_;
    open->asked = desk_.ask(
        open->question, [this, open](const wire::DnsLookup& lookup) { take_answer(open, lookup); });
  }
}

void RouteSearch::take_answer(std::list<Open>::iterator open, const wire::DnsLookup& lookup) {
  --asked_;
  machine_.take_answer(open->question, lookup);
  open_.erase(open);
  next_turn_.start(std::chrono::microseconds{0});
}

void RouteSearch::give_up() {
  wire::DnsLookup silence;
  silence.outcome = wire::DnsLookup::Outcome::Timeout;
  silence.why = "no answer in time";
  while (!machine_.is_done()) {
    for (auto& question : machine_.take_questions()) {
      open_.push_back({std::move(question), nullptr});
    }
    for (const auto& open : std::exchange(open_, {})) {
      silence.canonical_name = open.question.name;
      machine_.take_answer(open.question, silence);
    }
  }
  next_turn_.start(std::chrono::microseconds{0});
}

}  // namespace jobs
