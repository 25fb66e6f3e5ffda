// sendmsg and recvmsg with SCM_RIGHTS.
#include "isolation/fd_message.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace keelson::isolation {
namespace {

void take_fds(msghdr& message, ReceivedFds& received) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const auto count = static_cast<int>((part->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    for (int i = 0; i < count && received.count < message_fds_max; ++i) {
      memcpy(&received.fds[received.count++],
             CMSG_DATA(part) + static_cast<unsigned>(i) * sizeof(int), sizeof(int));
    }
  }
}

void close_fds(ReceivedFds& received) {
  for (int i = 0; i < received.count; ++i) close(received.fds[i]);
  received.count = 0;
}

}  // namespace

int send_message(int socket, const void* bytes, std::size_t size, const int* fds, int fd_count) {
  if (fd_count < 0 || fd_count > message_fds_max) return -EMSGSIZE;
  alignas(cmsghdr) char control[CMSG_SPACE(message_fds_max * sizeof(int))];
  iovec part{const_cast<void*>(bytes), size};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (fd_count > 0) {
    const std::size_t fds_size = static_cast<std::size_t>(fd_count) * sizeof(int);
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(fds_size);
    cmsghdr* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(fds_size);
    memcpy(CMSG_DATA(head), fds, fds_size);
  }
  while (sendmsg(socket, &message, MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) return -errno;
  }
  return 0;
}

long receive_message(int socket, void* bytes, std::size_t size, ReceivedFds& received) {
  alignas(cmsghdr) char control[CMSG_SPACE(message_fds_max * sizeof(int))];
  iovec part{bytes, size};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  received.count = 0;
  long got = -1;
  do {
    got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return -errno;
  take_fds(message, received);
  if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0) return got;
  close_fds(received);
  return -EMSGSIZE;
}

}  // namespace keelson::isolation
