// This node as the API shall see it. Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "api/types.h"
#include "base/clock.h"
#include "nodeagent/machine.h"

namespace k8s::io::api::core::v1 {
class Node;
class NodeStatus;
}  // namespace k8s::io::api::core::v1

namespace keelson {

struct NodeIdentity {
  std::string name;
  std::string address;          // InternalIP
  int port = 10'250;            // of the agent's HTTPS endpoint
  int pods_max = 110;           // kubelet's default (KubeletConfiguration.maxPods)
  std::string version;          // "v1.32.0-keelson": what clients take for the kubelet's
  std::string runtime_version;  // "keelson://0.1.0"
  std::vector<std::pair<std::string, std::string>> labels;  // beside the well-known ones
};

struct NodeImage {
  std::vector<std::string> names;
  std::int64_t bytes = 0;
};

// What the agent found wrong with itself or its machine: a condition each.
struct NodeCheck {
  std::string type;  // "Ready", "DatapathDegraded" …
  bool is_true = false;
  std::string reason, message;
};

// What may be asked of pods here: all but what the node keeps for itself.
struct Allocatable {
  std::int64_t cpu_millicores = 0, memory_bytes = 0, disk_bytes = 0;
  int pods = 0;
};
Allocatable allocatable_of(const Machine& machine, const NodeIdentity& identity);

// Labels of the object; others' labels and annotations stay.
void set_node_labels(core::Node& node, const NodeIdentity& identity, const Machine& machine);

// before: the status the API has. Times of conditions move only where they changed, the heartbeat
// on each call.
core::NodeStatus make_node_status(const NodeIdentity& identity, const Machine& machine,
                                  const Pressure& pressure, const std::vector<NodeImage>& images,
                                  const std::vector<NodeCheck>& checks,
                                  const core::NodeStatus& before, WallTime now);

// The same but for heartbeats: nothing that must be told at once.
bool same_but_heartbeat(const core::NodeStatus& a, const core::NodeStatus& b);

}  // namespace keelson
