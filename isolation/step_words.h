// A failed start in the words Kubernetes' users know.
#pragma once

#include "base/error.h"
#include "isolation/spawn_wire.h"

namespace keelson::isolation {

// A reply's error: `exec: "x": executable file not found in $PATH`, "mount /data: No such file …".
std::unexpected<Error> start_error(const wire::Reply& reply);

}  // namespace keelson::isolation
