// What role `store` does with state.db: commits what `answer` proposes, counts its evidence, makes
// the state base that a new `answer` begins with, and remembers an admin's panic.
//
// Where the file can't be used nothing is acknowledged: every answer stays at the stricter level,
// an alarm says so, and it is tried again every few seconds.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/app/inbound_keeper.h"
#include "src/base/clock.h"
#include "src/base/handle.h"
#include "src/jobs/daily.h"
#include "src/model/level.h"
#include "src/net/loop.h"
#include "src/store/state_db.h"
#include "src/wire/role_message.h"
#include "src/wire/state_record.h"

namespace app {

class StateKeeper {
 public:
  class Outlet {
   public:
    virtual ~Outlet() = default;
    virtual bool tell_answer(wire::StoreToAnswer type, std::string_view payload,
                             std::span<const int> fds) = 0;
    virtual bool tell_parent(wire::ToParent type, std::string_view payload,
                             std::span<const int> fds) = 0;
    // What `answer` says of destinations, for whoever watches them.
    virtual void note_proposal(const wire::Proposal& proposal) = 0;
    virtual void note_count(const wire::CountRecord& count) = 0;
  };

  // All outlive the keeper.
  StateKeeper(net::Loop& loop, const base::Clock& clock, Outlet& outlet);

  // Opens the file, again where it is another one now.
  void open(const std::string& path);
  // `answer` is there, perhaps a new one: it gets the base and the panic.
  void on_answer_connected();

  void on_proposal(std::string_view payload);
  void on_counts(std::string_view payload);
  void on_observed(std::string_view payload);
  void on_clock(std::string_view payload);
  InboundKeeper& inbound() { return inbound_; }
  // Writes down what waits, before the end.
  void finish();

  // Of the daemon itself, for the ledger: panic and accept. False where it can't be written.
  bool record(model::DecisionKind kind, std::string why, std::int64_t until = 0);
  // An admin's panic; `seconds` from now on, 0 ends it. The error says why it can't be done.
  std::optional<std::string> panic(model::RowMode mode, std::int64_t seconds);
  bool reset(std::string_view view, std::string_view destination);

  // Records that came while the file could not be written, and had no room to wait.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_ + inbound_.dropped(); }
  [[nodiscard]] const std::string& alarm() const { return alarm_; }
  // How often it rose since the start.
  [[nodiscard]] std::uint64_t alarms_raised() const { return alarms_raised_; }
  // Where the time of day stands behind the highest that was ever seen: what that means, and the
  // way out. Else empty.
  [[nodiscard]] std::string clock_alarm() const;
  [[nodiscard]] const wire::ModeMessage& mode() const { return mode_; }
  // state.db took nothing of what somebody wrote.
  void on_refused(const store::StateDb::Refused& refused);
  // Null while the file can't be used.
  store::StateDb* db() { return db_ ? &*db_ : nullptr; }

 private:
  void try_open();
  void commit();
  std::optional<store::StateDb::Refused> add_counts();
  std::optional<store::StateDb::Refused> save_counts();
  void recover();
  void tell_alarm(const std::string& text, bool is_over);
  // Of which the file has a state that can't be read.
  void tell_damaged(const std::vector<std::string>& destinations);
  void send_base();
  void watch();
  void tell_mode();
  void log_head();
  base::UniqueFd make_base();

  const base::Clock& clock_;
  Outlet& outlet_;
  std::string path_;
  std::optional<store::StateDb> db_;
  std::string alarm_;
  std::string damage_;  // the same of single states
  std::uint64_t alarms_raised_ = 0;
  wire::ModeMessage mode_;
  std::vector<wire::Proposal> queue_;
  std::vector<store::EvidenceCount> counts_;
  std::vector<store::ObservedCount> observed_;
  InboundKeeper inbound_;
  std::uint64_t dropped_ = 0;
  store::StoredClock moments_;
  bool is_base_stale_ = false;
  std::int64_t base_at_ = 0;
  jobs::Daily head_;
  std::uint64_t own_ids_ = 0;
  net::Timer commit_;
  net::Timer watch_;
};

}  // namespace app
