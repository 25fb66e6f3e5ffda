// What the API answers when it refuses, in Kubernetes' words. API-BEHAVIOUR §1.
#pragma once

#include <string_view>

#include "api/kinds.h"

namespace keelson {

using Failure = std::unexpected<Error>;

Failure not_found(const Kind& kind, std::string_view name);       // pods "x" not found
Failure already_exists(const Kind& kind, std::string_view name);  // pods "x" already exists
// Operation cannot be fulfilled on pods "x": why
Failure conflict(const Kind& kind, std::string_view name, std::string_view why);
Failure modified(const Kind& kind, std::string_view name);  // the conflict of an optimistic lock
// pods "x" is forbidden: why
Failure forbidden(const Kind& kind, std::string_view name, std::string_view why,
                  std::vector<Cause> causes = {});
// PATCH is not supported on resources of kind "pods/log"
Failure not_supported(const Kind& kind, std::string_view subresource, std::string_view verb);
// A client has seen a later state than there is: Timeout: Too large resource version: 9, current: 5
Failure too_large_revision(Revision wanted, Revision current);
Failure internal_error(std::string_view why);  // Internal error occurred: why

}  // namespace keelson
