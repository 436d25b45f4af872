// The client's end of one TLS session, without a socket: what the peer sent goes in, what is for
// the peer comes out. The peer may not renegotiate, nor send more than kMostTlsBytes altogether.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "src/base/handle.h"
#include "src/net/peer_tls.h"
#include "src/net/tls_context.h"

struct ssl_st;

namespace net {

// Room for the largest chain that is taken (100 KiB), session tickets and 64 KiB of replies.
inline constexpr std::size_t kMostTlsBytes = 256 * 1024;

void free_tls_session(ssl_st* session) noexcept;

class TlsSession {
 public:
  enum class State : std::uint8_t {
    Handshake,
    Open,
    Closed,  // the peer has said that it is done
    Failed,  // for good; fault() says why
  };
  // The context outlives the session.
  explicit TlsSession(const TlsContext& context);

  // Begins the handshake.
  State start();
  // Takes bytes of the peer's; appends what they say to `plain`.
  State receive(std::string_view bytes, std::string& plain);
  // Only in state Open.
  State send(std::string_view plain);
  // What has to go to the peer now.
  std::string take_output();

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] const std::string& fault() const { return fault_; }
  // Only in state Open.
  [[nodiscard]] PeerTls describe() const;

 private:
  State go_on(int result);
  State fail(std::string why);
  void read_plain(std::string& plain);

  const TlsContext& context_;
  base::Handle<ssl_st, free_tls_session> session_;
  State state_ = State::Handshake;
  std::size_t received_ = 0;
  std::string fault_;
};

}  // namespace net
