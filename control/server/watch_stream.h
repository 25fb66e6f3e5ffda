// A watch on its way out: events come from the core, are encoded on an I/O thread, and go out as
// the client reads them. Who does not keep up is let go, and stalls nobody.
#pragma once

#include "control/server/routes.h"

namespace keelson {

void serve_watch(Hands& hands, CallPtr call, const ResourceRequest& request);

}  // namespace keelson
