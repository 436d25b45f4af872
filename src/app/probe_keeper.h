// The side of `store` towards role `net`: tells it which destinations to watch and what happens to
// them, takes what its probes found, has that compared with what was known, written down and, where
// somebody has to know, said.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "src/app/state_keeper.h"
#include "src/base/clock.h"
#include "src/engine/own_fault.h"
#include "src/engine/watch.h"
#include "src/image/reader.h"
#include "src/model/probe_record.h"
#include "src/net/channel.h"
#include "src/net/loop.h"
#include "src/wire/net_message.h"
#include "src/wire/state_record.h"

namespace app {

class ProbeKeeper {
 public:
  // The policy in force; null while there is none.
  using FindImage = std::function<const image::Image*()>;
  using TellParent = std::function<bool(wire::ToParent type, std::string_view payload)>;
  using TellAnswer = std::function<bool(wire::StoreToAnswer type, std::string_view payload)>;

  // All outlive it.
  ProbeKeeper(net::Loop& loop, const base::Clock& clock, StateKeeper& states, FindImage find_image,
              TellParent tell_parent, TellAnswer tell_answer);

  // `net` is there, perhaps a new one.
  void connect(base::UniqueFd channel);
  // Another policy is in force: whom to watch may have changed.
  void policy_changed();
  // What `answer` says of destinations.
  void note_proposal(const wire::Proposal& proposal);
  void note_count(const wire::CountRecord& count);
  // An admin wants checks now. False where there is no `net` that could be told.
  bool ask_for(const std::vector<std::string>& destinations);
  // Writes down what waits, before the end.
  void finish() { save(); }

  // Nothing while `net` is away.
  [[nodiscard]] const std::optional<wire::NetStats>& stats() const { return stats_; }
  // Checks that were never written down: too many waited, or state.db can't say what was known.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }
  // How often each alarm rose since the start, by its name.
  [[nodiscard]] const std::map<std::string, std::uint64_t>& alarms_raised() const {
    return alarms_raised_;
  }

 private:
  // What one batch of records leads to, before and after it is on disk.
  struct Batch {
    std::vector<store::ProbeUpdate> updates;
    std::vector<std::pair<std::string, engine::WatchAlarm>> alarms;  // with the destination
    std::vector<wire::WatchEvent> wanted;
  };

  void on_net(const net::Message& message);
  void send_list();
  void send_event(wire::WatchEvent event);
  void send_events();
  void save();
  base::Result<void> add_to(Batch& batch, const model::ProbeRecord& record, std::int64_t now);
  void put_off(std::size_t at, std::string_view why);
  void tell_alarm(const std::string& destination, const engine::WatchAlarm& alarm);
  void tell_own_fault();
  void note_watched();
  [[nodiscard]] std::int64_t now() const { return clock_.now().time_since_epoch().count(); }

  const base::Clock& clock_;
  StateKeeper& states_;
  FindImage find_image_;
  TellParent tell_parent_;
  TellAnswer tell_answer_;
  engine::OfferBook offers_;
  std::unique_ptr<net::Channel> net_;
  std::optional<wire::NetStats> stats_;
  std::map<std::string, std::uint64_t> alarms_raised_;
  std::vector<wire::WatchEvent> events_;        // to be sent at the end of this turn of the loop
  std::vector<model::ProbeRecord> records_;     // not yet written
  std::set<std::string, std::less<>> put_off_;  // destinations among them
  std::uint64_t dropped_ = 0;
  // Of this hour: told to `net` as delivered by TLS.
  std::set<std::string, std::less<>> delivered_;
  std::int64_t delivered_hour_ = 0;
  // To be written down as watched, a few at a time.
  std::vector<std::string> to_note_;
  std::int64_t noted_at_ = 0;
  net::Loop& loop_;
  std::chrono::milliseconds list_cost_{0};
  base::SteadyPoint list_due_{};
  net::Timer list_timer_;
  net::Timer event_timer_;
  net::Timer save_timer_;
  net::Timer note_timer_;
};

}  // namespace app
