// The outer of the spawner's two processes: small enough not to fail. It starts the worker again
// when that dies, holds copies of the descriptors that must not be lost with it, and, as subreaper
// above it, sees how orphaned containers end.
//
// Why two: a process's exit status goes to its parent, and the parent's death hands its children to
// the next subreaper. Before Linux 6.15 (PIDFD_GET_INFO) nobody else can learn it.
#pragma once

#include <cstdint>

#include "isolation/spawner/table.h"

namespace keelson::isolation {

// What is held for a container or sandbox, by slot.
enum class Held : std::uint32_t {
  Pidfd,   // with it the exit status is kept (6.15)
  Output,  // FIFOs, so that unread output outlives its writer
  Error,
  Input,  // stdin's writing end, or the terminal's master
  Net,
  Ipc,
  Uts,
};
inline constexpr int held_by_container = 4;
inline constexpr int held_by_sandbox = 3;

struct FdStore {
  int container_fds[wire::containers_max][held_by_container];
  int sandbox_fds[wire::sandboxes_max][held_by_sandbox];

  FdStore();
  int& at(Held what, int slot);
};

// Worker to keeper; Hold and Upgrade come with a descriptor.
struct KeeperMessage {
  enum class Kind : std::uint32_t { Hold, Drop, Upgrade };
  Kind kind;
  Held what;
  std::int32_t slot;
};

// Opened before the mounts go; everything the spawner reaches, it reaches by these.
struct Places {
  int state_folder = -1, log_root = -1, listener = -1, lock = -1;
  int null = -1, proc = -1, pid_namespace = -1;
  std::uint64_t files_soft = 0, files_hard = 0;  // RLIMIT_NOFILE as it was given to us
};

struct Options {
  const char* socket_path = nullptr;
  const char* state_folder = nullptr;
  const char* log_root = nullptr;
  int resume = -1;  // after an upgrade: what the former program left (resume.h)
};

// Runs until SIGTERM. Exit code.
int run_keeper(const Options& options, char** argv);

}  // namespace keelson::isolation
