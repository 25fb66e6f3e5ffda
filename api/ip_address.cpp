// IPv4 by hand, for its leading zeros; IPv6 by inet_pton.
#include "api/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <string>

namespace keelson {
namespace {

constexpr std::array<std::uint8_t, 12> v4_prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

// The next number and the dot before it. False: there is none, or it is no octet.
bool take_octet(std::string_view& text, bool is_first, std::uint8_t& octet) {
  if (!is_first) {
    if (!text.starts_with('.')) return false;
    text.remove_prefix(1);
  }
  if (text.empty() || text.front() < '0' || text.front() > '9') return false;
  const auto parsed = std::from_chars(text.begin(), text.end(), octet);
  if (parsed.ec != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.begin()));
  return true;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.contains(char{0})) return std::nullopt;  // inet_pton would stop there
  IpAddress address;
  if (text.contains(':')) {
    if (inet_pton(AF_INET6, std::string(text).c_str(), address.bytes_.data()) != 1) {
      return std::nullopt;
    }
    return address;
  }
  std::ranges::copy(v4_prefix, address.bytes_.begin());
  for (std::size_t i = 0; i < 4; ++i) {
    if (!take_octet(text, i == 0, address.bytes_[12 + i])) return std::nullopt;
  }
  if (!text.empty()) return std::nullopt;
  return address;
}

bool IpAddress::is_v4() const {
  return std::equal(v4_prefix.begin(), v4_prefix.end(), bytes_.begin());
}

bool IpAddress::is_unspecified() const {
  const auto first = is_v4() ? bytes_.begin() + 12 : bytes_.begin();
  return std::all_of(first, bytes_.end(), [](std::uint8_t byte) { return byte == 0; });
}

bool IpAddress::is_loopback() const {
  if (is_v4()) return bytes_[12] == 127;
  return bytes_[15] == 1 &&
         std::all_of(bytes_.begin(), bytes_.end() - 1, [](std::uint8_t byte) { return byte == 0; });
}

bool IpAddress::is_link_local() const {
  if (is_v4()) return bytes_[12] == 169 && bytes_[13] == 254;
  return bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
}

bool IpAddress::is_link_local_multicast() const {
  if (is_v4()) return bytes_[12] == 224 && bytes_[13] == 0 && bytes_[14] == 0;
  return bytes_[0] == 0xff && (bytes_[1] & 0x0f) == 0x02;
}

}  // namespace keelson
