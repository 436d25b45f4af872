// Takes what `ingest` reports: finds the destination of each piece of evidence, and hands it to the
// feedback. A log line names its process, whose last question over a unix socket tells the next-hop
// and the view; where that is not known, the recipient's domain has to do.
#pragma once

#include <cstdint>
#include <string_view>

#include "src/jobs/feedback.h"
#include "src/jobs/question_book.h"
#include "src/wire/state_record.h"

namespace app {

class ReportReader {
 public:
  // The feedback outlives this.
  explicit ReportReader(jobs::Feedback& feedback) : feedback_(feedback) {}

  // Whether there is an `ingest`; without one no question is remembered.
  void set_in_use(bool is_in_use) { is_in_use_ = is_in_use; }
  void asked(std::int64_t pid, std::string_view view, const model::Key& key, std::int64_t at) {
    if (is_in_use_) book_.asked(pid, view, key.text, at);
  }

  // A message of ReportedEvidence.
  void take(std::string_view payload);

  // Evidence without a destination: what its process asked about can't be told apart, or the name
  // is none.
  [[nodiscard]] std::uint64_t unplaced() const { return unplaced_; }

 private:
  void take_one(const wire::ReportedEvidence& reported);

  jobs::Feedback& feedback_;
  jobs::QuestionBook book_;
  bool is_in_use_ = false;
  std::uint64_t last_serial_ = 0;  // of a line of the log
  std::uint64_t unplaced_ = 0;
};

}  // namespace app
