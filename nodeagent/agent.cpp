// Wires the rooms of a node; nothing is done here.
#include "nodeagent/agent.h"

#include "api/facts.h"
#include "api/kinds.h"
#include "api/proto/core/v1/node.pb.h"
#include "base/log.h"
#include "nodeagent/asker.h"

namespace keelson {
namespace {

constexpr const char* runtime_not_ready = "container runtime is not ready: no spawner";

}  // namespace

struct Agent::State {
  State(Parts p, Options o);

  void node_changed(const Change& change);
  std::vector<NodeCheck> checks() const;
  std::vector<NodeImage> images() const;

  Parts parts;
  Options options;
  ObjectIndex view;      // Services, and the ConfigMaps and Secrets of pods here
  ObjectIndex pod_view;  // this node's pods
  ObjectIndex node_view;
  EventWriter events;
  NodeRoutes routes;
  PodNetwork pod_network;
  NodeRuntime runtime;
  NodeAsker asker;
  PodVolumes volumes;
  References references;
  Pods pods;
  NodeReporter reporter;
  NodeServer server;
  std::unique_ptr<LeaseKeeper> lease;  // once the node is registered
  IndexSink pod_sink, node_sink;
  Reflector pod_reflector, node_reflector;
};

Agent::State::State(Parts p, Options o)
    : parts(std::move(p)),
      options(std::move(o)),
      events(parts.loop, parts.client, options.identity.name),
      routes(parts.network, options.identity.name),
      pod_network(parts.network, parts.pod_links),
      runtime(parts.loop, parts.random, parts.cgroups, parts.images, pod_network,
              {.node_name = options.identity.name,
               .node_address = options.identity.address,
               .node_memory_bytes = options.machine.memory_bytes,
               .folders = options.folders,
               .dns = options.dns,
               .spawner_socket = options.spawner_socket}),
      asker(runtime, parts.http),
      volumes(options.folders.pods(), options.folders.pod_memory(), view),
      references({parts.loop, parts.client, parts.random}, view,
                 [this](const std::string& name_space) { pods.objects_changed(name_space); }),
      pods({parts.loop, runtime, asker, events, view}, parts.client, volumes,
           {.place = {.pod_ips = {},
                      .host_ip = options.identity.address,
                      .allocatable_cpu_millicores = options.machine.cpu_millicores,
                      .allocatable_memory_bytes = options.machine.memory_bytes,
                      .allocatable_ephemeral_storage_bytes = options.machine.disk_bytes},
            .allocatable = allocatable_of(options.machine, options.identity),
            .refer = [this](
                         const core::Pod& pod,
                         bool wanted) { wanted ? references.add(pod) : references.remove(pod); }}),
      reporter(parts.loop, parts.client, options.identity, options.machine,
               {.pressure = [this] { return read_pressure(options.folders.state); },
                .images = [this] { return images(); },
                .checks = [this] { return checks(); },
                .registered =
                    [this](const core::Node& node) {
                      lease = std::make_unique<LeaseKeeper>(
                          parts.loop, parts.client,
                          LeaseKeeper::Options{.node_name = options.identity.name,
                                               .node_uid = node.metadata().uid(),
                                               .duration = options.lease_duration});
                    }}),
      server(parts.threads, options.tls, {parts.loop, parts.threads.loop(0), runtime, pods},
             options.limits),
      pod_sink(pod_view, kinds::pod(), [this](const Change& change) { pods.apply(change); }),
      node_sink(node_view, kinds::node(), [this](const Change& change) { node_changed(change); }),
      pod_reflector({parts.loop, parts.client, parts.random}, kinds::pod(),
                    {.name_space = {},
                     .label_selector = {},
                     .field_selector = "spec.nodeName=" + options.identity.name},
                    pod_sink),
      node_reflector({parts.loop, parts.client, parts.random}, kinds::node(), {}, node_sink) {}

void Agent::State::node_changed(const Change& change) {
  routes.apply(change);
  if (change.object().name != options.identity.name || !change.after) return;
  reporter.apply(*change.after);
  const std::string& block = node_facts(*change.after).pod_cidr;
  if (block.empty()) return;
  const bool is_first = !pod_network.has_block();
  if (auto set = pod_network.set_block(block); !set) {
    log_error("pod addresses", {{"error", set.error().message}});
    return;
  }
  if (is_first) pods.network_ready();
  reporter.changed();
}

std::vector<NodeCheck> Agent::State::checks() const {
  std::vector<NodeCheck> checks = parts.checks ? parts.checks() : std::vector<NodeCheck>();
  NodeCheck ready{.type = "Ready",
                  .is_true = true,
                  .reason = "KubeletReady",
                  .message = "kubelet is posting ready status"};
  if (!runtime.is_ready()) {
    ready = {"Ready", false, "KubeletNotReady", runtime_not_ready};
  } else if (!pod_network.has_block()) {
    ready = {"Ready", false, "KubeletNotReady",
             "container runtime network not ready: the control plane has not set podCIDR yet"};
  }
  checks.push_back(std::move(ready));
  return checks;
}

std::vector<NodeImage> Agent::State::images() const {
  std::vector<NodeImage> images;
  const auto list = parts.images.list();
  if (!list) return images;
  for (const auto& image : *list) {
    images.push_back({image.names, static_cast<std::int64_t>(image.size_bytes)});
  }
  return images;
}

Agent::Agent(Parts parts, Options options)
    : state_(std::make_unique<State>(std::move(parts), std::move(options))) {}

Agent::~Agent() = default;

Result<> Agent::start() {
  State& state = *state_;
  auto listening = state.server.listen(state.options.listen_address);
  if (!listening) return listening.error().during("serve logs and commands");
  log_info("agent listens", {{"address", *listening}});
  state.runtime.on_exit([&state](const ContainerExit& exit) { state.pods.exited(exit); });
  state.runtime.list([&state](Result<Found> found) {
    if (found) state.pods.found(std::move(*found));
    state.reporter.changed();
  });
  state.pod_reflector.on_synced([&state] { state.pods.synced(); });
  state.reporter.start();
  return {};
}

void Agent::put_service(ObjectPtr service) {
  state_->view.put(std::move(service));
}

void Agent::erase_service(std::string_view key, Revision revision) {
  const auto [name_space, name] = split_key(key);
  state_->view.erase(kinds::service(), name_space, name, revision);
}

void Agent::checks_changed() {
  state_->reporter.changed();
}

}  // namespace keelson
