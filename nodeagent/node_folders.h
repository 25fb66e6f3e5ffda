// Where the node keeps what belongs to pods: one place for all names of files and groups.
#pragma once

#include <fmt/core.h>

#include <string>
#include <string_view>

namespace keelson {

struct NodeFolders {
  std::string state = "/var/lib/keelson";
  std::string run = "/run/keelson";    // a tmpfs
  std::string logs = "/var/log/pods";  // the spawner's log root
  std::string images = "/var/lib/keelson/images";

  std::string pods() const { return state + "/pods"; }  // volumes on disk: UID/volumes
  std::string pod(std::string_view uid) const { return fmt::format("{}/pods/{}", state, uid); }
  std::string pod_memory() const { return run + "/pods"; }  // volumes that must not reach a disk
  std::string sandbox(std::string_view uid) const {
    return fmt::format("{}/pods/{}/sandbox", run, uid);
  }
  std::string attempt(std::string_view uid, std::string_view container, int attempt) const {
    return fmt::format("{}/pods/{}/containers/{}/{}", state, uid, container, attempt);
  }
};

inline std::string pod_cgroup(std::string_view uid) {
  return fmt::format("pods/{}", uid);
}
inline std::string container_cgroup(std::string_view uid, std::string_view container, int attempt) {
  return fmt::format("pods/{}/{}-{}", uid, container, attempt);
}

// kubelet's: NAMESPACE_NAME_UID/CONTAINER/ATTEMPT.log below the log root. A long name is cut so
// that the folder's is one that file systems take; the uid tells pods apart.
inline std::string pod_log_folder(std::string_view name_space, std::string_view name,
                                  std::string_view uid) {
  return fmt::format("{}_{}_{}", name_space, name.substr(0, 150), uid);
}

}  // namespace keelson
