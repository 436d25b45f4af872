// What role `store` does with the records of incoming and submitted mail: takes them from `answer`,
// writes them down with the other counters, and gives a new `answer` what was learnt of senders.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "src/base/handle.h"
#include "src/store/state_db.h"
#include "src/wire/role_message.h"

namespace app {

class InboundKeeper {
 public:
  // What comes while the file can't be written is dropped beyond this, and counted.
  static constexpr std::int64_t kMostWaiting = 50'000;

  void take(wire::AnswerToStore type, std::string_view payload);
  // Forgotten here once it is written.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }
  std::optional<store::StateDb::Refused> save(store::StateDb& db, std::int64_t now);
  // A sealed memfd of InboundKnowns, one behind the other; none where there is nothing to tell.
  static base::UniqueFd make_known(store::StateDb& db);

 private:
  template <class Record>
  void keep(std::vector<Record>& kept, Record record);

  store::InboundLog log_;
  std::uint64_t dropped_ = 0;
};

}  // namespace app
