#include "src/app/overview_desk.h"

#include <array>
#include <utility>

#include "src/base/log.h"
#include "src/image/sealed_file.h"
#include "src/wire/overview_json.h"

namespace app {
namespace {

constexpr std::chrono::seconds kAtMostEvery{2};

}  // namespace

OverviewDesk::OverviewDesk(net::Loop& loop, const base::Clock& clock, StateKeeper& states,
                           OverviewRows::FindImage find_image, Report report)
    : loop_(loop),
      clock_(clock),
      states_(states),
      report_(std::move(report)),
      gatherer_(
          clock, [&states] { return states.db(); }, std::move(find_image)) {}

void OverviewDesk::connect(base::UniqueFd channel) {
  http_ = std::make_unique<net::Channel>(
      loop_, std::move(channel),
      [this](const net::Message& message) {
        if (message.type == static_cast<std::uint8_t>(wire::HttpToStore::Ask)) answer_http();
      },
      [this] { http_.reset(); });
}

void OverviewDesk::take_roles(std::string_view payload) {
  if (auto roles = wire::parse_role_records(payload)) gatherer_.set_roles(std::move(*roles));
}

const std::string& OverviewDesk::json() {
  const auto now = clock_.steady();
  if (json_.empty() || now - gathered_at_ >= kAtMostEvery) {
    json_ = wire::to_json(gatherer_.gather(report_(), states_.mode()));
    gathered_at_ = now;
  }
  return json_;
}

void OverviewDesk::answer_http() {
  const auto sealed = image::seal("tlspolicyd-overview", {json()});
  if (!sealed) {
    base::log_error("role http can't be told what there is to see: {}", sealed.error());
    return;
  }
  http_->send(wire::StoreToHttp::Overview, {}, std::array{sealed->get()});
}

}  // namespace app
