// Device nodes of the node, and the rule of who may use which.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "isolation/cgroup.h"
#include "isolation/spec.h"

namespace keelson::isolation {

struct DeviceNode {
  std::string name;  // below /dev
  std::uint32_t mode = 0, uid = 0, gid = 0;
  std::uint64_t number = 0;
};

// Those that are asked for; all of the node's for a privileged container.
Result<std::vector<DeviceNode>> find_devices(const std::vector<DeviceSpec>& specs, bool privileged);

// What every container may use: the nodes of its /dev, its terminals, making (not using) nodes.
std::vector<DeviceRule> device_rules(const std::vector<DeviceSpec>& specs,
                                     const std::vector<DeviceNode>& nodes, bool privileged);

// cgroup v2 has no devices controller: a program of type BPF_PROG_TYPE_CGROUP_DEVICE decides.
// The folder's cgroup gets it, and those below.
Result<> attach_device_program(int cgroup_fd, const std::vector<DeviceRule>& rules);

}  // namespace keelson::isolation
