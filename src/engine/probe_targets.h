// Who is connected to, and who waits for it: the etiquette towards the hosts that are probed. So
// many connections at once, one to an address, and what one probe found is found for everybody who
// sends to the same host. Pure: knows neither domains nor sockets, gets its time as a value.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "src/base/clock.h"
#include "src/model/client_match.h"

namespace engine {

// One connection: the host matters beside the address, as a server may show each its certificate.
struct ProbeTarget {
  std::string host;
  model::AddressBytes address{};
  std::uint16_t port = 25;
  auto operator<=>(const ProbeTarget&) const = default;
};

// How a probe ended, as far as its schedule goes.
enum class ProbeEnding : std::uint8_t {
  Answered,  // it is known now what the host does, good or bad
  PutOff,    // 4xx, greylisting, silence: nothing is known; ask later, and later again
};

class ProbeTargets {
 public:
  using Waiter = std::uint32_t;
  // An address for which so many targets are queued up takes no more.
  static constexpr std::size_t kMostQueued = 4;

  explicit ProbeTargets(std::size_t at_once) : at_once_(at_once) {}

  // After which a probe that ended like this says all.
  struct Freshness {
    base::sys_seconds answered_since{};
    base::sys_seconds put_off_since{};
  };
  enum class Joined : std::uint8_t { Known, Waits };
  // True where the address has too long a queue already for one more target.
  [[nodiscard]] bool is_crowded(const ProbeTarget& target, const Freshness& fresh) const;
  // Known: a fresh probe says all. Else `waiter` is named by take_result() once.
  Joined join(const ProbeTarget& target, const Freshness& fresh, Waiter waiter);
  // To connect to now. It counts until its result is taken.
  std::optional<ProbeTarget> next();
  // Those who waited for it. Of a target that is not open: nobody.
  std::vector<Waiter> take_result(const ProbeTarget& target, ProbeEnding ending,
                                  base::sys_seconds now);

  // How the last probe that is over ended, while that is remembered.
  [[nodiscard]] std::optional<ProbeEnding> ending_of(const ProbeTarget& target) const;
  // Forgets results from before `since`.
  void forget_before(base::sys_seconds since);
  [[nodiscard]] std::size_t open() const { return open_; }
  // Targets known, waiting or open.
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    enum class State : std::uint8_t { Ended, Queued, Open };
    State state = State::Ended;
    ProbeEnding ending = ProbeEnding::Answered;
    std::optional<base::sys_seconds> ended{};  // of the last one
    std::vector<Waiter> waiters{};
  };
  static bool is_fresh(const Entry& entry, const Freshness& fresh);

  using Entries = std::map<ProbeTarget, Entry>;
  struct Address {
    bool is_open = false;
    std::deque<Entries::iterator> queue{};
  };

  std::size_t at_once_;
  std::size_t open_ = 0;
  Entries entries_;
  std::map<model::AddressBytes, Address> addresses_;  // those with a queue or a connection
  std::deque<Entries::iterator> ready_;               // one for each address at most
  std::deque<std::pair<base::sys_seconds, ProbeTarget>> ended_;  // in the order of time
};

}  // namespace engine
