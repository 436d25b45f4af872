// What `store` believes of the records that `net` sends, which has spoken with strangers: any bytes
// as any record. A record taken off the front leaves exactly what stood behind it, is within the
// bounds of model/probe_record.h, and reads the same when it is written again; where there is none,
// nothing is taken. Whatever is written fits a message.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "src/wire/probe_record.h"

namespace {

constexpr std::size_t kLargestRecord = 60'000;

void require(bool holds) {
  if (!holds) std::abort();
}

void check_bounds(const model::ProbeRecord& record) {
  require(record.destination.size() <= model::kLongestRecordWord);
  require(record.hosts.size() <= model::kMostRecordHosts);
  require(record.peers.size() <= model::kMostRecordPeers);
  for (const auto& peer : record.peers) {
    require(peer.names.size() <= model::kMostRecordNames);
    for (const auto* word : {&peer.host, &peer.address, &peer.trouble, &peer.protocol, &peer.cipher,
                             &peer.issuer, &peer.pin, &peer.fingerprint}) {
      require(word->size() <= model::kLongestRecordWord);
    }
  }
}

void check_records(std::string_view bytes) {
  std::string_view rest = bytes;
  while (true) {
    const auto before = rest;
    const auto record = wire::take_probe_record(rest);
    if (!record) {
      require(rest == before);
      return;
    }
    require(rest.size() < before.size() && before.ends_with(rest));
    check_bounds(*record);
    std::string written;
    wire::append_record(written, *record);
    require(written.size() < kLargestRecord);
    std::string followed = written + "behind";
    std::string_view reread = followed;
    const auto again = wire::take_probe_record(reread);
    require(again && reread == "behind");
    if (written.size() == before.size() - rest.size()) {
      require(again == record && before.starts_with(written));
    }
    // Each strict prefix is none.
    std::string_view cut(written.data(), written.size() - 1);
    require(!wire::take_probe_record(cut));
  }
}

// A record with the input wherever there is a text, and more of everything than is told.
void check_large(std::string_view input) {
  model::ProbeRecord record;
  record.destination = input;
  record.hosts.assign(2 * model::kMostRecordHosts, std::string(input));
  model::ProbedPeer peer;
  peer.host = peer.trouble = peer.cipher = peer.issuer = peer.pin = peer.fingerprint = input;
  peer.names = input;
  record.peers.assign(2 * model::kMostRecordPeers, peer);
  std::string written;
  wire::append_record(written, record);
  require(written.size() < kLargestRecord);
  std::string_view rest = written;
  const auto again = wire::take_probe_record(rest);
  require(again && rest.empty() && !again->peers.empty());
  check_bounds(*again);
  require(again->hosts.size() == model::kMostRecordHosts);
  const auto& first = again->peers.front();
  require(first.names == input || (first.names.empty() && first.has_more_names));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  check_records(input);
  check_large(input);
  return 0;
}
