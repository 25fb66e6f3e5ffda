// Sockets by address text: "127.0.0.1:6443", "[::1]:6443", "unix:/run/keelson/agent.sock".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/fd.h"

namespace keelson {

struct HostPort {
  std::string host;  // without brackets
  std::uint16_t port = 0;
};
Result<HostPort> parse_host_port(std::string_view text);  // the host may be a name

// All sockets are non-blocking and close-on-exec. Addresses here are numeric.
Result<Fd> listen_on(std::string_view address);      // port 0: any free one, see local_address
Result<Fd> start_connect(std::string_view address);  // connected once it becomes writable
std::string local_address(int fd);                   // "127.0.0.1:41234"; "" if it has none
std::string peer_address(int fd);

// The listeners our parent opened for us (LISTEN_FDS: systemd, or the lab's supervisor). Taken out
// of the environment, so that children do not take them for theirs.
std::vector<Fd> take_inherited_listeners();

}  // namespace keelson
