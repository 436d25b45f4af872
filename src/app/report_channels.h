// The channels on which `answer` is told what others saw: `ingest` of the mail log and TLSRPT,
// `net` of probes. What comes goes to a ReportReader.
#pragma once

#include <memory>

#include "src/app/report_reader.h"
#include "src/base/handle.h"
#include "src/net/channel.h"
#include "src/net/loop.h"
#include "src/wire/role_message.h"

namespace app {

class ReportChannels {
 public:
  // Both outlive it.
  ReportChannels(net::Loop& loop, ReportReader& reports) : loop_(loop), reports_(reports) {}

  void connect_ingest(base::UniqueFd channel);
  void connect_net(base::UniqueFd channel);

  // All 0 while `ingest` is away.
  [[nodiscard]] const wire::IngestStats& ingest_stats() const { return ingest_stats_; }

 private:
  net::Loop& loop_;
  ReportReader& reports_;
  wire::IngestStats ingest_stats_;
  std::unique_ptr<net::Channel> ingest_;
  std::unique_ptr<net::Channel> net_;
};

}  // namespace app
