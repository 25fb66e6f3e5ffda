// A part of a volume, opened so that nothing in the volume can lead out of it.
#pragma once

#include <string>

#include "base/error.h"
#include "base/fd.h"

namespace keelson {

// An O_PATH descriptor of volume_folder/sub_path, for a mount. What is missing is made as folders.
// Invalid: it would leave the volume.
Result<Fd> open_sub_path(const std::string& volume_folder, const std::string& sub_path);

}  // namespace keelson
