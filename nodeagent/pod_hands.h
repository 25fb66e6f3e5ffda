// What a pod's workers are given to work with, and small seams between them.
#pragma once

#include <functional>
#include <string_view>

#include "api/view.h"
#include "base/loop.h"
#include "nodeagent/pod_runtime.h"
#include "nodeagent/probe.h"

namespace k8s::io::api::core::v1 {
class ContainerStatus;
class ExecAction;
class HTTPGetAction;
class TCPSocketAction;
}  // namespace k8s::io::api::core::v1

namespace keelson {

// Tells people what happened to a pod, as Events.
class PodEvents {
 public:
  virtual ~PodEvents() = default;
  // container: its name, or empty for the pod as a whole. type: "Normal", "Warning".
  virtual void record(const core::Pod& pod, std::string_view container, std::string_view type,
                      std::string_view reason, std::string_view message) = 0;
};

// Whom a probe or a hook asks.
struct AskTarget {
  std::string container_id;
  std::string pod_ip;
  const core::Container* container = nullptr;  // for the names of ports
  Duration timeout = 1s;
};

// Carries out what probes and lifecycle hooks consist of. Never answers from inside the call.
class Asker {
 public:
  using Done = ProbeWorker::Done;
  virtual ~Asker() = default;
  [[nodiscard]] virtual Pending exec(const AskTarget& target, const core::ExecAction& action,
                                     Done done) = 0;
  [[nodiscard]] virtual Pending http_get(const AskTarget& target, const core::HTTPGetAction& action,
                                         Done done) = 0;
  [[nodiscard]] virtual Pending tcp_socket(const AskTarget& target,
                                           const core::TCPSocketAction& action, Done done) = 0;
};

// References must outlive every worker.
struct PodHands {
  Loop& loop;
  PodRuntime& runtime;
  Asker& asker;
  PodEvents& events;
  const View& view;  // the node's ConfigMaps, Secrets and Services
};

}  // namespace keelson
