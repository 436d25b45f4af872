#include "src/jobs/decider.h"

#include "src/engine/judge.h"

namespace jobs {

model::Verdict Decider::verdict_for(const model::Question& question) {
  if (!image_) return engine::judge_without_policy(mode_);
  return engine::judge(*image_, question, mode_, clock_.now());
}

}  // namespace jobs
