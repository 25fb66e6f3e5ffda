// One address, one link, one route for each pod.
#include "nodeagent/pod_network.h"

#include "base/log.h"

namespace keelson {
namespace {

// "kp" and the address in hexadecimal: who looks at a link knows whose it is.
Result<std::string> link_name(const std::string& address) {
  const auto number = parse_ipv4(address);
  if (!number) return std::unexpected(number.error());
  return fmt::format("kp{:08x}", *number);
}

}  // namespace

PodNetwork::PodNetwork(isolation::Network& network, Listener listener)
    : network_(network), listener_(std::move(listener)) {}

Result<> PodNetwork::set_block(const std::string& cidr) {
  if (pool_) {
    if (pool_->cidr() == cidr) return {};
    return fail(Reason::Conflict, "this node's pods have addresses of {}, not of {}", pool_->cidr(),
                cidr);
  }
  auto pool = AddressPool::of(cidr);
  if (!pool) return std::unexpected(pool.error());
  pool_ = std::move(*pool);
  for (const auto& [uid, address] : addresses_) {
    if (auto kept = pool_->keep(address, uid); !kept) {
      log_error("adopt address", {{"pod_uid", uid}, {"error", kept.error().message}});
    }
  }
  return {};
}

Result<std::string> PodNetwork::connect(const std::string& pod_uid, int net_namespace_fd) {
  if (!pool_) {
    return fail(Reason::ServiceUnavailable,
                "this node has no pod addresses yet: the control plane has not set its podCIDR");
  }
  auto address = pool_->take(pod_uid);
  if (!address) return address;
  const auto name = link_name(*address);
  const auto prefix = isolation::parse_prefix(*address);
  if (!name || !prefix) return std::unexpected(name ? prefix.error() : name.error());
  const auto link = isolation::connect_sandbox(
      network_, net_namespace_fd,
      {.node_link = *name, .alias = "keelson pod " + pod_uid, .address = *prefix});
  if (!link) {
    pool_->release(pod_uid);
    return link.error().during("connect pod to the network");
  }
  addresses_[pod_uid] = *address;
  if (listener_.connected) {
    listener_.connected({*address, link->node_link_index, link->sandbox_mac});
  }
  return address;
}

void PodNetwork::adopt(const std::string& pod_uid, const std::string& address) {
  addresses_[pod_uid] = address;
  if (!pool_) return;
  if (auto kept = pool_->keep(address, pod_uid); !kept) {
    log_error("adopt address", {{"pod_uid", pod_uid}, {"error", kept.error().message}});
  }
}

void PodNetwork::release(const std::string& pod_uid) {
  const auto found = addresses_.find(pod_uid);
  if (found == addresses_.end()) return;
  if (listener_.released) listener_.released(found->second);
  if (pool_) pool_->release(pod_uid);
  addresses_.erase(found);
}

}  // namespace keelson
