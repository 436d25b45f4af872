#include "src/jobs/dns_desk.h"

#include <algorithm>
#include <utility>

namespace jobs {
namespace {

using wire::DnsLookup;
using Failure = net::Resolver::Failure;

DnsLookup::Outcome outcome_of(Failure failure) {
  switch (failure) {
    case Failure::Timeout:
      return DnsLookup::Outcome::Timeout;
    case Failure::Unreachable:
      return DnsLookup::Outcome::Unreachable;
    case Failure::Full:
    case Failure::Refused:
      return DnsLookup::Outcome::Failure;
  }
  return DnsLookup::Outcome::Failure;
}

DnsLookup lookup_without_answer(DnsLookup::Outcome outcome, const wire::DnsQuestion& asked,
                                std::string why) {
  DnsLookup lookup;
  lookup.outcome = outcome;
  lookup.canonical_name = asked.name;
  lookup.why = std::move(why);
  return lookup;
}

}  // namespace

DnsDesk::Question::Question(DnsDesk& desk, wire::DnsQuestion asked, Done done)
    : desk_(desk), asked_(std::move(asked)), done_(std::move(done)) {}

DnsDesk::Question::~Question() {
  if (is_on_its_way_) {
    --desk_.on_their_way_;
    desk_.send_next();
  } else {
    std::erase(desk_.waiting_, this);
  }
}

void DnsDesk::Question::send(bool has_edns) {
  // The resolver refuses an empty message, and so it is answered in its own time too.
  const bool can_be_asked = wire::is_question_name(asked_.name);
  const auto message = can_be_asked ? wire::make_dns_question(0, asked_, has_edns) : std::string();
  sent_ = desk_.resolver_->ask(
      message, [this, has_edns](const net::Resolver::Answer& answer) { take(answer, has_edns); });
}

void DnsDesk::Question::take(const net::Resolver::Answer& answer, bool has_edns) {
  DnsLookup lookup;
  if (!wire::is_question_name(asked_.name)) {
    lookup = lookup_without_answer(DnsLookup::Outcome::NoName, asked_, "no name to ask for");
  } else if (answer.failure) {
    lookup = lookup_without_answer(outcome_of(*answer.failure), asked_, answer.why);
  } else if (const auto message = wire::parse_dns_answer(answer.bytes, asked_); !message) {
    lookup = lookup_without_answer(DnsLookup::Outcome::Malformed, asked_, message.error());
  } else if (has_edns && message->rcode == wire::kFormErr) {
    // A server that knows no EDNS (RFC 6891 7).
    send(false);
    return;
  } else {
    lookup = wire::conclude(*message, asked_, desk_.is_trusted_);
  }
  is_on_its_way_ = false;
  --desk_.on_their_way_;
  desk_.send_next();
  const Done done = std::move(done_);
  done(lookup);  // which may be the end of *this
}

base::Result<std::unique_ptr<DnsDesk>> DnsDesk::make(net::Loop& loop,
                                                     const wire::ResolverChoice& choice,
                                                     net::Resolver::Limits limits) {
  std::vector<net::ResolverServer> servers;
  servers.reserve(choice.servers.size());
  for (const auto& server : choice.servers) servers.push_back({server.address, server.port});
  auto resolver = net::Resolver::make(loop, servers, limits);
  if (!resolver) return base::Error{resolver.error()};
  return std::unique_ptr<DnsDesk>(new DnsDesk(std::move(*resolver), choice.is_trusted));
}

std::unique_ptr<DnsDesk::Question> DnsDesk::ask(wire::DnsQuestion question, Done done) {
  auto asked = std::make_unique<Question>(*this, std::move(question), std::move(done));
  waiting_.push_back(asked.get());
  send_next();
  return asked;
}

void DnsDesk::send_next() {
  while (!waiting_.empty() && on_their_way_ < kMostQuestionsAtOnce) {
    Question* const next = waiting_.front();
    waiting_.pop_front();
    ++on_their_way_;
    next->is_on_its_way_ = true;
    next->send(true);
  }
}

}  // namespace jobs
