// Requests about objects: from the body to the registry's verb, and from its answer to the client's
// form.
#pragma once

#include "control/server/routes.h"

namespace keelson {

// The call is authenticated and authorized. On an I/O thread.
void serve_resource(Hands& hands, CallPtr call, ResourceRequest request);

}  // namespace keelson
