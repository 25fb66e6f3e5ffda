// Ports are matched by name, as merge patches and people do.
#include "control/registry/service_update.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "api/proto/core/v1/service.pb.h"

namespace keelson {
namespace {

using Spec = core::ServiceSpec;

bool needs_address(const Spec& spec) {
  return spec.type() != "ExternalName";
}
bool needs_node_ports(const Spec& spec) {
  return spec.type() == "NodePort" || spec.type() == "LoadBalancer";
}
bool needs_health_check_port(const Spec& spec) {
  return spec.type() == "LoadBalancer" && spec.externaltrafficpolicy() == "Local";
}

std::set<std::int32_t> node_ports_of(const Spec& spec) {
  std::set<std::int32_t> ports;
  for (const auto& port : spec.ports()) {
    if (port.nodeport() != 0) ports.insert(port.nodeport());
  }
  return ports;
}

void keep_address(const Spec& before, Spec& after) {
  if (after.clusterip().empty()) after.set_clusterip(before.clusterip());
  if (after.clusterips().empty() && after.clusterip() == before.clusterip()) {
    *after.mutable_clusterips() = before.clusterips();
  }
}

// A port that has none gets its old one, unless another of the update's ports has that.
void keep_node_ports(const Spec& before, Spec& after) {
  std::map<std::string, std::int32_t> by_name;
  for (const auto& port : before.ports()) by_name[port.name()] = port.nodeport();
  std::set<std::int32_t> used = node_ports_of(after);
  for (auto& port : *after.mutable_ports()) {
    if (port.nodeport() != 0) continue;
    const auto old = by_name.find(port.name());
    if (old == by_name.end() || old->second == 0 || !used.insert(old->second).second) continue;
    port.set_nodeport(old->second);
  }
}

// What the requester only carried along from before; what it asks for anew is validated instead.
void drop_useless(const Spec& before, Spec& after) {
  if (needs_address(before) && !needs_address(after) && after.clusterip() == before.clusterip()) {
    after.clear_clusterip();
    after.clear_clusterips();
  }
  if (needs_node_ports(before) && !needs_node_ports(after) &&
      std::ranges::includes(node_ports_of(before), node_ports_of(after))) {
    for (auto& port : *after.mutable_ports()) port.clear_nodeport();
  }
  if (needs_health_check_port(before) && !needs_health_check_port(after) &&
      after.healthchecknodeport() == before.healthchecknodeport()) {
    after.clear_healthchecknodeport();
  }
}

}  // namespace

void keep_assigned(const Message& before_message, Message& after_message) {
  const Spec& before = static_cast<const core::Service&>(before_message).spec();
  Spec& after = *static_cast<core::Service&>(after_message).mutable_spec();
  if (needs_address(before) && needs_address(after)) keep_address(before, after);
  if (needs_node_ports(before) && needs_node_ports(after)) keep_node_ports(before, after);
  if (needs_health_check_port(before) && needs_health_check_port(after) &&
      after.healthchecknodeport() == 0 && before.healthchecknodeport() != 0) {
    after.set_healthchecknodeport(before.healthchecknodeport());
  }
  drop_useless(before, after);
}

}  // namespace keelson
