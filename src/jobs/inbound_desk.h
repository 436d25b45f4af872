// Decides about incoming mail by the rules of the policy in force, and keeps what is to be written
// down of it until somebody takes it. Answers from memory alone; everything it keeps is bounded.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "src/base/clock.h"
#include "src/engine/admit.h"
#include "src/jobs/inbound_tallies.h"
#include "src/jobs/recent_messages.h"
#include "src/model/inbound_record.h"
#include "src/model/mail_oracle.h"

namespace jobs {

class InboundDesk final : public model::MailOracle {
 public:
  // Bounds: decisions and tallies between two takings (the rest is counted as dropped), senders and
  // networks known to use TLS.
  static constexpr std::size_t kMostWaiting = 5'000;
  static constexpr std::size_t kMostKnown = 100'000;

  // The clock outlives the desk.
  explicit InboundDesk(const base::Clock& clock) : clock_(clock) {}

  // The rules outlive the desk, or the next install.
  void install(std::span<const model::InboundRule> rules);
  void set_mode(model::RowMode mode) { mode_ = mode; }
  // What was known at the last start.
  void remember(const model::InboundKnown& known);

  // Without rules ever installed nobody knows what is asked: deferred, unless a later check
  // rejects. In mode observe everything passes.
  model::Ruling ruling_for(const model::MailFacts& facts) override;

  std::vector<model::InboundDecision> take_decisions();
  std::vector<model::InboundCount> take_counts();
  // What was learnt since the last taking.
  std::vector<model::InboundKnown> take_learnt();
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  // One question, and where its answer is counted.
  struct Asked {
    const model::MailFacts& facts;
    const engine::Bringer& bringer;
    model::Network network;  // of the client; none where it has no address
    base::sys_seconds now;
    RecentMessages::Name message;
    InboundTallies::Origin origin;
  };
  [[nodiscard]] Asked look_ahead(const model::MailFacts& facts);
  [[nodiscard]] bool is_known(const model::InboundDemand& demand,
                              const engine::Bringer& bringer) const;
  void note(const engine::Admission& admission, const Asked& asked);
  void learn(const engine::Admission& admission, const model::MailFacts& facts,
             const engine::Bringer& bringer);

  const base::Clock& clock_;
  engine::InboundBook book_;
  bool has_policy_ = false;
  model::RowMode mode_ = model::RowMode::Enforce;
  RecentMessages messages_;
  std::unordered_map<std::string, std::int64_t> known_;  // by domain and network
  std::map<std::string, std::int64_t> learnt_;
  std::vector<model::InboundDecision> decisions_;
  InboundTallies tallies_{kMostWaiting};
  engine::Bringer bringer_;  // of the question at hand; its memory is used again
  std::uint64_t dropped_ = 0;
};

}  // namespace jobs
