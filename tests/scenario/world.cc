#include "tests/scenario/world.h"

#include <utility>

#include "src/image/writer.h"

namespace scenario {

bool Store::propose(const wire::Proposal& proposal) {
  // Decided is decided, even where nobody can write it down yet.
  if (seen_.insert(proposal.id).second) {
    for (const auto& decision : proposal.decisions) {
      decided.push_back({clock_.passed, proposal.destination, decision});
    }
  }
  if (mood == Mood::Gone) return false;
  queue_.emplace_back(clock_.passed, proposal);
  return true;
}

void Store::alarm(std::string_view what, std::string_view destination, std::string_view /*text*/,
                  bool is_over) {
  alarms.push_back({clock_.passed, std::string(what), std::string(destination), is_over});
}

std::vector<std::uint64_t> Store::commit_due() {
  std::vector<std::uint64_t> ids;
  while (mood == Mood::Prompt && !queue_.empty() && queue_.front().first + delay <= clock_.passed) {
    // As it travels between the roles.
    const auto proposal = wire::parse_proposal(wire::to_payload(queue_.front().second));
    queue_.pop_front();
    if (!proposal) continue;
    ids.push_back(proposal->id);
    if (!committed_.insert(proposal->id).second) continue;
    if (proposal->state) states[{proposal->view, proposal->destination}] = *proposal->state;
    ledger.insert(ledger.end(), proposal->decisions.begin(), proposal->decisions.end());
  }
  return ids;
}

void Store::die() {
  mood = Mood::Gone;
  queue_.clear();
}

base::Result<std::unique_ptr<image::Image>> Policy::compile() const {
  image::Writer writer;
  std::map<std::string, std::uint32_t> numbers;
  for (const auto& [name, profile] : profiles) {
    const auto number = writer.add_profile(profile);
    if (!number) return base::Error{number.error()};
    numbers[name] = *number;
  }
  for (const auto& [destination, row] : rows) {
    const auto number = numbers.find(row.profile);
    if (number == numbers.end()) return base::Error{"no profile " + row.profile};
    const auto added =
        writer.add_row({destination, number->second, {}, row.mode, row.expires_at, {}});
    if (!added) return base::Error{added.error()};
  }
  auto fd = writer.finish(base::sys_seconds(std::chrono::seconds(kStart)));
  if (!fd) return base::Error{fd.error()};
  return image::Image::map(fd->get(), image::Image::Checksum::Now);
}

void World::start() {
  feedback_.reset();
  decider_ = std::make_unique<jobs::Decider>(clock);
  feedback_ = std::make_unique<jobs::Feedback>(clock, *decider_, store, table);
  feedback_->set_freeze_limits(limits);
  decider_->attach(*feedback_);
  decider_->set_mode(mode);
}

base::Result<void> World::publish() {
  auto compiled = policy.compile();
  if (!compiled) return base::Error{compiled.error()};
  decider_->install(std::move(*compiled));
  decider_->set_mode(mode);
  feedback_->rules_changed();
  deliver();
  return {};
}

void World::load(jobs::Feedback::Base kind, const Base& base) {
  if (!feedback_->begin_base(kind, base.second)) return;
  for (const auto& [place, state] : base.first) {
    feedback_->take_base_record({place.first, place.second, state});
  }
  feedback_->end_base();
  deliver();
}

void World::load_state() {
  deliver();
  load(jobs::Feedback::Base::Committed, {store.states, store.saved});
}

void World::load_kept_state() {
  load(jobs::Feedback::Base::Kept, kept_);
}

void World::deliver() {
  // What is acknowledged may lead to another proposal.
  for (auto ids = store.commit_due(); !ids.empty(); ids = store.commit_due()) {
    if (!feedback_) continue;
    for (const auto id : ids) feedback_->committed(id);
  }
}

void World::pass_until(std::int64_t at) {
  while (clock.passed < at) {
    ++clock.passed;
    if (!feedback_) continue;
    feedback_->tick();
    if (store.mood != Store::Mood::Gone && feedback_->has_base()) store.saved = feedback_->now();
    deliver();
  }
}

}  // namespace scenario
