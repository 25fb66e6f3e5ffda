// Small services of core.h.
#include "isolation/spawner/core.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "isolation/spawner/decimal.h"

namespace keelson::isolation {

int Core::watch(int fd, Event event, int index, std::uint32_t events) const {
  epoll_event row{};
  row.events = events;
  row.data.u64 = static_cast<std::uint64_t>(event) << 32 | static_cast<std::uint32_t>(index);
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &row) < 0 ? -errno : 0;
}

void Core::unwatch(int fd) const {
  if (fd >= 0) epoll_ctl(epoll, EPOLL_CTL_DEL, fd, nullptr);
}

// A keeper that is gone cannot be told; the next one starts from the table.
void Core::hold(Held what, int slot, int fd) {
  store.at(what, slot) = fd;
  const KeeperMessage message{KeeperMessage::Kind::Hold, what, slot};
  send_message(link, &message, sizeof message, &fd, 1);
}

void Core::drop(Held what, int slot) {
  int& fd = store.at(what, slot);
  if (fd < 0) return;
  close(fd);
  fd = -1;
  const KeeperMessage message{KeeperMessage::Kind::Drop, what, slot};
  send_message(link, &message, sizeof message, nullptr, 0);
}

FdBag::~FdBag() {
  for (int i = 0; i < received_.count; ++i) {
    if (received_.fds[i] >= 0) close(received_.fds[i]);
  }
}

int FdBag::take(int index) {
  if (index >= received_.count) return -1;
  const int fd = received_.fds[index];
  received_.fds[index] = -1;
  return fd;
}

SlotName::SlotName(const char* prefix, int slot) {
  put_decimal(stpcpy(stpncpy(text, prefix, 8), "."), slot);
}

SpecBytes::~SpecBytes() {
  if (bytes_ != nullptr) munmap(bytes_, size_);
}

int SpecBytes::map(int fd) {
  struct stat status {};
  if (fstat(fd, &status) < 0) return -errno;
  if (!S_ISREG(status.st_mode) || status.st_size <= 0 || status.st_size > wire::spec_bytes_max) {
    return -EMSGSIZE;
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  void* bytes = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  if (bytes == MAP_FAILED) return -errno;
  bytes_ = static_cast<unsigned char*>(bytes);
  size_ = size;
  return 0;
}

int SpecBytes::map_sealed(int fd) {
  constexpr int needed = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
  const int seals = fcntl(fd, F_GET_SEALS);
  if (seals < 0) return -errno;
  return (seals & needed) == needed ? map(fd) : -EPERM;
}

}  // namespace keelson::isolation
