// What `kubectl get pods` shows. Source: API-BEHAVIOUR §10.
#include "api/kinds/pod_columns.h"

#include <algorithm>

#include "api/cells.h"
#include "api/proto/core/v1/pod.pb.h"
#include "api/proto/core/v1/reference.pb.h"
#include "api/row.h"
#include "api/table.h"

namespace keelson {
namespace {

bool has_true_condition(const core::PodStatus& status, std::string_view type) {
  const auto& conditions = status.conditions();
  return std::ranges::any_of(conditions, [&](const core::PodCondition& condition) {
    return condition.type() == type && condition.status() == "True";
  });
}

// What all containers together come to.
struct Summary {
  const core::Pod& pod;
  std::string reason;
  int ready = 0;
  int containers = 0;
  std::int64_t restarts = 0;
  std::int64_t last_restart_seconds = 0;  // since 1970; 0: none

  void count_restarts(const core::ContainerStatus& status);
  bool summarize_init();
  void summarize_containers();
};

void Summary::count_restarts(const core::ContainerStatus& status) {
  restarts += status.restartcount();
  last_restart_seconds =
      std::max(last_restart_seconds, status.laststate().terminated().finishedat().seconds());
}

std::string ended_text(const core::ContainerStateTerminated& state) {
  if (!state.reason().empty()) return state.reason();
  if (state.signal() != 0) return fmt::format("Signal:{}", state.signal());
  return fmt::format("ExitCode:{}", state.exitcode());
}

// True: the pod is still initializing, and the reason says how far it is.
bool Summary::summarize_init() {
  const auto& specs = pod.spec().initcontainers();
  const auto is_restartable = [&](std::string_view name) {
    return std::ranges::any_of(specs, [&](const core::Container& container) {
      return container.name() == name && container.restartpolicy() == "Always";
    });
  };
  containers +=
      static_cast<int>(std::ranges::count(specs, "Always", &core::Container::restartpolicy));
  Summary restartable{.pod = pod, .reason = {}};
  bool initializing = false;
  for (int i = 0; i < pod.status().initcontainerstatuses_size() && !initializing; ++i) {
    const core::ContainerStatus& status = pod.status().initcontainerstatuses(i);
    const core::ContainerState& state = status.state();
    count_restarts(status);
    if (is_restartable(status.name())) restartable.count_restarts(status);
    if (state.has_terminated() && state.terminated().exitcode() == 0) continue;
    if (is_restartable(status.name()) && status.started()) {
      ready += status.ready();
      continue;
    }
    initializing = true;
    const std::string& waiting = state.waiting().reason();
    if (state.has_terminated()) {
      reason = "Init:" + ended_text(state.terminated());
    } else if (!waiting.empty() && waiting != "PodInitializing") {
      reason = "Init:" + waiting;
    } else {
      reason = fmt::format("Init:{}/{}", i, specs.size());
    }
  }
  if (initializing && !has_true_condition(pod.status(), "Initialized")) return true;
  restarts = restartable.restarts;
  last_restart_seconds = restartable.last_restart_seconds;
  return false;
}

// The first container's reason stands: the last is looked at first.
void Summary::summarize_containers() {
  bool has_running = false;
  for (int i = pod.status().containerstatuses_size() - 1; i >= 0; --i) {
    const core::ContainerStatus& status = pod.status().containerstatuses(i);
    const core::ContainerState& state = status.state();
    count_restarts(status);
    if (!state.waiting().reason().empty()) {
      reason = state.waiting().reason();
    } else if (state.has_terminated()) {
      reason = ended_text(state.terminated());
    } else if (status.ready() && state.has_running()) {
      has_running = true;
      ++ready;
    }
  }
  if (reason != "Completed" || !has_running) return;
  reason = has_true_condition(pod.status(), "Ready") ? "Running" : "NotReady";
}

bool is_gated(const core::PodStatus& status) {
  return std::ranges::any_of(status.conditions(), [](const core::PodCondition& condition) {
    return condition.type() == "PodScheduled" && condition.reason() == "SchedulingGated";
  });
}

Summary summarize(const core::Pod& pod) {
  const core::PodStatus& status = pod.status();
  Summary summary{.pod = pod,
                  .reason = status.reason().empty() ? status.phase() : status.reason(),
                  .containers = pod.spec().containers_size()};
  if (is_gated(status)) summary.reason = "SchedulingGated";
  if (!summary.summarize_init()) summary.summarize_containers();
  if (!pod.metadata().has_deletiontimestamp()) return summary;
  if (status.reason() == "NodeLost") {
    summary.reason = "Unknown";
  } else if (status.phase() != "Succeeded" && status.phase() != "Failed") {
    summary.reason = "Terminating";
  }
  return summary;
}

std::string restarts_text(const Summary& summary, WallTime now) {
  if (summary.restarts == 0 || summary.last_restart_seconds == 0) {
    return std::to_string(summary.restarts);
  }
  meta::Time last;
  last.set_seconds(summary.last_restart_seconds);
  return fmt::format("{} ({} ago)", summary.restarts, since_cell(last, now));
}

std::string gates_text(const core::Pod& pod) {
  const auto& gates = pod.spec().readinessgates();
  if (gates.empty()) return std::string(none);
  const auto open = std::ranges::count_if(gates, [&](const core::PodReadinessGate& gate) {
    return has_true_condition(pod.status(), gate.conditiontype());
  });
  return fmt::format("{}/{}", open, gates.size());
}

}  // namespace

std::vector<Column> pod_columns() {
  return {
      name_column(),
      {.name = "Ready", .description = "The containers that are ready, of all that run for good."},
      {.name = "Status", .description = "What the pod and its containers are doing."},
      {.name = "Restarts",
       .description = "How often the containers were restarted, and when last."},
      age_column(),
      {.name = "IP", .description = "The pod's address.", .priority = 1},
      {.name = "Node", .description = "Where the pod runs.", .priority = 1},
      {.name = "Nominated Node",
       .description = "Where room is being made for the pod.",
       .priority = 1},
      {.name = "Readiness Gates",
       .description = "Conditions of others that hold, of all the pod waits for.",
       .priority = 1}};
}

std::vector<Cell> pod_cells(const Message& message, WallTime now) {
  const auto& pod = as<core::Pod>(message);
  const Summary summary = summarize(pod);
  const core::PodStatus& status = pod.status();
  return {pod.metadata().name(),
          fmt::format("{}/{}", summary.ready, summary.containers),
          summary.reason,
          restarts_text(summary, now),
          age_cell(pod.metadata(), now),
          or_none(status.podips().empty() ? status.podip() : status.podips(0).ip()),
          or_none(pod.spec().nodename()),
          or_none(status.nominatednodename()),
          gates_text(pod)};
}

}  // namespace keelson
