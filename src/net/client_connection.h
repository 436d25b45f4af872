// One TCP connection that we open, in clear and, from a point on that its owner names, in TLS.
// Plain events with recv and send. It knows no protocol and has no deadline of its own: its owner
// has.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "src/base/handle.h"
#include "src/base/socket_address.h"
#include "src/net/loop.h"
#include "src/net/tls_session.h"

namespace net {

class ClientConnection {
 public:
  // What happens. The connection must not be destroyed in a call; close() may be called in each.
  class Owner {
   public:
    virtual ~Owner() = default;
    // `our_address` as text.
    virtual void on_connected(std::string_view our_address) = 0;
    virtual void on_connect_failed(std::string_view why) = 0;
    // All that one read brought, in clear or out of TLS.
    virtual void on_bytes(std::string_view bytes) = 0;
    virtual void on_tls(PeerTls peer) = 0;
    // `is_refusal`: by us, for a limit of ours.
    virtual void on_tls_failed(std::string_view why, bool is_refusal) = 0;
    // No more will come: the peer closed, or reset the connection.
    virtual void on_end(bool is_reset) = 0;
  };

  // The others outlive it. Nothing is called before the loop runs.
  ClientConnection(Loop& loop, const base::SocketAddress& address, const TlsContext& context,
                   Owner& owner);
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  void send(std::string_view bytes);
  // From now on everything is TLS. Whoever calls it has seen all that came in clear.
  void start_tls(TlsSession::Offer offer = TlsSession::Offer::Everything);
  // No call comes after it.
  void close();

 private:
  static void on_event(int fd, short what, void* self) noexcept;
  void begin(const base::SocketAddress& address);
  void finish_connect();
  void read_once();
  void take_secured(std::string_view bytes);
  void report_tls();
  void send_raw(std::string_view bytes);
  void flush();
  void watch_for(short what);

  Loop& loop_;
  const TlsContext& context_;
  Owner& owner_;
  base::UniqueFd fd_;
  bool is_connected_ = false;
  bool is_established_ = false;  // TLS
  int early_error_ = 0;
  std::string unsent_;
  std::unique_ptr<TlsSession> tls_;
  EventHandle event_;  // last: freed first
};

}  // namespace net
