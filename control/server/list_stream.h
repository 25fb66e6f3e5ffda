// A list on its way out: a short one whole, a long one piece by piece as its reader takes it.
#pragma once

#include "control/server/call.h"
#include "control/server/encode.h"

namespace keelson {

// On an I/O thread's loop, where the pieces are encoded.
void respond_list(SystemLoop& loop, CallPtr call, ListEncoder encoder);

}  // namespace keelson
