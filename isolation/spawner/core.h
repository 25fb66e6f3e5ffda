// What the parts of the worker share: the table, held descriptors, epoll.
#pragma once

#include <cstdint>

#include "isolation/fd_message.h"
#include "isolation/kernel.h"
#include "isolation/spawner/keeper.h"
#include "isolation/spawner/log_pump.h"
#include "isolation/spawner/table.h"

namespace keelson::isolation {

enum class Event : std::uint32_t {
  Listener,
  Signals,
  Client,      // index: of the client
  Output,      // index: slot
  Error,       // index: slot
  Terminal,    // index: slot
  Report,      // index: slot, of a container that is starting
  ExecReport,  // index: of the exec
  Orphan,      // index: slot, of a container that is not our child
};

struct Core {
  const Places& places;
  Table& table;
  FdStore& store;  // our own copies of what the keeper holds
  Kernel& kernel;
  int link;  // to the keeper
  int epoll = -1;
  LogPump pump = {};

  // 0, or -errno.
  int watch(int fd, Event event, int index, std::uint32_t events) const;
  void unwatch(int fd) const;
  // Takes the descriptor; the keeper gets a copy.
  void hold(Held what, int slot, int fd);
  void drop(Held what, int slot);
  int held(Held what, int slot) const { return store.at(what, slot); }
  void tell(std::uint64_t& changed) const { changed = ++table.changes; }
};

// Received descriptors: closed unless taken.
class FdBag {
 public:
  FdBag() = default;
  ~FdBag();
  FdBag(const FdBag&) = delete;
  FdBag& operator=(const FdBag&) = delete;

  ReceivedFds& received() { return received_; }
  int count() const { return received_.count; }
  const int* all() const { return received_.fds; }
  int at(int index) const { return index < received_.count ? received_.fds[index] : -1; }
  int take(int index);

 private:
  ReceivedFds received_;
};

// "PREFIX.SLOT", a file in the state folder.
struct SlotName {
  char text[24];
  SlotName(const char* prefix, int slot);
};

// A specification's bytes, mapped for us alone. Null: *complaint says why.
class SpecBytes {
 public:
  SpecBytes() = default;
  ~SpecBytes();
  SpecBytes(const SpecBytes&) = delete;
  SpecBytes& operator=(const SpecBytes&) = delete;

  int map(int fd);         // of a file of ours. 0, or -errno
  int map_sealed(int fd);  // of a memfd that nobody can change any more
  unsigned char* bytes() const { return bytes_; }
  std::size_t size() const { return size_; }

 private:
  unsigned char* bytes_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace keelson::isolation
