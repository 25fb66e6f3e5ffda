// What is special about a Namespace's writes.
#pragma once

#include "api/types.h"

namespace keelson {

// PUT of /finalize: everything but spec.finalizers stays as it was.
void keep_all_but_finalizers(const Message& before, Message& after);

}  // namespace keelson
