// What becomes of a Service's allocated values. Source: k8s.io/kubernetes
// pkg/registry/core/service/strategy.go (1.32).
#include "api/kinds/service_rules.h"

#include <algorithm>
#include <map>
#include <set>

#include "api/proto/core/v1/service.pb.h"

namespace keelson {
namespace {

bool wants_node_ports(const core::ServiceSpec& spec) {
  if (spec.type() == "NodePort") return true;
  return spec.type() == "LoadBalancer" &&
         (!spec.has_allocateloadbalancernodeports() || spec.allocateloadbalancernodeports());
}

bool has_health_check_port(const core::ServiceSpec& spec) {
  return spec.type() == "LoadBalancer" && spec.externaltrafficpolicy() == "Local";
}

bool has_same_cluster_ips(const core::ServiceSpec& before, const core::ServiceSpec& after) {
  return std::ranges::equal(before.clusterips(), after.clusterips());
}

std::set<std::int32_t> node_ports_of(const core::ServiceSpec& spec) {
  std::set<std::int32_t> ports;
  for (const auto& port : spec.ports()) {
    if (port.nodeport() != 0) ports.insert(port.nodeport());
  }
  return ports;
}

// By name: what else of a port changed does not matter.
void keep_node_ports(const core::ServiceSpec& before, core::ServiceSpec& after) {
  const auto now = node_ports_of(after);
  std::map<std::string, std::int32_t> by_name;
  for (const auto& port : before.ports()) by_name[port.name()] = port.nodeport();
  for (auto& port : *after.mutable_ports()) {
    const auto known = by_name.find(port.name());
    if (port.nodeport() != 0 || known == by_name.end() || known->second == 0) continue;
    if (!now.contains(known->second)) port.set_nodeport(known->second);
  }
}

}  // namespace

bool has_cluster_ip(const core::ServiceSpec& spec) {
  return spec.type() == "ClusterIP" || has_node_ports(spec);
}

bool has_node_ports(const core::ServiceSpec& spec) {
  return spec.type() == "NodePort" || spec.type() == "LoadBalancer";
}

bool is_externally_accessible(const core::ServiceSpec& spec) {
  return has_node_ports(spec) || (spec.type() == "ClusterIP" && !spec.externalips().empty());
}

void normalize_cluster_ips(const core::ServiceSpec* before, core::ServiceSpec& after) {
  if (!before) {
    if (!after.clusterip().empty() && after.clusterips().empty()) {
      after.add_clusterips(after.clusterip());
    }
    return;
  }
  if (before->clusterip() == after.clusterip()) {
    if (after.clusterips().empty()) *after.mutable_clusterips() = before->clusterips();
    return;
  }
  if (!has_same_cluster_ips(*before, after)) {
    if (after.clusterips().empty() && !after.clusterip().empty()) {
      after.add_clusterips(after.clusterip());
    }
    return;
  }
  after.clear_clusterips();  // the old ones were sent along with a new clusterIP
  if (!after.clusterip().empty()) after.add_clusterips(after.clusterip());
}

void set_ip_families(core::ServiceSpec& spec) {
  if (spec.type() == "ExternalName") return;
  if (!spec.has_ipfamilypolicy()) spec.set_ipfamilypolicy("SingleStack");
  if (spec.ipfamilies().empty()) spec.add_ipfamilies("IPv4");
}

void keep_allocated(const core::ServiceSpec& before, core::ServiceSpec& after) {
  if (has_cluster_ip(before) && has_cluster_ip(after)) {
    if (after.clusterip().empty()) after.set_clusterip(before.clusterip());
    if (after.clusterips().empty() && after.clusterip() == before.clusterip()) {
      *after.mutable_clusterips() = before.clusterips();
    }
    if (after.ipfamilies().empty()) *after.mutable_ipfamilies() = before.ipfamilies();
  }
  if (wants_node_ports(before) && wants_node_ports(after)) keep_node_ports(before, after);
  if (has_health_check_port(before) && has_health_check_port(after) &&
      after.healthchecknodeport() == 0) {
    after.set_healthchecknodeport(before.healthchecknodeport());
  }
}

void drop_what_the_type_lost(const core::ServiceSpec& before, core::ServiceSpec& after) {
  if (has_cluster_ip(before) && !has_cluster_ip(after) && has_same_cluster_ips(before, after)) {
    after.clear_clusterip();
    after.clear_clusterips();
    after.clear_ipfamilies();
    after.clear_ipfamilypolicy();
  }
  if (wants_node_ports(before) && !wants_node_ports(after) &&
      node_ports_of(before) == node_ports_of(after)) {
    for (auto& port : *after.mutable_ports()) port.clear_nodeport();
  }
  if (has_health_check_port(before) && !has_health_check_port(after) &&
      before.healthchecknodeport() == after.healthchecknodeport()) {
    after.clear_healthchecknodeport();
  }
  if (before.type() == "LoadBalancer" && after.type() != "LoadBalancer") {
    if (before.allocateloadbalancernodeports() == after.allocateloadbalancernodeports()) {
      after.clear_allocateloadbalancernodeports();
    }
    if (before.loadbalancerclass() == after.loadbalancerclass()) after.clear_loadbalancerclass();
  }
  if (is_externally_accessible(before) && !is_externally_accessible(after) &&
      before.externaltrafficpolicy() == after.externaltrafficpolicy()) {
    after.clear_externaltrafficpolicy();
  }
}

}  // namespace keelson
