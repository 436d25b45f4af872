// Listening sockets: made, taken over, recognised. The only place that binds.
#pragma once

#include <cstdint>
#include <string>

#include "src/base/handle.h"
#include "src/base/result.h"

namespace net {

// Permissions of a unix socket that this process makes.
struct SocketFile {
  unsigned mode = 0660;
  std::int64_t owner = -1;  // uid, -1 = unchanged
  std::int64_t group = -1;
};

// Listening, non-blocking, close-on-exec, backlog SOMAXCONN: a full backlog of a unix socket is
// EAGAIN to Postfix's connect, and so a failed look-up.
base::Result<base::UniqueFd> listen_inet(const std::string& host, std::uint16_t port);

// A stale socket file is replaced; one that somebody serves is an error, and so is any other file.
base::Result<base::UniqueFd> listen_unix(const std::string& path, const SocketFile& file);

// For datagrams, whose senders the kernel names (SO_PASSCRED); the file as listen_unix() makes it.
base::Result<base::UniqueFd> bind_datagrams(const std::string& path, const SocketFile& file);

// Whether the process that listens at `path` has ended: whom it handed its socket keeps it open for
// as long as it lives itself. False where nobody listens, or nothing is known of who does.
bool is_left_by_ended_process(const std::string& path);

// Does the listening socket `fd`, passed in by somebody else, serve this address?
bool is_bound_to_inet(int fd, const std::string& host, std::uint16_t port);
bool is_bound_to_unix(int fd, const std::string& path);
// Does only this host reach the listening socket `fd`: a unix socket, or a loopback address?
bool is_bound_to_this_host(int fd);
// Why `fd` can't be used as a listener, or an empty text.
std::string find_listener_fault(int fd);
// Makes a socket passed in fit for the loop: non-blocking and close-on-exec.
void adopt_listener(int fd);

}  // namespace net
