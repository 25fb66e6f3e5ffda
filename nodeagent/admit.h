// What a node checks before it takes a pod, whoever sent it: kubelet's admission. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/types.h"
#include "nodeagent/node_object.h"

namespace k8s::io::api::core::v1 {
class Pod;
}

namespace keelson {

struct Refusal {
  std::string reason, message;  // of a Failed pod: "OutOfcpu"
};

// others: the pods that hold the node's resources already, without this one.
std::optional<Refusal> refuse_pod(const core::Pod& pod, const std::vector<const core::Pod*>& others,
                                  const Allocatable& allocatable);

}  // namespace keelson
