// Ports that no socket of the node shall get by chance: node ports, and those NAT gives to clients.
#pragma once

#include <initializer_list>
#include <string>

#include "base/error.h"
#include "proxy/loader.h"

namespace keelson::proxy {

// Adds the ranges to net.ipv4.ip_local_reserved_ports of the caller's network namespace. What is
// reserved already stays; explicit bind() is not affected.
Result<> reserve_ports(std::initializer_list<PortRange> ranges,
                       const std::string& file = "/proc/sys/net/ipv4/ip_local_reserved_ports");

}  // namespace keelson::proxy
