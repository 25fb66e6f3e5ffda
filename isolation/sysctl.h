// Kernel parameters that belong to a sandbox's namespaces.
#pragma once

#include <string>

#include "base/error.h"

namespace keelson::isolation {

// "net.ipv4.ip_unprivileged_port_start" for the namespaces of the calling thread. Invalid: not a
// parameter of one of these types (CLONE_NEWNET, CLONE_NEWIPC): it would be the node's.
Result<> set_sysctl(const std::string& name, const std::string& value, int namespace_types);

}  // namespace keelson::isolation
