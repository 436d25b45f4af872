// Counts the messages of incoming mail that a rule judged alike, until somebody takes the counts.
// Bounded in their number and in the length of what a peer wrote.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/model/client_match.h"
#include "src/model/inbound_record.h"

namespace jobs {

class InboundTallies {
 public:
  static constexpr std::size_t kLongestText = 320;

  // One judgement; as model::InboundTally, but for the network.
  struct Judged {
    std::int64_t hour = 0;
    std::int64_t rule = 0;
    model::Network network;
    std::string_view sender_domain;
    std::string_view required;
    std::string_view got;
    std::string_view action;
  };

  explicit InboundTallies(std::size_t most) : most_(most) {}

  // Who sent the mail. Where its counts begin to be looked for is fetched into the cache meanwhile.
  struct Origin {
    std::size_t hash = 0;
  };
  [[nodiscard]] Origin look_ahead(const model::Network& network,
                                  std::string_view sender_domain) const;

  // False: too many different ones wait already, and this one is not counted. `origin` is that of
  // what was judged.
  bool count(Origin origin, const Judged& judged);
  // In the order in which they first came.
  std::vector<model::InboundCount> take();

 private:
  // Small, and its texts in one place: every message looks for its own among thousands.
  struct Case {
    Origin origin;
    std::int64_t hour = 0;
    std::int64_t rule = 0;
    model::Network network;
    std::array<std::uint32_t, 4> sizes{};  // of its texts, which stand in texts_ from `texts` on
    std::size_t texts = 0;
    std::int64_t count = 0;
  };
  // Tells most of the others apart without a look at the case.
  struct Slot {
    std::uint32_t tag = 0;     // of the origin's hash
    std::uint32_t number = 0;  // of the case, from 1 on; 0: free
  };
  using Texts = std::array<std::string_view, 4>;  // sender domain, required, got, action

  static std::uint32_t tag_of(Origin origin) {
    return static_cast<std::uint32_t>(origin.hash >> 32U);
  }
  [[nodiscard]] bool is_same(const Case& each, const Judged& judged, const Texts& texts) const;
  // Where the case is, or the free slot where it belongs.
  [[nodiscard]] std::size_t find_slot(Origin origin, const Judged& judged,
                                      const Texts& texts) const;
  void make_room();

  std::size_t most_;
  std::vector<Case> cases_;
  std::string texts_;
  // Open addressing. A power of two in number, and twice as many as cases at least.
  std::vector<Slot> slots_ = std::vector<Slot>(64);
};

}  // namespace jobs
