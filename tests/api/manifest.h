// What the registry does to a manifest before it is kept: defaults, preparation, checks. For tests
// of rows.
#pragma once

#include <google/protobuf/message.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/kinds.h"

namespace keelson {

struct Manifest {
  const Kind* kind = nullptr;
  std::unique_ptr<Message> message;
  std::vector<std::string> findings;  // "field: message" of each cause, as Kubernetes prints it
  std::vector<std::string> reasons;   // of each cause
  std::vector<std::string> warnings;

  std::string yaml() const;  // as `kubectl get -o yaml` shows it, near enough to compare
  const std::string& finding() const { return findings.at(0); }
};

// Fails the test if the text is no manifest of a kind there is, or has fields that its kind lacks.
Manifest read_manifest(std::string_view yaml);
Manifest create(std::string_view yaml);
Manifest update(const Message& before, std::string_view yaml);
Manifest update_status(const Message& before, std::string_view yaml);

// A pod with this much of a spec beside one container, and one with this much of a container.
std::string pod_with(std::string_view spec);
std::string pod_with_container(std::string_view container);

std::string lines(const std::vector<std::string>& texts);

}  // namespace keelson
