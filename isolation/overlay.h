// A container's root: the image's layers below, a folder of its own above.
#pragma once

#include "base/error.h"
#include "base/fd.h"
#include "isolation/kernel.h"
#include "isolation/spec.h"

namespace keelson::isolation {

// A mount without a place yet. Makes upper and work in the writable folder (which must exist).
// Its writes are never waited for: a container's own layer does not outlive a crash of the node.
Result<Fd> mount_overlay(const RootfsSpec& rootfs, Kernel& kernel);

}  // namespace keelson::isolation
