// A part of cgroup2 of our own, to be root in: libcgroup turns controllers on from the mount's root
// down, and the machine's root is not ours.
#pragma once

#include <string>

#include "base/error.h"

namespace keelson::isolation {

// Makes the group (all its parents must be there and hand cpu, memory and pids on) and hands them
// on to what is below it. folder: "/sys/fs/cgroup/keelson".
Result<> delegate_cgroup(const std::string& folder);

// For a process that has one thread still: it gets a mount namespace where that group is the root
// of /sys/fs/cgroup, and lives in its leaf `agent`. Mounts of the node go on to reach it.
Result<> enter_cgroup(const std::string& folder);

}  // namespace keelson::isolation
