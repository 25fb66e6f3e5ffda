// IPv4 text and ranges.
#include "proxy/ipv4.h"

#include <arpa/inet.h>

#include <charconv>

namespace keelson::proxy {

std::optional<std::uint32_t> parse_ipv4(std::string_view text) {
  in_addr address{};
  if (::inet_pton(AF_INET, std::string(text).c_str(), &address) != 1) return std::nullopt;
  return address.s_addr;
}

std::string ipv4_text(std::uint32_t address_be) {
  char text[INET_ADDRSTRLEN];
  ::inet_ntop(AF_INET, &address_be, text, sizeof(text));
  return text;
}

std::optional<Ipv4Range> parse_ipv4_range(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto address_be = parse_ipv4(text.substr(0, slash));
  const std::string_view length = text.substr(slash + 1);
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), bits);
  if (!address_be || error != std::errc() || end != length.data() + length.size() || bits > 32)
    return std::nullopt;
  const std::uint32_t mask_be = htonl(bits == 0 ? 0 : ~0U << (32 - bits));
  return Ipv4Range{.address_be = *address_be & mask_be, .mask_be = mask_be};
}

bool is_endpoint_address(std::uint32_t address_be) {
  const std::uint32_t address = ntohl(address_be);
  const bool is_loopback = address >> 24 == 127;
  const bool is_link_local = address >> 16 == (169 << 8 | 254);
  const bool is_multicast_or_above = address >> 28 >= 14;
  const bool is_this_network = address >> 24 == 0;
  return !is_loopback && !is_link_local && !is_multicast_or_above && !is_this_network;
}

}  // namespace keelson::proxy
