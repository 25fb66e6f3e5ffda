// One message with file descriptors over a SOCK_SEQPACKET socket. Allocates nothing.
#pragma once

#include <cstddef>

namespace keelson::isolation {

inline constexpr int message_fds_max = 240;  // the kernel's own bound is 253

// 0, or -errno. The whole message or nothing.
int send_message(int socket, const void* bytes, std::size_t size, const int* fds, int fd_count);

struct ReceivedFds {
  int count = 0;
  int fds[message_fds_max];  // ours to close; close-on-exec
};

// Its size; 0: the peer has closed; -errno. A message or control part that does not fit is
// -EMSGSIZE, its fds closed.
long receive_message(int socket, void* bytes, std::size_t size, ReceivedFds& received);

}  // namespace keelson::isolation
