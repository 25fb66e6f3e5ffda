// What this machine is and has: read once at start, and its pressure again and again.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"

namespace keelson {

struct Machine {
  std::int64_t cpu_millicores = 0;
  std::int64_t memory_bytes = 0;
  std::int64_t disk_bytes = 0;  // of the file system that holds the node's state
  std::string kernel_version, os_image, machine_id, system_uuid, boot_id, architecture;
};
Result<Machine> read_machine(const std::string& state_folder);

struct Pressure {
  std::int64_t memory_available_bytes = 0;
  std::int64_t disk_available_bytes = 0, inodes_available = 0;
  std::int64_t pids_available = 0;
};
Result<Pressure> read_pressure(const std::string& state_folder);

}  // namespace keelson
