// Facts of pods, nodes and services: what schedulers, controllers, proxies and agents ask of many
// objects, taken out once when an object is made, so that nobody decodes a pod to learn its phase.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/object.h"
#include "api/resource_amounts.h"

namespace keelson {

enum class PodPhase : std::uint8_t { Pending, Running, Succeeded, Failed, Unknown };

struct PodPort {
  std::string name;  // may be empty
  std::string protocol;
  std::string host_ip;  // of a host port; may be empty
  std::int32_t container_port = 0;
  std::int32_t host_port = 0;  // 0: none
};

struct PodFacts : Facts {
  std::string node_name;  // empty: not bound
  PodPhase phase = PodPhase::Pending;
  bool is_ready = false;   // condition Ready
  WallTime ready_since{};  // that condition's last transition, whichever way it went
  std::string pod_ip, host_ip;
  std::string hostname, subdomain;  // as the spec has them
  std::string scheduler_name;
  std::string nominated_node_name;
  std::int32_t priority = 0;
  std::int32_t restarts = 0;       // of the container that restarted most
  std::int32_t deletion_cost = 0;  // annotation controller.kubernetes.io/pod-deletion-cost
  bool is_gated = false;           // schedulingGates are left
  bool is_unschedulable = false;   // condition PodScheduled is False, reason Unschedulable
  bool host_network = false;
  std::optional<WallTime> start_time;
  std::vector<PodPort> ports;  // of all containers that run for good, in their order
  ResourceAmounts requests;    // pod_requests
  std::int64_t score_cpu_millicores = 0, score_memory_bytes = 0;  // pod_requests_for_score

  bool is_finished() const { return phase == PodPhase::Succeeded || phase == PodPhase::Failed; }
};

enum class ConditionStatus : std::uint8_t { Absent, True, False, Unknown };

struct NodeTaint {
  std::string key, value, effect;
  std::optional<WallTime> time_added;
};

struct NodeFacts : Facts {
  ConditionStatus ready = ConditionStatus::Absent;
  WallTime ready_since{};      // last transition
  WallTime ready_heartbeat{};  // last heartbeat
  bool is_unschedulable = false;
  std::vector<NodeTaint> taints;
  ResourceAmounts allocatable;  // capacity where allocatable is not reported
  std::int64_t pods_max = 0;    // allocatable pods
  std::string pod_cidr;
  std::string internal_ip;
  std::int32_t agent_port = 0;  // status.daemonEndpoints.kubeletEndpoint
};

struct ServicePortFacts {
  std::string name;
  std::string protocol;
  std::int32_t port = 0;
  std::int32_t node_port = 0;
  std::string target_name;  // empty: by number
  std::int32_t target_port = 0;
};

struct ServiceFacts : Facts {
  std::string type;
  std::string cluster_ip;     // "None": headless; empty: ExternalName, or not assigned yet
  std::string external_name;  // of type ExternalName
  Labels selector;            // empty: somebody else writes its endpoints
  std::vector<ServicePortFacts> ports;
  bool publishes_not_ready = false;
  std::int32_t affinity_seconds = 0;  // of ClientIP; 0: no affinity

  bool is_headless() const { return cluster_ip == "None"; }
};

// The object is of the kind, which has these facts: anything else is a broken invariant.
const PodFacts& pod_facts(const Object& pod);
const NodeFacts& node_facts(const Object& node);
const ServiceFacts& service_facts(const Object& service);

// What the rows call.
std::unique_ptr<const Facts> extract_pod_facts(const Message& pod);
std::unique_ptr<const Facts> extract_node_facts(const Message& node);
std::unique_ptr<const Facts> extract_service_facts(const Message& service);

}  // namespace keelson
