// What every cluster has from its first moment: the system's namespaces and the Service through
// which pods reach the API.
#pragma once

#include <string>

#include "control/registry/registry.h"

namespace keelson {

struct ApiEndpoint {
  std::string address;  // where pods and nodes reach the API server
  std::int32_t port = 6443;
};

// At every start: makes what is missing, and brings the endpoint up to date.
Result<> bootstrap(Registry& registry, const ApiEndpoint& endpoint);

}  // namespace keelson
