// Volumes on the node's side: each source as a mount of its own, its flags set, ready to be placed.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "isolation/kernel.h"
#include "isolation/spec.h"

namespace keelson::isolation {

struct OpenedMount {
  std::string destination;
  Fd mount;
  bool is_folder = false;
};

// In the order they are to be placed: what lies deeper, later.
Result<std::vector<OpenedMount>> open_mounts(const std::vector<MountSpec>& mounts, Kernel& kernel);

// What runtimes hide of /proc and /sys, and what they make read-only.
const std::vector<std::string>& standard_masked_paths();
const std::vector<std::string>& standard_read_only_paths();

}  // namespace keelson::isolation
