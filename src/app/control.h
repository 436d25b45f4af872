// The admin's control socket: one JSON object and a line end in, the same out, then the end. Bytes
// in, bytes out; who may connect is decided by the permissions of the socket.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/app/following.h"
#include "src/app/probe_keeper.h"
#include "src/app/state_keeper.h"
#include "src/jobs/publisher.h"
#include "src/net/session.h"
#include "src/wire/role_message.h"

namespace app {

inline constexpr std::size_t kLongestControlRequest = 4096;

// What the store role can tell and do.
class ControlDesk {
 public:
  virtual ~ControlDesk() = default;
  struct Report {
    std::string mode;
    std::string policy_db;
    const jobs::Publisher::Status* publisher = nullptr;
    std::optional<wire::AnswerStats> answer;
    std::optional<wire::NetStats> net;  // nothing while it does not run
    std::uint64_t dropped = 0;          // records that had no room in `store`
    std::vector<std::string> alarms;
  };
  virtual Report report() = 0;
  // What of it is not well (overview_gatherer.h, list_troubles()).
  virtual std::vector<std::string> troubles(const Report& report) = 0;
  virtual jobs::Publisher::Accepted accept() = 0;
  // state.db and what belongs to it.
  virtual StateKeeper& keeper() = 0;
  virtual ProbeKeeper& probes() = 0;
  // What there is to see (model/overview.h) as JSON.
  virtual const std::string& overview() = 0;
  // What was said to Postfix of a destination since an earlier question; nothing where too many are
  // followed already.
  using Traced = std::optional<std::vector<Following::Numbered>>;
  virtual Traced trace(const std::string& destination, std::uint64_t after) = 0;
};

// "starting", "live", "waiting", "trouble".
std::string_view to_word(jobs::Publisher::State state);

class ControlSession final : public net::Session {
 public:
  // The desk outlives the session.
  explicit ControlSession(ControlDesk& desk) : desk_(desk) {}
  Step receive(std::string_view in, std::string& out) override;

 private:
  ControlDesk& desk_;
};

}  // namespace app
