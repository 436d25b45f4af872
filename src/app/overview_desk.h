// The desk of role `store` where others ask for an Overview: role `http` over its channel, an admin
// through the control socket. However many ask, it is gathered at most every other second.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "src/app/overview_gatherer.h"
#include "src/base/handle.h"
#include "src/net/channel.h"
#include "src/net/loop.h"

namespace app {

class OverviewDesk {
 public:
  using Report = std::function<ControlDesk::Report()>;

  // All outlive it.
  OverviewDesk(net::Loop& loop, const base::Clock& clock, StateKeeper& states,
               OverviewRows::FindImage find_image, Report report);

  // Role `http` is there, perhaps a new one.
  void connect(base::UniqueFd channel);
  // FromParent::Roles.
  void take_roles(std::string_view payload);
  [[nodiscard]] std::vector<std::string> troubles(const ControlDesk::Report& report) const {
    return gatherer_.troubles(report, states_.mode());
  }
  // As JSON (wire/overview_json.h), at most two seconds old.
  const std::string& json();

 private:
  void answer_http();

  net::Loop& loop_;
  const base::Clock& clock_;
  StateKeeper& states_;
  Report report_;
  OverviewGatherer gatherer_;
  std::string json_;
  base::SteadyPoint gathered_at_{};
  std::unique_ptr<net::Channel> http_;
};

}  // namespace app
