// Addresses of this node's pods, and the link each has to the node.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "isolation/veth.h"
#include "nodeagent/addresses.h"

namespace keelson {

struct PodLinkInfo {
  std::string address;
  int node_link_index = 0;
  isolation::MacAddress pod_mac{};
};

// Loop thread only.
class PodNetwork {
 public:
  // connected: the pod's packets come and go from now on; released: no longer. May be empty.
  struct Listener {
    std::function<void(const PodLinkInfo&)> connected;
    std::function<void(const std::string& address)> released;
  };
  PodNetwork(isolation::Network& network, Listener listener);

  // The node's block is known. Conflict: pods have addresses of another.
  Result<> set_block(const std::string& cidr);
  bool has_block() const { return pool_.has_value(); }

  // A namespace becomes part of the cluster. ServiceUnavailable: no block yet, or no address left.
  Result<std::string> connect(const std::string& pod_uid, int net_namespace_fd);
  // What an earlier agent connected stays so.
  void adopt(const std::string& pod_uid, const std::string& address);
  // Its address may be given out again. The link goes with the namespace.
  void release(const std::string& pod_uid);

 private:
  isolation::Network& network_;
  Listener listener_;
  std::optional<AddressPool> pool_;
  std::map<std::string, std::string> addresses_;  // by pod uid
};

}  // namespace keelson
