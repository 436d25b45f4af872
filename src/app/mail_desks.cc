#include "src/app/mail_desks.h"

#include <unistd.h>

#include <string>

#include "src/base/log.h"
#include "src/image/sealed_file.h"
#include "src/wire/inbound_record.h"

namespace app {
namespace {

// More than kMostKnown records are never told.
constexpr std::size_t kLargestKnown = 64 * 1024 * 1024;

// All of a sealed memfd; nothing where it isn't sealed or too large.
std::string read_all(int fd) {
  std::string bytes;
  const off_t size = image::is_sealed(fd) ? ::lseek(fd, 0, SEEK_END) : 0;
  if (size <= 0 || static_cast<std::size_t>(size) > kLargestKnown) return bytes;
  bytes.resize(static_cast<std::size_t>(size));
  std::size_t at = 0;
  while (at < bytes.size()) {
    const ssize_t got = ::pread(fd, bytes.data() + at, bytes.size() - at, static_cast<off_t>(at));
    if (got <= 0) return {};
    at += static_cast<std::size_t>(got);
  }
  return bytes;
}

}  // namespace

MailDesks::MailDesks(const base::Clock& clock, jobs::Decider& decider, Now now,
                     TellStore tell_store)
    : clock_(clock, std::move(now)),
      records_(std::move(tell_store)),
      inbound_(clock_),
      submission_(decider) {
  gate_.attach_inbound(inbound_);
  gate_.attach_submission(submission_);
}

void MailDesks::take_known(base::UniqueFd fd) {
  const auto bytes = read_all(fd.get());
  std::string_view rest = bytes;
  while (const auto known = wire::take_inbound_known(rest)) inbound_.remember(*known);
}

void MailDesks::flush() {
  if (const auto line = malformed_.next(counters_, clock_.steady())) {
    base::log_warning("{}", *line);
  }
  records_.send();
  if (!records_.is_empty()) return;
  const auto append = [](std::string& out, const auto& record) {
    wire::append_record(out, record);
  };
  records_.put(wire::AnswerToStore::Inbound, inbound_.take_decisions(), append);
  records_.put(wire::AnswerToStore::InboundCounts, inbound_.take_counts(), append);
  records_.put(wire::AnswerToStore::InboundLearnt, inbound_.take_learnt(), append);
  records_.put(wire::AnswerToStore::Submissions, submission_.take_decisions(), append);
  records_.send();
}

}  // namespace app
