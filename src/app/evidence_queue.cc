#include "src/app/evidence_queue.h"

#include <utility>

namespace app {

void EvidenceQueue::put(const wire::ReportedEvidence& reported) {
  if (bytes_ >= kMostBytes) {
    ++dropped_;
    return;
  }
  if (waiting_.empty() || waiting_.back().behind ||
      waiting_.back().payload.size() >= kMessageSize) {
    waiting_.emplace_back();
  }
  Message& last = waiting_.back();
  const auto before = last.payload.size();
  wire::append_reported_evidence(last.payload, reported);
  bytes_ += last.payload.size() - before;
  ++last.count;
}

void EvidenceQueue::mark(const LogPosition& position) {
  (waiting_.empty() ? due_ : waiting_.back().behind) = position;
}

void EvidenceQueue::pop() {
  Message& first = waiting_.front();
  if (first.behind) due_ = std::move(first.behind);
  bytes_ -= first.payload.size();
  waiting_.pop_front();
}

void EvidenceQueue::flush(const std::function<bool(std::string_view payload)>& send,
                          base::SteadyPoint now) {
  while (!waiting_.empty() && send(waiting_.front().payload)) {
    sent_ += waiting_.front().count;
    stuck_since_.reset();
    pop();
  }
  if (waiting_.empty()) {
    stuck_since_.reset();
  } else if (!stuck_since_) {
    stuck_since_ = now;
  } else if (now - *stuck_since_ > kPatience) {
    for (; !waiting_.empty(); pop()) dropped_ += waiting_.front().count;
    stuck_since_.reset();
  }
}

}  // namespace app
