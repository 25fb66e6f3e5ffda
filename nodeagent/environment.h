// A container's environment: its own variables, those of ConfigMaps, Secrets and the downward API,
// and the addresses of Services. Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "api/view.h"
#include "nodeagent/downward.h"

namespace keelson {

struct Environment {
  std::vector<std::pair<std::string, std::string>> variables;  // each name once
  // Keys of envFrom that cannot be names, by source: for an event, as Kubernetes skips them too.
  std::vector<std::string> skipped;

  const std::string* find(std::string_view name) const;
};

// `view` holds the pod's ConfigMaps and Secrets and the cluster's Services. Errors are what a user
// reads in CreateContainerConfigError: which object or key is missing.
Result<Environment> make_environment(const core::Pod& pod, const core::Container& container,
                                     const PodPlace& place, const View& view);

// "$(NAME)" → its value, of the first that has it; "$$(NAME)" → "$(NAME)"; what is not known stays.
std::string expand(std::string_view text, const Environment& environment,
                   const Environment* otherwise = nullptr);

}  // namespace keelson
