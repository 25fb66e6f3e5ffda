// IP addresses as Kubernetes reads them: leading zeros of IPv4 are decimal, as Go once had it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace keelson {

class IpAddress {
 public:
  static std::optional<IpAddress> parse(std::string_view text);

  bool is_v4() const;  // also ::ffff:1.2.3.4
  bool is_unspecified() const;
  bool is_loopback() const;
  bool is_link_local() const;  // unicast
  bool is_link_local_multicast() const;
  bool operator==(const IpAddress&) const = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};  // network order; IPv4 as ::ffff:a.b.c.d
};

}  // namespace keelson
