// PodState → PodStatus, as kubelet reports it: phase, conditions, container states. Pure.
#pragma once

#include "api/facts.h"
#include "api/types.h"
#include "nodeagent/pod_state.h"

namespace k8s::io::api::core::v1 {
class Pod;
class PodStatus;
}  // namespace k8s::io::api::core::v1

namespace keelson {

// pod.status is what the API has: conditions of others stay, and times of transition where a
// condition did not change. Does not change when nothing did, so that equal means: do not write.
core::PodStatus make_pod_status(const core::Pod& pod, const PodState& state, WallTime now);

PodPhase phase_of(const core::Pod& pod, const PodState& state);

// Has every init container done its work?
bool is_initialized(const core::Pod& pod, const PodState& state);

// Does the restart policy want this container again after that end?
bool wants_restart(const core::Pod& pod, const ContainerRun& container, bool is_init);

}  // namespace keelson
