// The TLSRPT socket: takes Postfix's datagrams, hands each on as it came to another collector, and
// gives what it says as evidence. Never waits for anybody: what the other collector has no room for
// is dropped and counted. A datagram is at most 64 KiB.
//
// Believed is whom the kernel names as evidence_uid; of all others the evidence is counted and
// changes nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "src/base/clock.h"
#include "src/base/handle.h"
#include "src/net/loop.h"
#include "src/wire/role_message.h"
#include "src/wire/state_record.h"

namespace app {

class TlsrptIntake {
 public:
  using Take = std::function<void(const wire::ReportedEvidence&)>;

  // `socket` is bound; `tee` the path of the other collector, or empty. Makes the socket that it
  // sends from, so this comes before the sandbox. The clock and the counters outlive this.
  TlsrptIntake(net::Loop& loop, const base::Clock& clock, base::UniqueFd socket, std::string tee,
               wire::IngestStats& stats, Take take);

  // -1: nobody's word is believed.
  void set_trusted_uid(std::int64_t uid) { trusted_uid_ = uid; }

 private:
  void receive();
  bool receive_one();
  void hand_on(const char* bytes, std::size_t size);
  void read_datagram(std::string_view datagram, std::int64_t pid, bool is_trusted);

  const base::Clock& clock_;
  base::UniqueFd socket_;
  base::UniqueFd tee_;
  std::string tee_path_;
  wire::IngestStats& stats_;
  Take take_;
  std::int64_t trusted_uid_ = -1;
  std::vector<char> buffer_;
  net::ReadWatch watch_;
};

}  // namespace app
