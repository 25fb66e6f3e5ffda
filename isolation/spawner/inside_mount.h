// New file systems before they have a place.
#pragma once

#include "isolation/kernel.h"
#include "isolation/spawner/inside.h"

namespace keelson::isolation {

inline constexpr unsigned safe_mount =
    MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RELATIME;

struct FsOption {
  const char* key;
  const char* value = nullptr;  // null: a flag
};

// A detached mount, or -errno.
int new_mount(Kernel& kernel, const char* type, unsigned attributes, const FsOption* options = {},
              int option_count = 0);
template <int count>
int new_mount(Kernel& kernel, const char* type, unsigned attributes,
              const FsOption (&options)[count]) {
  return new_mount(kernel, type, attributes, options, count);
}

// Both take the error of a mount that could not be made, and note the name.
int attach_standard(Inside& inside, int mount, const char* name);        // below the root
int attach_at(Inside& inside, int mount, int folder, const char* name);  // it must be there

}  // namespace keelson::isolation
