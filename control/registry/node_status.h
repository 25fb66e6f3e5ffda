// A Node's status has several authors.
#pragma once

#include "control/registry/write.h"

namespace keelson {

// When a node writes its own status: extended resources that others reported (by a PATCH of
// nodes/NAME/status) and it does not know of are kept, and are allocatable as far as they are
// capacity.
void keep_foreign_resources(const Write& write);

}  // namespace keelson
