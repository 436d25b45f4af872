#include "src/app/inbound_keeper.h"

#include <utility>

#include "src/base/log.h"
#include "src/image/sealed_file.h"
#include "src/jobs/inbound_desk.h"
#include "src/wire/inbound_record.h"

namespace app {

template <class Record>
void InboundKeeper::keep(std::vector<Record>& kept, Record record) {
  if (log_.size() >= kMostWaiting) {
    ++dropped_;
  } else {
    kept.push_back(std::move(record));
  }
}

void InboundKeeper::take(wire::AnswerToStore type, std::string_view payload) {
  if (type == wire::AnswerToStore::Inbound) {
    while (auto one = wire::take_inbound_decision(payload)) keep(log_.decisions, std::move(*one));
  } else if (type == wire::AnswerToStore::InboundCounts) {
    while (auto one = wire::take_inbound_count(payload)) keep(log_.counts, std::move(*one));
  } else if (type == wire::AnswerToStore::Submissions) {
    while (auto one = wire::take_submission_decision(payload)) {
      keep(log_.submissions, std::move(*one));
    }
  } else {
    while (auto one = wire::take_inbound_known(payload)) keep(log_.learnt, std::move(*one));
  }
}

std::optional<store::StateDb::Refused> InboundKeeper::save(store::StateDb& db, std::int64_t now) {
  if (auto refused = db.add_inbound(log_, now)) return refused;
  log_ = {};
  return std::nullopt;
}

base::UniqueFd InboundKeeper::make_known(store::StateDb& db) {
  std::string bytes;
  const auto most = static_cast<std::int64_t>(jobs::InboundDesk::kMostKnown);
  const auto loaded = db.load_known(
      most, [&bytes](const model::InboundKnown& known) { wire::append_record(bytes, known); });
  if (!loaded) {
    base::log_error("what was learnt of senders can't be read: {}", loaded.error());
    return {};
  }
  if (bytes.empty()) return {};
  auto sealed = image::seal("tlspolicyd-known", {bytes});
  if (sealed) return std::move(*sealed);
  base::log_error("what was learnt of senders can't be told: {}", sealed.error());
  return {};
}

}  // namespace app
