// An image archive (a tar around an OCI layout or of docker save) as a folder.
#pragma once

#include <cstdint>

#include "base/error.h"

namespace keelson::isolation {

// Its files below the folder, by their names in the archive; links of docker save become copies
// by hard link. Everything else in it is left out.
Result<> unpack_archive(int archive_fd, int folder, std::uint64_t bytes_max);

}  // namespace keelson::isolation
