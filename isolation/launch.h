// Starts keelson-spawner: the program lies in this binary and is executed from a sealed memfd.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"

namespace keelson::isolation {

struct SpawnerOptions {
  std::string socket_path = "/run/keelson/spawner.sock";
  std::string state_folder = "/run/keelson/spawner";  // a tmpfs; survives the spawner
  std::string log_root = "/var/log/pods";
};

// Its program, sealed: nobody, not even root in a container, can change what runs.
Result<Fd> spawner_program();
std::vector<std::string> spawner_arguments(const SpawnerOptions& options);
// Replaces this process by the spawner; returns only on error. For supervisors' children
// (`keelson spawner`, lab-init after its fork). SIGTERM ends it; containers go on.
std::unexpected<Error> exec_spawner(const SpawnerOptions& options);

}  // namespace keelson::isolation
