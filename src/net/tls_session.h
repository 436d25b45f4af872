// The client's end of one TLS session, without a socket: what the peer sent goes in, what is for
// the peer comes out. A peer that renegotiates, or sends more than kMostTlsBytes, is refused.
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
  enum class Offer : std::uint8_t {
    Everything,
    NamedPeers,  // no anonymous cipher: what smtp(8) offers wherever it looks at the certificate
  };
  // The context outlives the session.
  explicit TlsSession(const TlsContext& context, Offer offer = Offer::Everything);
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

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
  // Of a failure: it was we who would not or could not go on, for a limit or a want of ours.
  [[nodiscard]] bool is_refusal() const { return is_refusal_; }
  // Only in state Open.
  [[nodiscard]] PeerTls describe() const;

 private:
  static void on_message(int writes, int version, int type, const void* bytes, std::size_t size,
                         ssl_st* session, void* self) noexcept;
  State go_on(int result);
  State refuse(std::string why);
  State fail(std::string why);
  void read_plain(std::string& plain);

  const TlsContext& context_;
  base::Handle<ssl_st, free_tls_session> session_;
  State state_ = State::Handshake;
  std::size_t received_ = 0;
  bool is_established_ = false;
  bool is_asked_again_ = false;  // for a handshake, once there was one
  bool is_refusal_ = false;
  std::string fault_;
};

}  // namespace net
