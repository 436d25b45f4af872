#include "src/app/learner.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "src/app/following.h"
#include "src/base/bytes.h"
#include "src/base/log.h"
#include "src/base/text.h"
#include "src/image/sealed_file.h"
#include "src/wire/state_record.h"

namespace app {
namespace {

constexpr std::chrono::seconds kTickEvery{1};
constexpr std::string_view kBaseMagic = "TLSPBAS1";
constexpr std::size_t kHeadSize = kBaseMagic.size() + 2 * sizeof(std::int64_t);
// Some thousand records: short enough not to be seen in a look-up's latency.
constexpr std::size_t kSlice = 256 * 1024;

// The same in fewer words, where many failures with long names and texts are more than a message.
wire::Proposal abridged(wire::Proposal proposal) {
  constexpr std::ptrdiff_t kMostEvidence = 16;
  constexpr std::size_t kLongestText = 100;
  const auto cut = [](std::string& text) {
    if (text.size() > kLongestText) text.resize(kLongestText);
  };
  if (proposal.state) {
    for (auto& failure : proposal.state->failures) cut(failure.evidence.text);
  }
  for (auto& decision : proposal.decisions) {
    auto& evidence = decision.evidence;
    const auto surplus = std::max<std::ptrdiff_t>(0, std::ssize(evidence) - kMostEvidence);
    evidence.erase(evidence.begin(), evidence.begin() + surplus);
    for (auto& seen : evidence) cut(seen.text);
  }
  return proposal;
}

}  // namespace

std::string state_base_head(model::Moment saved) {
  std::string head(kBaseMagic);
  base::append_number<std::int64_t>(head, saved.wall);
  base::append_number<std::int64_t>(head, saved.lived);
  return head;
}

Learner::Learner(net::Loop& loop, const base::Clock& clock, jobs::Decider& decider,
                 TellStore tell_store, TellParent tell_parent)
    : clock_(clock),
      tell_store_(std::move(tell_store)),
      tell_parent_(std::move(tell_parent)),
      counts_(tell_store_),
      feedback_(clock, decider, *this),
      reports_(feedback_),
      ticker_(loop, [this] { tick(); }),
      reader_(loop, [this] { read_slice(); }) {
  feedback_.set_incarnation(static_cast<std::uint16_t>(::getpid()));
}

void Learner::start() {
  ticker_.start(kTickEvery);
}

void Learner::tick() {
  feedback_.tick();
  send_counts();
  ticker_.start(kTickEvery);
}

void Learner::send_counts() {
  // `store` writes down where the clocks stand, also where nothing is counted.
  const auto now = feedback_.now();
  std::string head;
  base::append_number<std::int64_t>(head, now.wall);
  base::append_number<std::int64_t>(head, now.lived);
  tell_store_(wire::AnswerToStore::Clock, head);
  counts_.send();
  if (!counts_.is_empty()) return;
  counts_.put(wire::AnswerToStore::Counts, feedback_.take_counts(), wire::append_count_record);
  counts_.put(wire::AnswerToStore::Observed, feedback_.take_observed(),
              wire::append_observed_record);
  counts_.send();
}

void Learner::describe(wire::AnswerStats& stats) const {
  stats.known = feedback_.known();
  stats.open = feedback_.open_proposals();
  stats.dropped = feedback_.dropped_counts();
  stats.frozen = feedback_.is_frozen() ? 1 : 0;
  stats.evidence = feedback_.evidence_totals();
  stats.alarms = feedback_.alarms_raised();
  stats.unplaced = reports_.unplaced();
}

void Learner::take_base(jobs::Feedback::Base kind, base::UniqueFd fd) {
  std::string head(kHeadSize, '\0');
  const bool is_read =
      image::is_sealed(fd.get()) &&
      ::pread(fd.get(), head.data(), head.size(), 0) == static_cast<ssize_t>(head.size()) &&
      head.starts_with(kBaseMagic);
  if (!is_read) {
    base::log_error(
        "what was known of destinations can't be read; rows that depend on it answer "
        "at least encrypt");
    return;
  }
  base::ByteReader from(head, kBaseMagic.size());
  model::Moment saved;
  saved.wall = from.number<std::int64_t>();
  saved.lived = from.number<std::int64_t>();
  if (!feedback_.begin_base(kind, saved)) return;
  base_ = std::move(fd);
  base_at_ = kHeadSize;
  base_rest_.clear();
  reader_.start(std::chrono::microseconds{0});
}

void Learner::read_slice() {
  const auto before = base_rest_.size();
  base_rest_.resize(before + kSlice);
  const auto got =
      ::pread(base_.get(), base_rest_.data() + before, kSlice, static_cast<off_t>(base_at_));
  base_rest_.resize(before + (got > 0 ? static_cast<std::size_t>(got) : 0));
  if (got <= 0) return end_base(got == 0 && base_rest_.empty());
  base_at_ += static_cast<std::size_t>(got);
  std::string_view rest = base_rest_;
  while (const auto record = wire::take_state_record(rest)) {
    feedback_.take_base_record(*record);
    reports_.recall(*record);
  }
  if (rest.size() > net::kLargestMessage * 8) return end_base(false);
  base_rest_ = std::string(rest);
  reader_.start(std::chrono::microseconds{0});
}

void Learner::end_base(bool is_whole) {
  base_.reset();
  base_rest_.clear();
  if (is_whole) {
    feedback_.end_base();
  } else {
    feedback_.drop_base();
    base::log_error("what was known of destinations is damaged; {}",
                    feedback_.has_base() ? "what the parent kept of it serves on"
                                         : "rows that depend on it answer at least encrypt");
  }
  if (feedback_.has_base()) reports_.release();
  when_read_();
}

void Learner::on_committed(std::string_view ids) {
  base::ByteReader from(ids);
  while (from.at() < ids.size()) {
    const auto id = from.number<std::uint64_t>();
    if (!from.ok()) return;
    feedback_.committed(id);
  }
}

void Learner::on_reset(std::string_view payload) {
  const auto texts = wire::parse_texts(payload);
  if (!texts || texts->size() != 2) return;
  feedback_.reset((*texts)[0], model::normalise_key((*texts)[1]));
}

void Learner::on_follow(std::string_view payload) {
  if (auto texts = wire::parse_texts(payload)) followed_ = std::move(*texts);
}

void Learner::on_own_fault(std::string_view payload) {
  if (const auto is_ours = wire::parse_u64(payload)) feedback_.take_own_fault(*is_ours == 1);
}

void Learner::asked(std::int64_t pid, std::string_view view, const model::Key& key) {
  reports_.asked(pid, view, key, clock_.now().time_since_epoch().count());
}

bool Learner::saw(std::string_view view, const model::Key& key, const model::Evidence& evidence) {
  auto dated = evidence;
  dated.at = clock_.now().time_since_epoch().count();
  reports_.note_view(view, dated.at);
  return feedback_.take(view, key, dated);
}

bool Learner::is_followed(const model::Key& key) const {
  for (const std::string& name : followed_) {
    if (is_about(name, key.text)) return true;
  }
  return false;
}

void Learner::follow(std::string_view map, const model::Key& key, std::string_view reply) {
  wire::FollowedMessage exchange;
  exchange.at = clock_.now().time_since_epoch().count();
  exchange.map = map;
  exchange.key = key.text;
  exchange.reply = reply;
  tell_store_(wire::AnswerToStore::Followed, wire::to_payload(exchange));
}

bool Learner::propose(const wire::Proposal& proposal) {
  // A decision says how many deliveries it is about, the last one too.
  if (!proposal.decisions.empty() && feedback_.has_counts()) send_counts();
  auto payload = wire::to_payload(proposal);
  if (payload.size() >= net::kLargestMessage) payload = wire::to_payload(abridged(proposal));
  if (payload.size() < net::kLargestMessage) {
    return tell_store_(wire::AnswerToStore::Proposal, payload);
  }
  base::log_error(
      "what is to be written down of {} is too long ({} bytes); its answer stays at the stricter "
      "level, tlspolicyctl reset forgets what led there",
      base::printable(proposal.destination, 300), payload.size());
  return true;  // no later try would fare better, and others wait behind it
}

void Learner::alarm(std::string_view what, std::string_view destination, std::string_view text,
                    bool is_over) {
  const auto where =
      destination.empty() ? std::string() : fmt::format(" {}", base::printable(destination, 300));
  if (is_over) {
    base::log_info("over: {}{}: {}", what, where, base::printable(text, 300));
  } else {
    base::log_warning("{}{}: {}", what, where, base::printable(text, 300));
  }
  wire::AlarmMessage message;
  message.what = what;
  message.destination = destination;
  message.text = text;
  message.is_over = is_over;
  tell_parent_(wire::ToParent::Alarm, wire::to_payload(message));
}

}  // namespace app
