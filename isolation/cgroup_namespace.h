// A part of cgroup2 of our own to be root in: what libcgroup may write to on v2 hosts.
#pragma once

#include <string>

#include "base/error.h"

namespace keelson::isolation {

// On a v2 host: makes group `name` below ours, turns cpu, memory and pids on for it, moves this
// process into its leaf `agent`, and leaves this process (single-threaded still) in a cgroup
// namespace and a mount namespace where that group is the root of /sys/fs/cgroup. Else nothing.
Result<> enter_cgroup_namespace(const std::string& name);

}  // namespace keelson::isolation
