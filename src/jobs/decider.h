// Answers questions from the policy image in force: the Oracle of the answering role.
//
// Holds the image, the mode and nothing else; opens nothing, waits for nothing. Without an image it
// says that it does not know, which is TEMP to Postfix and never "not found".
#pragma once

#include <memory>

#include "src/base/clock.h"
#include "src/engine/submit.h"
#include "src/image/reader.h"
#include "src/jobs/feedback.h"
#include "src/model/oracle.h"

namespace jobs {

class Decider final : public model::Oracle, public RuleBook {
 public:
  // The clock outlives the decider.
  explicit Decider(const base::Clock& clock) : clock_(clock) {}

  // What is known of destinations, and the clock that never goes back, by which rows expire;
  // outlives the decider. Without it every row that depends on that, and every row with an end,
  // answers at least `encrypt`.
  void attach(Feedback& feedback) { feedback_ = &feedback; }

  // The image answers from the next question on.
  void install(std::unique_ptr<image::Image> image);
  void set_mode(model::RowMode mode) { mode_ = mode; }
  [[nodiscard]] model::RowMode mode() const { return mode_; }
  // By which rows expire.
  [[nodiscard]] base::sys_seconds now() const;
  [[nodiscard]] const image::Image* image() const { return image_.get(); }

  std::optional<model::Whereabouts> look_ahead(std::string_view key) const override;
  void look_further(const model::Whereabouts& where) const override;
  model::Verdict verdict_for(const model::Question& question) override;
  std::optional<std::string_view> reroute_for(const model::Question& question) override;
  model::SenderAnswer route_for_sender(std::string_view sender) override;
  // What is sure of mail to `key`, as if the daemon enforced: what it would refuse is to be known
  // while it observes.
  [[nodiscard]] engine::Assured assured_for(const model::Key& key);
  // The rule of table submission that holds for a sender now, whatever the mode; it lives until the
  // next image.
  [[nodiscard]] engine::SubmissionBook::Found submission_rule_for(
      const engine::Submitter& submitter) const;
  std::optional<engine::Rules> rules_for(std::string_view view, const model::Key& key) override;
  std::optional<model::Asked> observed_for(std::string_view view, const model::Key& key) override;

 private:
  void hold(model::Verdict& verdict, const model::Question& question);

  const base::Clock& clock_;
  Feedback* feedback_ = nullptr;
  model::RowMode mode_ = model::RowMode::Enforce;
  std::unique_ptr<image::Image> image_;
  engine::SubmissionBook submission_;
};

}  // namespace jobs
