// /livez, /readyz and /healthz: is the core alive, and would it take a write?
#pragma once

#include "control/server/hands.h"

namespace keelson {

// What must be true beside the core's answering. Asked on the core loop.
struct HealthCheck {
  std::string name;
  std::function<Result<>()> check;
};

class Health {
 public:
  explicit Health(std::vector<HealthCheck> checks) : checks_(std::move(checks)) {}
  const std::vector<HealthCheck>& checks() const { return checks_; }

 private:
  std::vector<HealthCheck> checks_;
};

// `?verbose` tells of each check; PATH/NAME asks for one. Liveness asks only whether the core
// answers at all.
void serve_health(Hands& hands, CallPtr call);

}  // namespace keelson
