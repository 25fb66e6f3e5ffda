// IPv4 addresses and ranges, in network order as the maps hold them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace keelson::proxy {

std::optional<std::uint32_t> parse_ipv4(std::string_view text);  // "10.96.0.1" → address_be
std::string ipv4_text(std::uint32_t address_be);

struct Ipv4Range {
  std::uint32_t address_be = 0;
  std::uint32_t mask_be = ~0U;  // 0.0.0.0/32, the default, holds no address anybody asks for
  bool contains(std::uint32_t other_be) const { return (other_be & mask_be) == address_be; }
};

std::optional<Ipv4Range> parse_ipv4_range(std::string_view text);  // "10.96.0.0/16"

// An address another machine or pod can have: not loopback, link-local, multicast, broadcast or
// unspecified. The API refuses such endpoints (ValidateEndpointIP); the maps do not rely on it.
bool is_endpoint_address(std::uint32_t address_be);

}  // namespace keelson::proxy
