// What the spawner keeps for us with each sandbox and container, so that a new agent knows them.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace keelson {

struct SandboxLabel {
  std::string pod_uid, pod_namespace, pod_name;
  std::vector<std::string> ips;
  bool node_network = false;
};
struct ContainerLabel {
  std::string pod_uid, pod_namespace, pod_name, container, image_id;
  int attempt = 0;
  int stop_signal = 15;
  std::string message_policy;  // terminationMessagePolicy
};

std::string to_label(const SandboxLabel& label);
std::string to_label(const ContainerLabel& label);
Result<SandboxLabel> parse_sandbox_label(const std::string& text);
Result<ContainerLabel> parse_container_label(const std::string& text);

}  // namespace keelson
