// A folder of files that changes as one: readers see all of the old files or all of the new.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "nodeagent/volume_files.h"

namespace keelson {

// Kubernetes' layout, which programs rely on: each name is a link to ..data/NAME, and ..data is a
// link that is renamed onto the next timestamped folder. Writes nothing if the files are the same.
// group: what fsGroup gives the files to, which may then read them. On an error the old files
// stand.
Result<> write_atomically(const std::string& folder, const VolumeFiles& files,
                          std::optional<gid_t> group, WallTime now);

}  // namespace keelson
