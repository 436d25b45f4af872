#include "src/engine/certificate_end.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "src/base/clock.h"
#include "src/engine/watch.h"

namespace engine {

std::optional<CertificateEnd> earliest_end(const AskedLevel& asked,
                                           const model::ProbeRecord& record) {
  std::optional<CertificateEnd> first;
  const model::ProbedPeer* last = nullptr;
  for (const auto& peer : record.peers) {
    if (peer.not_after == 0 || judge_peer(asked, peer, record.destination).delivers != true) {
      continue;
    }
    if (!first || peer.not_after < first->at) first = CertificateEnd{peer.not_after, peer.host, {}};
    if (last == nullptr || peer.not_after > last->not_after) last = &peer;
  }
  if (first && last->not_after > first->at) first->other_host = last->host;
  return first;
}

std::int64_t warning_due(std::int64_t end, std::int64_t now) {
  std::int64_t due = 0;
  for (const auto days : kWarningDays) {
    if (end - now <= days * kDay) due = days;
  }
  return due;
}

std::string describe_end(const CertificateEnd& end, std::int64_t weekly_deliveries,
                         std::int64_t now) {
  const auto left = (end.at - now) / kDay;
  const auto text = fmt::format("the certificate of {} ends in {} day{}, {}", end.host, left,
                                left == 1 ? "" : "s",
                                base::iso_time(base::sys_seconds(std::chrono::seconds(end.at))));
  if (!end.other_host.empty() && end.other_host != end.host) {
    return fmt::format("{}; mail would go on by way of {}", text, end.other_host);
  }
  if (!end.other_host.empty()) return text + "; that of another address of it holds longer";
  return fmt::format("{}: {} deliver{} a week would stop", text, weekly_deliveries,
                     weekly_deliveries == 1 ? "y" : "ies");
}

std::string issuing_organisation(std::string_view name) {
  constexpr std::string_view kType = "O=";
  for (std::size_t begin = 0; begin < name.size();) {
    auto end = name.find_first_of("\\,+", begin);
    // RFC 4514 2.4: what follows a backslash is no separator.
    while (end < name.size() && name[end] == '\\') end = name.find_first_of("\\,+", end + 2);
    end = std::min(end, name.size());
    const auto part = name.substr(begin, end - begin);
    if (part.starts_with(kType) && part != kType) return std::string(part.substr(kType.size()));
    begin = end + 1;
  }
  return std::string(name);
}

}  // namespace engine
