// The seam between a pod's life and the kernel: what pod_worker.cpp asks for. Made of isolation on
// a node (node_runtime.h), of virtual time in tests.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/types.h"
#include "base/loop.h"
#include "nodeagent/environment.h"
#include "nodeagent/pod_state.h"

namespace k8s::io::api::core::v1 {
class Container;
class Pod;
}  // namespace k8s::io::api::core::v1

namespace keelson {

struct ImageInfo {
  std::string id;         // "sha256:…": the digest of its configuration
  std::string reference;  // the name it was found by, with its tag
};

struct SandboxInfo {
  std::vector<std::string> ips;  // the node's own for a pod on the host's network
};

struct ContainerStart {
  std::shared_ptr<const core::Pod> pod;
  const core::Container* container = nullptr;  // of *pod
  int attempt = 0;                             // 0 at first
  ImageInfo image;
  Environment environment;
  std::map<std::string, std::string> volumes;  // by name: where the node has it
};

struct ContainerStarted {
  std::string id;
  WallTime at{};
  std::vector<std::string> refused;  // what the kernel would not give, for events
};

struct ContainerExit {
  std::string pod_uid, container, id;
  int exit_code = 0;
  int signal = 0;
  bool oom_killed = false;
  WallTime started{}, finished{};
  std::string message;  // of terminationMessagePath, or the end of the log as the policy says
};

// What stands on the node, as a new agent finds it.
struct FoundContainer {
  std::string pod_uid, pod_namespace, pod_name, container, id, image_id;
  int attempt = 0;
  WallTime started{};
  std::optional<ContainerExit> exit;
};
struct FoundSandbox {
  std::string pod_uid, pod_namespace, pod_name;
  std::vector<std::string> ips;
  WallTime created{};
};
struct Found {
  std::vector<FoundSandbox> sandboxes;
  std::vector<FoundContainer> containers;  // attempts in order
};

struct ExecOutcome {
  int exit_code = 0;
  std::string output;  // stdout and stderr, the first 10 KiB
};

// The loop's: called there, answers there, never from inside the call. Each Done is called once; an
// error has left nothing behind. What was asked for survives the agent.
class PodRuntime {
 public:
  template <typename T>
  using Done = std::move_only_function<void(Result<T>)>;

  virtual ~PodRuntime() = default;
  virtual void list(Done<Found> done) = 0;
  // From now on each exit is told once, also of containers found.
  virtual void on_exit(std::function<void(const ContainerExit&)> exited) = 0;

  // policy: "Always", "IfNotPresent", "Never". The reason of an error is what the container waits
  // for: NotFound → ErrImagePull, Invalid → InvalidImageName, Forbidden → ErrImageNeverPull.
  virtual void ensure_image(const std::string& image, const std::string& policy,
                            Done<ImageInfo> done) = 0;
  virtual void create_sandbox(std::shared_ptr<const core::Pod> pod, Done<SandboxInfo> done) = 0;
  // Ends what is left in it, frees its addresses; records and logs of its containers stay.
  // Nothing there is success, also of the next.
  virtual void stop_sandbox(const std::string& pod_uid, Done<void> done) = 0;
  // The same, and everything else the runtime keeps of the pod.
  virtual void remove_pod(const std::string& pod_uid, Done<void> done) = 0;
  // Invalid: it can never start like this (CreateContainerConfigError); else RunContainerError, or
  // StartError with an exit in the error's details.
  virtual void start_container(ContainerStart start, Done<ContainerStarted> done) = 0;
  // signal 0: the image's own stop signal (SIGTERM if it names none). The exit comes by on_exit.
  virtual void kill_container(const std::string& id, int signal) = 0;
  // An ended one: its log, its writable layer, its record.
  virtual void remove_container(const std::string& id) = 0;
  // Runs a command inside; ends it when the Pending is dropped.
  [[nodiscard]] virtual Pending exec(const std::string& id, std::vector<std::string> command,
                                     Done<ExecOutcome> done) = 0;
};

}  // namespace keelson
