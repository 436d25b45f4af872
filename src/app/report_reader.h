// Takes what `ingest` reports: finds the destination of each piece of evidence, and hands it to the
// feedback. A log line names its process, whose last question over a unix socket tells the next-hop
// and the view; where that is not known, the recipient's domain has to do, and the view that is
// alone in use. Where several are, such evidence has no place: it must not count in a wrong one.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "src/jobs/feedback.h"
#include "src/jobs/question_book.h"
#include "src/jobs/view_book.h"
#include "src/wire/state_record.h"

namespace app {

class ReportReader {
 public:
  // Beyond this the oldest doesn't wait any more: it is counted, and teaches nothing.
  static constexpr std::size_t kMostWaiting = 1024 * 1024;

  // The feedback outlives this.
  explicit ReportReader(jobs::Feedback& feedback) : feedback_(feedback) {}

  // Whether there is an `ingest`; without one no question is remembered.
  void set_in_use(bool is_in_use) { is_in_use_ = is_in_use; }
  void asked(std::int64_t pid, std::string_view view, const model::Key& key, std::int64_t at) {
    if (!is_in_use_) return;
    book_.asked(pid, view, key.text, at);
    views_.note(view, at);
  }
  // What was known before a restart shows which views are in use too.
  void recall(const wire::StateRecord& record);

  // A view in which evidence came: a probe is about all of them.
  void note_view(std::string_view view, std::int64_t at) { views_.note(view, at); }

  // A message of FoundRecords, of `net`: what probes found counts in every view in which the
  // destination is known. Until what was known before a restart has come, it is passed over: the
  // next check says it again.
  void take_found(std::string_view payload);

  // A message of ReportedEvidence. Until what was known before a restart has come, messages wait.
  void take(std::string_view payload);
  // It has come.
  void release();

  // Evidence without a destination: what its process asked about can't be told apart, or the name
  // is none.
  [[nodiscard]] std::uint64_t unplaced() const { return unplaced_; }

 private:
  void take_all(std::string_view payload);
  void take_one(const wire::ReportedEvidence& reported);

  jobs::Feedback& feedback_;
  jobs::QuestionBook book_;
  jobs::ViewBook views_;
  bool is_in_use_ = false;
  std::deque<std::string> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::uint64_t last_serial_ = 0;  // of a line of the log
  std::uint64_t unplaced_ = 0;
};

}  // namespace app
