// Facts out of messages.
#include "api/facts.h"

#include <cassert>
#include <charconv>

#include "api/kinds.h"
#include "api/proto/core/v1/node.pb.h"
#include "api/proto/core/v1/pod.pb.h"
#include "api/proto/core/v1/service.pb.h"
#include "api/row.h"

namespace keelson {
namespace {

PodPhase phase_of(std::string_view text) {
  if (text == "Running") return PodPhase::Running;
  if (text == "Succeeded") return PodPhase::Succeeded;
  if (text == "Failed") return PodPhase::Failed;
  if (text == "Unknown") return PodPhase::Unknown;
  return PodPhase::Pending;
}

std::int32_t deletion_cost_of(const meta::ObjectMeta& metadata) {
  const auto found = metadata.annotations().find("controller.kubernetes.io/pod-deletion-cost");
  if (found == metadata.annotations().end()) return 0;
  std::int32_t cost = 0;
  const std::string& text = found->second;
  std::from_chars(text.data(), text.data() + text.size(), cost);
  return cost;
}

void add_ports(const core::Container& container, std::vector<PodPort>& ports) {
  for (const auto& port : container.ports()) {
    ports.push_back({.name = port.name(),
                     .protocol = port.protocol(),
                     .host_ip = port.hostip(),
                     .container_port = port.containerport(),
                     .host_port = port.hostport()});
  }
}

void take_spec(const core::PodSpec& spec, PodFacts& facts) {
  facts.node_name = spec.nodename();
  facts.hostname = spec.hostname();
  facts.subdomain = spec.subdomain();
  facts.scheduler_name = spec.schedulername();
  facts.priority = spec.priority();
  facts.is_gated = !spec.schedulinggates().empty();
  facts.host_network = spec.hostnetwork();
  for (const auto& container : spec.initcontainers()) {
    if (container.restartpolicy() == "Always") add_ports(container, facts.ports);
  }
  for (const auto& container : spec.containers()) add_ports(container, facts.ports);
  facts.requests = pod_requests(spec);
  const ResourceAmounts for_score = pod_requests_for_score(spec);
  facts.score_cpu_millicores = for_score.cpu_millicores;
  facts.score_memory_bytes = for_score.memory_bytes;
}

void take_status(const core::PodStatus& status, PodFacts& facts) {
  facts.phase = phase_of(status.phase());
  facts.pod_ip = status.podip();
  facts.host_ip = status.hostip();
  facts.nominated_node_name = status.nominatednodename();
  if (status.has_starttime()) facts.start_time = from_time(status.starttime());
  for (const auto& condition : status.conditions()) {
    if (condition.type() == "Ready") {
      facts.is_ready = condition.status() == "True";
      facts.ready_since = from_time(condition.lasttransitiontime());
    } else if (condition.type() == "PodScheduled") {
      facts.is_unschedulable =
          condition.status() == "False" && condition.reason() == "Unschedulable";
    }
  }
  for (const auto& container : status.containerstatuses()) {
    facts.restarts = std::max(facts.restarts, container.restartcount());
  }
}

ConditionStatus status_of(std::string_view text) {
  if (text == "True") return ConditionStatus::True;
  return text == "False" ? ConditionStatus::False : ConditionStatus::Unknown;
}

void take_status(const core::NodeStatus& status, NodeFacts& facts) {
  for (const auto& condition : status.conditions()) {
    if (condition.type() != "Ready") continue;
    facts.ready = status_of(condition.status());
    facts.ready_since = from_time(condition.lasttransitiontime());
    facts.ready_heartbeat = from_time(condition.lastheartbeattime());
  }
  for (const auto& address : status.addresses()) {
    if (address.type() == "InternalIP" && facts.internal_ip.empty()) {
      facts.internal_ip = address.address();
    }
  }
  facts.agent_port = status.daemonendpoints().kubeletendpoint().port();
  facts.allocatable =
      ResourceAmounts::of(status.allocatable().empty() ? status.capacity() : status.allocatable());
  facts.pods_max = facts.allocatable.other("pods");
}

ServicePortFacts port_of(const core::ServicePort& port) {
  ServicePortFacts facts{.name = port.name(),
                         .protocol = port.protocol(),
                         .port = port.port(),
                         .node_port = port.nodeport()};
  if (port.targetport().type() == 1) {
    facts.target_name = port.targetport().strval();
  } else {
    facts.target_port = port.targetport().intval();
  }
  return facts;
}

}  // namespace

const PodFacts& pod_facts(const Object& pod) {
  assert(pod.kind == &kinds::pod() && pod.facts);
  return static_cast<const PodFacts&>(*pod.facts);
}

const NodeFacts& node_facts(const Object& node) {
  assert(node.kind == &kinds::node() && node.facts);
  return static_cast<const NodeFacts&>(*node.facts);
}

const ServiceFacts& service_facts(const Object& service) {
  assert(service.kind == &kinds::service() && service.facts);
  return static_cast<const ServiceFacts&>(*service.facts);
}

std::unique_ptr<const Facts> extract_pod_facts(const Message& message) {
  const auto& pod = as<core::Pod>(message);
  auto facts = std::make_unique<PodFacts>();
  facts->deletion_cost = deletion_cost_of(pod.metadata());
  take_spec(pod.spec(), *facts);
  take_status(pod.status(), *facts);
  return facts;
}

std::unique_ptr<const Facts> extract_node_facts(const Message& message) {
  const auto& node = as<core::Node>(message);
  auto facts = std::make_unique<NodeFacts>();
  facts->is_unschedulable = node.spec().unschedulable();
  facts->pod_cidr = node.spec().podcidr();
  for (const auto& taint : node.spec().taints()) {
    NodeTaint& one = facts->taints.emplace_back();
    one = {.key = taint.key(), .value = taint.value(), .effect = taint.effect()};
    if (taint.has_timeadded()) one.time_added = from_time(taint.timeadded());
  }
  take_status(node.status(), *facts);
  return facts;
}

std::unique_ptr<const Facts> extract_service_facts(const Message& message) {
  const core::ServiceSpec& spec = as<core::Service>(message).spec();
  auto facts = std::make_unique<ServiceFacts>();
  facts->type = spec.type();
  facts->cluster_ip = spec.clusterip();
  facts->external_name = spec.externalname();
  facts->selector = Labels({spec.selector().begin(), spec.selector().end()});
  for (const auto& port : spec.ports()) facts->ports.push_back(port_of(port));
  facts->publishes_not_ready = spec.publishnotreadyaddresses();
  if (spec.sessionaffinity() == "ClientIP") {
    facts->affinity_seconds = spec.sessionaffinityconfig().clientip().timeoutseconds();
  }
  return facts;
}

}  // namespace keelson
