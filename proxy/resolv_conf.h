// The node's own resolvers, out of resolv.conf.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace keelson::proxy {

struct Nameserver {
  std::string text;  // as written
  sockaddr_storage address{};
  socklen_t length = 0;
};

// At most three, as the C library has it. Lines that say nothing of nameservers, and addresses that
// are none, are passed over. IPv6 addresses may have a scope ("fe80::1%eth0").
std::vector<Nameserver> parse_resolv_conf(std::string_view text, std::uint16_t port);

Result<std::string> read_resolv_conf(const std::string& path);

}  // namespace keelson::proxy
