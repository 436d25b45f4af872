#include "src/app/report_channels.h"

#include <utility>

#include "src/wire/net_message.h"

namespace app {

void ReportChannels::connect_net(base::UniqueFd channel) {
  net_ = std::make_unique<net::Channel>(
      loop_, std::move(channel),
      [this](const net::Message& from_net) {
        if (from_net.type != static_cast<std::uint8_t>(wire::NetToAnswer::Found)) return;
        reports_.take_found(from_net.payload);
      },
      [this] { net_.reset(); });
}

void ReportChannels::connect_ingest(base::UniqueFd channel) {
  ingest_ = std::make_unique<net::Channel>(
      loop_, std::move(channel),
      [this](const net::Message& from_ingest) {
        switch (static_cast<wire::IngestToAnswer>(from_ingest.type)) {
          case wire::IngestToAnswer::Evidence:
            reports_.take(from_ingest.payload);
            break;
          case wire::IngestToAnswer::Stats:
            ingest_stats_ = wire::parse_ingest_stats(from_ingest.payload).value_or(ingest_stats_);
            break;
        }
      },
      [this] {
        ingest_.reset();
        ingest_stats_ = {};
      });
}

}  // namespace app
