// Phase and conditions by kubelet's rules (API-BEHAVIOUR §11).
#include "nodeagent/pod_status.h"

#include <fmt/ranges.h>

#include "api/object.h"
#include "api/proto/core/v1/pod.pb.h"
#include "api/proto/meta/v1/time.pb.h"

namespace keelson {
namespace {

using States = std::map<std::string, ContainerRun>;
using Phase = ContainerRun::Phase;

const ContainerRun& state_of(const States& states, const std::string& name) {
  static const ContainerRun unknown;
  const auto found = states.find(name);
  return found == states.end() ? unknown : found->second;
}

bool succeeded(const ContainerRun& container) {
  return container.phase == Phase::Terminated && container.ended->exit_code == 0;
}

// --- container statuses

void fill_terminated(const Termination& end, core::ContainerStateTerminated& out) {
  out.set_exitcode(end.exit_code);
  if (end.signal != 0) out.set_signal(end.signal);
  if (!end.reason.empty()) out.set_reason(end.reason);
  if (!end.message.empty()) out.set_message(end.message);
  set_time(*out.mutable_startedat(), end.started);
  set_time(*out.mutable_finishedat(), end.finished);
  if (!end.container_id.empty()) out.set_containerid("keelson://" + end.container_id);
}

void fill_state(const ContainerRun& container, const char* waiting_reason,
                core::ContainerState& out) {
  switch (container.phase) {
    case Phase::Running:
      set_time(*out.mutable_running()->mutable_startedat(), container.started_at);
      return;
    case Phase::Terminated:
      fill_terminated(*container.ended, *out.mutable_terminated());
      return;
    case Phase::Waiting:
    case Phase::Starting:
      break;
  }
  out.mutable_waiting()->set_reason(container.waiting_reason.empty() ? waiting_reason
                                                                     : container.waiting_reason);
  if (!container.waiting_message.empty()) {
    out.mutable_waiting()->set_message(container.waiting_message);
  }
}

void fill_container(const core::Container& spec, const ContainerRun& container,
                    const char* waiting_reason, core::ContainerStatus& out) {
  out.set_name(spec.name());
  fill_state(container, waiting_reason, *out.mutable_state());
  if (container.last)
    fill_terminated(*container.last, *out.mutable_laststate()->mutable_terminated());
  out.set_ready(container.ready);
  out.set_restartcount(container.restart_count);
  out.set_image(container.image.empty() ? spec.image() : container.image);
  out.set_imageid(container.image_id);
  if (!container.id.empty()) out.set_containerid("keelson://" + container.id);
  out.set_started(container.started && container.phase == Phase::Running);
}

// --- conditions

struct Condition {
  const char* type;
  bool is_true = true;
  std::string reason = {}, message = {};
};

const core::PodCondition* find_condition(const core::PodStatus& status, std::string_view type) {
  for (const auto& condition : status.conditions()) {
    if (condition.type() == type) return &condition;
  }
  return nullptr;
}

void add_condition(const Condition& condition, const core::PodStatus& before, WallTime now,
                   core::PodStatus& status) {
  core::PodCondition& out = *status.add_conditions();
  const char* value = condition.is_true ? "True" : "False";
  out.set_type(condition.type);
  out.set_status(value);
  if (!condition.reason.empty()) out.set_reason(condition.reason);
  if (!condition.message.empty()) out.set_message(condition.message);
  const core::PodCondition* old = find_condition(before, condition.type);
  if (old && old->status() == value && old->has_lasttransitiontime()) {
    *out.mutable_lasttransitiontime() = old->lasttransitiontime();
  } else {
    set_time(*out.mutable_lasttransitiontime(), now);
  }
}

Condition with_names(const char* type, const char* reason, std::string_view what,
                     const std::vector<std::string>& names) {
  if (names.empty()) return {.type = type};
  return {.type = type,
          .is_true = false,
          .reason = reason,
          .message = fmt::format("containers with {} status: [{}]", what, fmt::join(names, " "))};
}

Condition initialized(const core::Pod& pod, const PodState& state, PodPhase phase) {
  if (phase == PodPhase::Succeeded) {
    return {.type = "Initialized", .reason = "PodCompleted"};
  }
  std::vector<std::string> incomplete;
  for (const auto& container : pod.spec().initcontainers()) {
    if (!succeeded(state_of(state.init, container.name()))) incomplete.push_back(container.name());
  }
  return with_names("Initialized", "ContainersNotInitialized", "incomplete", incomplete);
}

Condition containers_ready(const core::Pod& pod, const PodState& state, PodPhase phase) {
  if (phase == PodPhase::Succeeded || phase == PodPhase::Failed) {
    return {.type = "ContainersReady",
            .is_true = false,
            .reason = phase == PodPhase::Succeeded ? "PodCompleted" : "PodFailed"};
  }
  std::vector<std::string> unready;
  for (const auto& container : pod.spec().containers()) {
    if (!state_of(state.main, container.name()).ready) unready.push_back(container.name());
  }
  return with_names("ContainersReady", "ContainersNotReady", "unready", unready);
}

Condition ready(const core::Pod& pod, const Condition& containers) {
  Condition condition = containers;
  condition.type = "Ready";
  if (!condition.is_true) return condition;
  for (const auto& gate : pod.spec().readinessgates()) {
    const core::PodCondition* asked = find_condition(pod.status(), gate.conditiontype());
    if (asked && asked->status() == "True") continue;
    condition.is_true = false;
    condition.reason = "ReadinessGatesNotReady";
    condition.message =
        asked ? fmt::format("corresponding condition of pod readiness gate \"{}\" is not \"True\".",
                            gate.conditiontype())
              : fmt::format("corresponding condition of pod readiness gate \"{}\" does not exist.",
                            gate.conditiontype());
    return condition;
  }
  return condition;
}

void add_conditions(const core::Pod& pod, const PodState& state, WallTime now,
                    core::PodStatus& status) {
  const PodPhase phase = phase_of(pod, state);
  const Condition containers = containers_ready(pod, state, phase);
  const Condition own[] = {
      {.type = "PodReadyToStartContainers", .is_true = state.network_ready},
      initialized(pod, state, phase),
      ready(pod, containers),
      containers,
      {.type = "PodScheduled"},
  };
  for (const Condition& condition : own) add_condition(condition, pod.status(), now, status);
  for (const auto& condition : pod.status().conditions()) {
    if (!find_condition(status, condition.type())) *status.add_conditions() = condition;
  }
}

const char* text_of(PodPhase phase) {
  switch (phase) {
    case PodPhase::Pending:
      return "Pending";
    case PodPhase::Running:
      return "Running";
    case PodPhase::Succeeded:
      return "Succeeded";
    case PodPhase::Failed:
      return "Failed";
    case PodPhase::Unknown:
      break;
  }
  return "Unknown";
}

}  // namespace

bool wants_restart(const core::Pod& pod, const ContainerRun& container, bool is_init) {
  if (container.phase != Phase::Terminated) return true;
  const bool failed = container.ended->exit_code != 0;
  const std::string& policy = pod.spec().restartpolicy();
  if (policy == "Never") return false;
  if (policy == "OnFailure" || is_init) return failed;
  return true;
}

bool is_initialized(const core::Pod& pod, const PodState& state) {
  for (const auto& container : pod.spec().initcontainers()) {
    if (!succeeded(state_of(state.init, container.name()))) return false;
  }
  return true;
}

PodPhase phase_of(const core::Pod& pod, const PodState& state) {
  if (!state.failed_reason.empty()) return PodPhase::Failed;
  for (const auto& spec : pod.spec().initcontainers()) {
    const ContainerRun& container = state_of(state.init, spec.name());
    if (succeeded(container)) continue;
    if (container.phase == Phase::Terminated && !wants_restart(pod, container, true)) {
      return PodPhase::Failed;
    }
    return PodPhase::Pending;
  }
  int waiting = 0, running = 0, stopped = 0, done = 0;
  for (const auto& spec : pod.spec().containers()) {
    const ContainerRun& container = state_of(state.main, spec.name());
    if (container.phase == Phase::Running) {
      ++running;
    } else if (container.phase == Phase::Terminated) {
      ++stopped;
      done += succeeded(container);
    } else if (container.last) {
      ++stopped;  // between two attempts
      done += container.last->exit_code == 0;
    } else {
      ++waiting;
    }
  }
  if (waiting > 0) return PodPhase::Pending;
  if (running > 0 || stopped == 0) return PodPhase::Running;
  const std::string& policy = pod.spec().restartpolicy();
  if (policy == "Never") return stopped == done ? PodPhase::Succeeded : PodPhase::Failed;
  if (policy == "OnFailure") return stopped == done ? PodPhase::Succeeded : PodPhase::Running;
  return PodPhase::Running;
}

core::PodStatus make_pod_status(const core::Pod& pod, const PodState& state, WallTime now) {
  core::PodStatus status;
  status.set_phase(text_of(phase_of(pod, state)));
  if (!state.failed_reason.empty()) status.set_reason(state.failed_reason);
  if (!state.failed_message.empty()) status.set_message(state.failed_message);
  add_conditions(pod, state, now, status);
  if (!state.host_ip.empty()) {
    status.set_hostip(state.host_ip);
    status.add_hostips()->set_ip(state.host_ip);
  }
  for (const std::string& ip : state.ips) {
    if (!status.has_podip()) status.set_podip(ip);
    status.add_podips()->set_ip(ip);
  }
  if (state.start_time) set_time(*status.mutable_starttime(), *state.start_time);
  status.set_qosclass(pod.status().qosclass());
  if (pod.status().has_nominatednodename()) {
    status.set_nominatednodename(pod.status().nominatednodename());
  }
  // A container that has to wait for the init containers says so.
  const bool initialized = is_initialized(pod, state);
  const bool has_init = !pod.spec().initcontainers().empty();
  for (const auto& container : pod.spec().initcontainers()) {
    fill_container(container, state_of(state.init, container.name()), "PodInitializing",
                   *status.add_initcontainerstatuses());
  }
  for (const auto& container : pod.spec().containers()) {
    fill_container(container, state_of(state.main, container.name()),
                   initialized && !has_init ? "ContainerCreating" : "PodInitializing",
                   *status.add_containerstatuses());
  }
  return status;
}

}  // namespace keelson
