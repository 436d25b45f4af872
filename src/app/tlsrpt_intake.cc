#include "src/app/tlsrpt_intake.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "src/base/log.h"
#include "src/model/next_hop.h"
#include "src/wire/tlsrpt.h"

namespace app {
namespace {

// Taken in one turn of the loop.
constexpr int kAtOnce = 64;

// Whom the kernel names as the sender.
struct Sender {
  std::int64_t pid = 0;
  std::int64_t uid = -1;
};

Sender find_sender(msghdr& header) {
  Sender sender;
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET) continue;
    if (part->cmsg_type == SCM_CREDENTIALS) {
      ucred peer{};
      std::memcpy(&peer, CMSG_DATA(part), sizeof peer);
      sender = {peer.pid, peer.uid};
    } else if (part->cmsg_type == SCM_RIGHTS) {
      // Nobody asked for descriptors; they must not pile up.
      const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (std::size_t i = 0; i < count; ++i) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof fd);
        base::UniqueFd closed(fd);
      }
    }
  }
  return sender;
}

}  // namespace

TlsrptIntake::TlsrptIntake(net::Loop& loop, const base::Clock& clock, base::UniqueFd socket,
                           std::string tee, wire::IngestStats& stats, Take take)
    : clock_(clock),
      socket_(std::move(socket)),
      tee_path_(std::move(tee)),
      stats_(stats),
      take_(std::move(take)),
      buffer_(wire::kLargestTlsrptDatagram),
      watch_(loop, socket_.get(), [this] { receive(); }) {
  if (tee_path_.empty()) return;
  tee_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!tee_) base::log_error("tlsrpt_tee: no socket is to be had; nothing is handed on");
}

void TlsrptIntake::receive() {
  for (int i = 0; i < kAtOnce && receive_one(); ++i) {
  }
}

bool TlsrptIntake::receive_one() {
  iovec part{buffer_.data(), buffer_.size()};
  alignas(cmsghdr) std::array<char, 256> control{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  const ssize_t got = ::recvmsg(socket_.get(), &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (got < 0) return false;
  ++stats_.datagrams;
  const Sender sender = find_sender(header);
  const bool is_trusted = trusted_uid_ >= 0 && sender.uid == trusted_uid_;
  if (!is_trusted) ++stats_.datagrams_untrusted;
  if ((header.msg_flags & MSG_TRUNC) != 0) {
    ++stats_.datagrams_refused;
    return true;
  }
  const auto size = static_cast<std::size_t>(got);
  hand_on(buffer_.data(), size);
  read_datagram({buffer_.data(), size}, sender.pid, is_trusted);
  return true;
}

void TlsrptIntake::hand_on(const char* bytes, std::size_t size) {
  if (tee_path_.empty()) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(&address.sun_path[0], tee_path_.data(),
              std::min(tee_path_.size(), sizeof address.sun_path - 1));
  const auto* to = static_cast<const sockaddr*>(static_cast<const void*>(&address));
  if (::sendto(tee_.get(), bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL, to, sizeof address) < 0) {
    ++stats_.tee_dropped;
  }
}

void TlsrptIntake::read_datagram(std::string_view datagram, std::int64_t pid, bool is_trusted) {
  const auto parsed = wire::parse_tlsrpt(datagram);
  const auto key = parsed ? model::normalise_key(parsed->domain) : model::Key{};
  if (!parsed || key.kind != model::KeyKind::Domain) {
    ++stats_.datagrams_refused;
    base::log_debug("a TLSRPT datagram is refused: {}",
                    parsed ? "it names no domain" : parsed.error());
    return;
  }
  for (auto& evidence : wire::evidence_of(*parsed)) {
    wire::ReportedEvidence reported;
    reported.pid = pid;
    reported.seen_at = clock_.now().time_since_epoch().count();
    reported.is_next_hop = true;
    reported.destination = key.text;
    reported.evidence = std::move(evidence);
    reported.evidence.is_trusted = is_trusted;
    reported.evidence.at = reported.seen_at;
    take_(reported);
  }
}

}  // namespace app
