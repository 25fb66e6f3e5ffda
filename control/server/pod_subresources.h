// A pod's log and the commands run in it: asked of the agent of its node, and handed through byte
// for byte.
#pragma once

#include "control/server/routes.h"

namespace keelson {

// pods/log and pods/exec. On an I/O thread.
void serve_from_node(Hands& hands, CallPtr call, const ResourceRequest& request);

}  // namespace keelson
