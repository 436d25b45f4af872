// What is remembered of each destination, in memory, by view and next-hop.
//
// Bounded: where it is full, a destination of which nothing that matters is known makes room; none
// that was offered STARTTLS, fails or is downgraded ever does.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "src/model/destination_state.h"

namespace jobs {

class DestinationTable {
 public:
  static constexpr std::size_t kMost = 1'000'000;
  explicit DestinationTable(std::size_t most = kMost) : most_(most) {}

  // Nothing where the destination is not known.
  [[nodiscard]] std::optional<model::DestinationState> find(std::string_view view,
                                                            std::string_view destination) const;
  // False where there is no room for it.
  bool put(std::string_view view, std::string_view destination,
           const model::DestinationState& state);
  [[nodiscard]] std::size_t size() const { return known_.size(); }
  [[nodiscard]] bool is_full() const { return known_.size() >= most_; }
  // Those with failures on record or out of phase Normal: few, and all that time can change.
  void for_each_unsettled(
      const std::function<void(std::string_view view, std::string_view destination)>& visit) const;

 private:
  // Seconds fit 32 bits until the year 2106; a million of these are what memory is measured by.
  struct Packed {
    std::uint32_t version = 0;
    std::uint32_t offered_at = 0;
    std::uint32_t absent_at = 0;
    std::uint32_t worked_at = 0;
    std::uint32_t offered_lived = 0;
    std::uint8_t flags = 0;
  };
  using Key = std::string;

  static Key key_of(std::string_view view, std::string_view destination);
  static bool is_settled(const model::DestinationState& state);
  bool make_room();

  std::size_t most_;
  std::unordered_map<Key, Packed> known_;
  // In full, for those that are unsettled; they stand in known_ too.
  std::unordered_map<Key, model::DestinationState> unsettled_;
  std::size_t hand_ = 0;  // the bucket where the search for room goes on
};

}  // namespace jobs
