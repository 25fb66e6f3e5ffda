// The pair that connects a sandbox with its node.
#include "isolation/veth.h"

#include <sys/socket.h>

#include <algorithm>

namespace keelson::isolation {
namespace {

// Answered by nobody: the neighbour entry below says where it is. Kept out of routing tables.
IpPrefix link_local_gateway() {
  return {.family = AF_INET, .address = {169, 254, 1, 1}, .length = 32};
}

// Of the address, as CNI's ptp does it: the same pod address, the same MAC.
MacAddress mac_of(const IpPrefix& address) {
  return {
      0x0a, 0x58, address.address[0], address.address[1], address.address[2], address.address[3]};
}

Result<> set_up_inside(int net_namespace_fd, const SandboxLinkSpec& spec,
                       const MacAddress& gateway_mac) {
  auto network = Network::open(net_namespace_fd);
  if (!network) return std::unexpected(network.error());
  Result<> result = network->set_up("eth0");
  if (result) result = network->add_address("eth0", spec.address);
  if (result) result = network->add_neighbour("eth0", link_local_gateway(), gateway_mac);
  if (result) {
    result = network->add_route({.destination = {.family = AF_INET},
                                 .link = "eth0",
                                 .gateway = link_local_gateway(),
                                 .on_link = true});
  }
  return result;
}

}  // namespace

Result<SandboxLink> connect_sandbox(Network& node, int sandbox_net_namespace_fd,
                                    const SandboxLinkSpec& spec) {
  if (spec.address.family != AF_INET || spec.address.length != 32) {
    return fail(Reason::Invalid, "sandbox address {}: want an IPv4 host", to_string(spec.address));
  }
  const MacAddress mac = mac_of(spec.address);
  Result<> result = node.add_veth(
      spec.node_link, {.name = "eth0", .net_namespace_fd = sandbox_net_namespace_fd, .mac = mac},
      spec.mtu);
  if (!result) return std::unexpected(result.error());
  auto link = node.link(spec.node_link);
  if (!link) return std::unexpected(link.error());
  if (!spec.alias.empty()) result = node.set_alias(spec.node_link, spec.alias);
  if (result) result = set_up_inside(sandbox_net_namespace_fd, spec, link->mac);
  if (result) result = node.add_neighbour(spec.node_link, spec.address, mac);
  if (result) result = node.add_route({.destination = spec.address, .link = spec.node_link});
  if (result) return SandboxLink{link->index, mac};
  (void)node.remove_link(spec.node_link);  // a failure may take its time
  return result.error().during("connect {}", to_string(spec.address));
}

}  // namespace keelson::isolation
