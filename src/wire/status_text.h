// What Postfix itself says of TLS in the text of a delivery status, or in the text of the `outcome`
// question, which is the same. Pure; no I/O.
//
// A text is Postfix's where it matches as a whole or from its first byte on: a peer's reply follows
// "host H[A] said: ", "refused to start TLS: " or is all of a 2.x text, and is never looked at. The
// texts are those of Postfix 3.4 to 3.12 [F 3.3] [O 1].
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "src/model/cause.h"
#include "src/wire/scan.h"

namespace wire {

// "host[address]:port", "host[address]", or the path of a unix socket as the address alone. Views
// into the text; only the characters of names, addresses and paths.
struct LogPeer {
  std::string_view host;
  std::string_view address;
  std::string_view port;  // empty: none was named
  bool operator==(const LogPeer&) const = default;
};
inline constexpr std::size_t kLongestPeerHost = 255;
inline constexpr std::size_t kLongestPeerAddress = 108;  // a unix socket's path
inline constexpr std::size_t kLongestPeerPort = 5;

// Eats a peer.
std::optional<LogPeer> take_log_peer(Scan& scan);

struct StatusText {
  std::optional<model::Cause>
      cause;                        // nothing: TLS is not what stopped it, or the text is a peer's
  bool is_suspended = false;        // the queue manager put it off; nobody was asked
  bool is_connection_lost = false;  // the session with this server is over, whatever it was
  bool operator==(const StatusText&) const = default;
};

// `is_whole`: the text is known to end where it ends; else it may have been cut off (Postfix cuts
// at 2000 bytes [F 3.7.3]), and only texts with a peer's reply behind them are known.
StatusText parse_status_text(std::string_view text, bool is_whole = true);

}  // namespace wire
