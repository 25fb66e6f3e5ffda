// An update of a Service by someone who leaves out what the server had filled in.
#pragma once

#include "api/types.h"

namespace keelson {

// Keeps addresses and node ports that the update does not mention, and drops those that its new
// type has no use for. Upstream's patchAllocatedValues and dropTypeDependentFields.
void keep_assigned(const Message& before, Message& after);

}  // namespace keelson
