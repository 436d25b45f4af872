#include "src/jobs/question_book.h"

#include <algorithm>
#include <iterator>

namespace jobs {

void QuestionBook::asked(std::int64_t pid, std::string_view view, std::string_view key,
                         std::int64_t at) {
  if (pid <= 0) return;
  const auto found = known_.find(pid);
  if (found != known_.end()) {
    recent_.splice(recent_.begin(), recent_, found->second);
  } else if (known_.size() >= kMostProcesses) {
    known_.erase(recent_.back().pid);
    recent_.splice(recent_.begin(), recent_, std::prev(recent_.end()));
    recent_.front().count = recent_.front().next = 0;
    known_[pid] = recent_.begin();
  } else {
    recent_.emplace_front();
    known_[pid] = recent_.begin();
  }
  Process& process = recent_.front();
  process.pid = pid;
  if (process.count > 0) {
    // Asked for each server of one delivery [F 2.2]: once is enough.
    const Question& last = nth_newest(process, 0);
    if (last.at == at && last.key == key && last.view == view) return;
  }
  Question& question = process.questions.at(process.next);
  question.at = at;
  question.view = view;
  question.key = key;
  process.next = (process.next + 1) % kKept;
  process.count = std::min(process.count + 1, kKept);
}

const QuestionBook::Question& QuestionBook::nth_newest(const Process& process, std::size_t n) {
  return process.questions.at((process.next + 2 * kKept - 1 - n) % kKept);
}

QuestionBook::Answer QuestionBook::find(std::int64_t pid, std::int64_t at,
                                        std::string_view likely) const {
  const auto found = known_.find(pid);
  if (found == known_.end()) return {};
  const Process& process = *found->second;
  Answer answer;
  bool is_over = false;
  for (std::size_t n = 0; n < process.count && !is_over; ++n) {
    const Question& question = nth_newest(process, n);
    if (question.at > at) continue;
    if (question.key == likely) return {true, question};
    if (!answer.is_known) {
      answer = {true, question};
    } else if (answer.question &&
               (answer.question->key != question.key || answer.question->view != question.view)) {
      answer.question.reset();
    }
    // Everything before this one was over by then.
    is_over = question.at < at;
  }
  // A full ring may have lost what was asked before.
  if (!is_over && process.count == kKept) answer.question.reset();
  return answer;
}

}  // namespace jobs
