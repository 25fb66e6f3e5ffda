// Control groups of v1, hybrid and v2 hosts through libcgroup, and by plain files what it has no
// call for: placing a child at its birth, cgroup.kill, counting OOM kills.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "isolation/spec.h"

namespace keelson::isolation {

struct CgroupStatistics {
  std::uint64_t cpu_usage_ns = 0;
  std::uint64_t memory_usage_bytes = 0;
  std::uint64_t memory_working_set_bytes = 0;  // usage without inactive file pages
  std::uint64_t pids = 0;
  std::uint64_t oom_kills = 0;  // processes the kernel has killed in it for want of memory
};

// What a child needs to be born in, or to move itself into, a group.
struct CgroupDoors {
  Fd unified;             // cgroup2 folder, for CLONE_INTO_CGROUP; empty: v1 alone
  std::vector<Fd> tasks;  // v1: the `tasks` files. A thread that writes "0" moves itself without
                          // the 5–15 ms that a write to cgroup.procs waits for
};

// What a container sees below its /sys/fs/cgroup.
struct CgroupView {
  std::string folder;   // "memory"; "": itself
  std::string options;  // v1: its controllers, "cpu,cpuacct"; "": cgroup2
};

// What may be used in a group: everything, or the runtime's usual devices and those listed.
struct DeviceRule {
  char type = 'c';             // 'c', 'b', 'a'
  int major = -1, minor = -1;  // -1: any
  std::string access = "rwm";
};

// One node's part of the machine's groups. Immutable; any thread.
class CgroupTree {
 public:
  // root: below the mounted hierarchies, "/keelson" (v1: in each of them; v2: below the mount's
  // own root, which must not be the machine's: see cgroup_delegate.h).
  static Result<CgroupTree> open(const std::string& root);
  CgroupTree(CgroupTree&&) noexcept;
  CgroupTree& operator=(CgroupTree&&) noexcept;
  ~CgroupTree();

  bool is_v2() const;                                         // limits by cgroup2
  const std::string& root() const;                            // without the slash before it
  std::string unified_folder(const std::string& path) const;  // in cgroup2; "" without it
  // "/sys/fs/cgroup/memory/keelson/…" of a controller, "" where there is none.
  std::string folder_of(const std::string& controller, const std::string& path) const;

  // path: relative, "pods/UID/NAME-0"; what is missing above it is made without limits.
  Result<> create(const std::string& path, const Resources& resources) const;
  Result<> set(const std::string& path, const Resources& resources) const;
  Result<> restrict_devices(const std::string& path, const std::vector<DeviceRule>& allowed) const;
  Result<CgroupDoors> doors(const std::string& path) const;
  Result<CgroupStatistics> statistics(const std::string& path) const;
  Result<std::vector<int>> processes(const std::string& path) const;  // also of groups below it
  // SIGKILL to all in it and below it; returns when they were told (v2) or are gone (v1, bounded).
  Result<> kill_all(const std::string& path) const;
  // With all below it. Conflict: processes are left. Nothing there is success.
  Result<> remove(const std::string& path) const;
  Result<std::vector<std::string>> children(const std::string& path) const;  // one level
  std::vector<CgroupView> views() const;

 private:
  struct Impl;
  explicit CgroupTree(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace keelson::isolation
