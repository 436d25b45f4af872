// Counts the messages of incoming mail that a rule judged alike, until somebody takes the counts.
// Bounded in their number and in the length of what a peer wrote.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "src/model/client_match.h"
#include "src/model/inbound_record.h"

namespace jobs {

class InboundTallies {
 public:
  static constexpr std::size_t kLongestText = 320;

  // One judgement; as model::InboundTally, but for the network.
  template <class Text>
  struct Case {
    std::int64_t hour = 0;
    std::int64_t rule = 0;
    model::Network network;
    Text sender_domain;
    Text required;
    Text got;
    Text action;

    [[nodiscard]] auto fields() const {
      return std::tuple<std::int64_t, std::int64_t, const model::Network&, std::string_view,
                        std::string_view, std::string_view, std::string_view>(
          hour, rule, network, sender_domain, required, got, action);
    }
  };
  using Judged = Case<std::string_view>;

  explicit InboundTallies(std::size_t most) : most_(most) {}

  // False: too many different ones wait already, and this one is not counted.
  bool count(const Judged& judged);
  // In no order.
  std::vector<model::InboundCount> take();

 private:
  using Kept = Case<std::string>;
  struct Hash {
    using is_transparent = void;
    template <class Text>
    std::size_t operator()(const Case<Text>& each) const;
  };
  struct Equal {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const Case<A>& a, const Case<B>& b) const {
      return a.fields() == b.fields();
    }
  };

  std::size_t most_;
  std::unordered_map<Kept, std::int64_t, Hash, Equal> counts_;
};

}  // namespace jobs
