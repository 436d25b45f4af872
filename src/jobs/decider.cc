#include "src/jobs/decider.h"

#include <algorithm>

#include "src/engine/judge.h"

namespace jobs {
namespace {

// While nobody knows the highest time that was seen, an exception that has expired may look as if
// it held; so it gives nothing away.
void take_favours(model::Verdict& verdict, model::Transport transport) {
  if (verdict.row.expires_at == 0 ||
      model::strictness(verdict.level) >= model::strictness(model::Level::Encrypt)) {
    return;
  }
  engine::hold_level(verdict,
                     {model::Level::Encrypt, "the row has an end, and state.db was not read yet",
                      model::Certainty::Unknown},
                     transport);
}

}  // namespace

base::sys_seconds Decider::now() const {
  if (feedback_ == nullptr) return clock_.now();
  return base::sys_seconds(std::chrono::seconds(feedback_->now().wall));
}

void Decider::install(std::unique_ptr<image::Image> image) {
  image_ = std::move(image);
  submission_ = engine::SubmissionBook(image_->submission_rules());
}

engine::Assured Decider::assured_for(const model::Key& key) {
  const model::Question question{key, {}, model::Transport::Usual};
  const auto enforce = model::RowMode::Enforce;
  if (!image_) return engine::assure(engine::judge_without_policy(enforce));
  auto verdict = engine::judge(*image_, question, enforce, now());
  hold(verdict, question);
  return engine::assure(verdict);
}

engine::SubmissionBook::Found Decider::submission_rule_for(
    const engine::Submitter& submitter) const {
  return submission_.find(submitter, now());
}

model::SenderAnswer Decider::route_for_sender(std::string_view sender) {
  if (mode_ == model::RowMode::Observe) return {};
  if (!image_) return {model::SenderAnswer::Kind::Unknown, "no policy has been loaded yet"};
  const auto found = submission_rule_for(engine::submitter_of(sender, {}));
  switch (engine::route_of(found)) {
    case engine::SenderRoute::Usual:
      return {};
    case engine::SenderRoute::TlsOnly:
      return {model::SenderAnswer::Kind::TlsOnly, {}};
    case engine::SenderRoute::Unknown:
      return {model::SenderAnswer::Kind::Unknown, found.rule->fault};
  }
  return {};
}

// The row of the key itself and that of its nearest parent: nearly every answer is one of them, or
// needs to know that both are missing.
std::optional<model::Whereabouts> Decider::look_ahead(std::string_view key) const {
  if (!image_ || !image_->is_large()) return std::nullopt;
  const auto dot = std::min(key.find('.'), key.size());
  return model::Whereabouts{image_->look_ahead(key), image_->look_ahead(key.substr(dot))};
}

void Decider::look_further(const model::Whereabouts& where) const {
  if (!image_) return;
  for (const auto tag : where) image_->look_further(tag);
}

model::Verdict Decider::verdict_for(const model::Question& question) {
  if (!image_) return engine::judge_without_policy(mode_);
  auto verdict = engine::judge(*image_, question, mode_, now());
  hold(verdict, question);
  return verdict;
}

// The level that holds now, by what is known of the destination.
void Decider::hold(model::Verdict& verdict, const model::Question& question) {
  if (verdict.kind != model::Verdict::Kind::Policy) return;
  if (!engine::may_fall_back(verdict.row.profile->fallback)) {
    const bool is_clock_known = feedback_ != nullptr && feedback_->has_base();
    if (!is_clock_known) take_favours(verdict, question.transport);
    return;
  }
  const auto rules = engine::rules_of(verdict.row, verdict.step, question.key.kind);
  const auto held = feedback_ == nullptr
                        ? engine::level_for(rules, nullptr, {}, engine::Memory::Missing)
                        : feedback_->level_for(rules, question.view, question.key.text);
  engine::hold_level(verdict, held, question.transport);
}

std::optional<std::string_view> Decider::reroute_for(const model::Question& question) {
  if (feedback_ == nullptr) return std::nullopt;
  const auto rules = rules_for(question.view, question.key);
  if (!rules || rules->fallback != model::Fallback::Reroute ||
      !feedback_->is_rerouted(*rules, question.view, question.key.text)) {
    return std::nullopt;
  }
  return rules->reroute_to;
}

std::optional<engine::Rules> Decider::rules_for(std::string_view view, const model::Key& key) {
  if (!image_) return std::nullopt;
  const model::Question question{key, view};
  const auto verdict = engine::judge(*image_, question, mode_, now());
  if (verdict.kind != model::Verdict::Kind::Policy) return std::nullopt;
  return engine::rules_of(verdict.row, verdict.step, key.kind);
}

std::optional<model::Asked> Decider::observed_for(std::string_view view, const model::Key& key) {
  if (!image_) return std::nullopt;
  const model::Question question{key, view};
  auto verdict = engine::judge_observed(*image_, question, mode_, now());
  if (!verdict) return std::nullopt;
  model::Asked asked;
  asked.row = verdict->row.destination;
  if (verdict->row.profile != nullptr) {
    asked.profile = verdict->row.profile->name;
    asked.fallback = verdict->row.profile->fallback;
  }
  if (verdict->kind == model::Verdict::Kind::Policy) {
    hold(*verdict, question);
    asked.level = verdict->level;
  }
  return asked;
}

}  // namespace jobs
