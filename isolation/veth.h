// Links, addresses and routes of a network namespace through raw netlink (libmnl), and the veth
// pair that connects a sandbox with its node.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"

namespace keelson::isolation {

// "10.88.0.5/24"; IPv4 or IPv6.
struct IpPrefix {
  int family = 0;  // AF_INET, AF_INET6
  std::array<std::uint8_t, 16> address{};
  int length = 0;  // bits
};
Result<IpPrefix> parse_prefix(const std::string& text);  // without "/n": a host
std::string to_string(const IpPrefix& prefix);

using MacAddress = std::array<std::uint8_t, 6>;

struct LinkInfo {
  std::string name;
  int index = 0;
  bool up = false;
  MacAddress mac{};
  std::string alias;  // an owner's mark
};

// The other end of a veth pair, born where it belongs.
struct VethPeer {
  std::string name;
  int net_namespace_fd = -1;
  std::optional<MacAddress> mac{};
};

struct Route {
  IpPrefix destination;   // length 0: the default route
  std::string link = {};  // "": a route of its own kind (unreachable), or by gateway
  std::optional<IpPrefix> gateway{};
  bool on_link = false;  // the gateway is reached though no address says so
  bool unreachable = false;
  std::optional<IpPrefix> source{};  // preferred
};

// A netlink socket in one network namespace; keeps to it whatever its thread does later. One
// thread at a time. All of it replaces what was there: again is success.
class Network {
 public:
  static Result<Network> open(int net_namespace_fd = -1);  // -1: the calling thread's
  Network(Network&&) noexcept;
  Network& operator=(Network&&) noexcept;
  ~Network();

  Result<> add_veth(const std::string& name, const VethPeer& peer, int mtu = 0);
  Result<> add_bridge(const std::string& name);
  Result<> set_bridge(const std::string& link, const std::string& bridge);  // "": take it out
  Result<> set_up(const std::string& link);
  Result<> set_alias(const std::string& link, const std::string& alias);
  Result<> remove_link(const std::string& link);  // waits for RCU, 24–32 ms: not for sandboxes
  Result<> add_address(const std::string& link, const IpPrefix& address);
  Result<> add_route(const Route& route);
  Result<> remove_route(const Route& route);  // nothing there is success
  // The neighbour is there and does not move: no ARP.
  Result<> add_neighbour(const std::string& link, const IpPrefix& address, const MacAddress& mac);

  Result<LinkInfo> link(const std::string& name);  // NotFound
  Result<std::vector<LinkInfo>> links();

 private:
  struct Impl;
  explicit Network(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

Result<Fd> make_net_namespace();  // a new one, its lo up
Result<Fd> own_net_namespace();   // the calling thread's
// "net/ipv4/ip_forward" in that namespace.
Result<> set_net_sysctl(int net_namespace_fd, const std::string& name, const std::string& value);

// A sandbox's way out: eth0 with address/32 and a default route by a link-local gateway; on the
// node the link `node_link` and a route to the address. No bridge, no ARP, no broadcast. Ends when
// the sandbox's namespace does.
struct SandboxLinkSpec {
  std::string node_link;  // at most 15 characters
  std::string alias = {};
  IpPrefix address;  // a host
  int mtu = 0;       // 0: the kernel's default
};
struct SandboxLink {
  int node_link_index = 0;
  MacAddress sandbox_mac{};
};
Result<SandboxLink> connect_sandbox(Network& node, int sandbox_net_namespace_fd,
                                    const SandboxLinkSpec& spec);

}  // namespace keelson::isolation
