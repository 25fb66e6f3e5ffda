// Delegating a group and making it the root of what we see.
#include "isolation/cgroup_delegate.h"

#include <sched.h>
#include <sys/mount.h>

#include <cerrno>

#include "isolation/cgroup_files.h"
#include "isolation/cgroup_mounts.h"

namespace keelson::isolation {
namespace {

Result<std::string> unified_mount() {
  auto hierarchies = cgroup_hierarchies();
  if (!hierarchies) return std::unexpected(hierarchies.error());
  for (const auto& hierarchy : *hierarchies) {
    if (hierarchy.is_v2) return hierarchy.mount;
  }
  return fail(Reason::NotFound, "no cgroup2 is mounted");
}

}  // namespace

Result<> delegate_cgroup(const std::string& folder) {
  auto mount = unified_mount();
  if (!mount) return std::unexpected(mount.error());
  if (!folder.starts_with(*mount + "/")) {
    return fail(Reason::Invalid, "{}: is not below {}", folder, *mount);
  }
  auto made = make_folders(*mount, folder.substr(mount->size() + 1));
  if (made) made = write_file(folder + "/cgroup.subtree_control", "+cpu +memory +pids");
  return made ? made : made.error().during("delegate {}", folder);
}

Result<> enter_cgroup(const std::string& folder) {
  auto place = unified_mount();
  if (!place) return std::unexpected(place.error());
  auto moved = make_folders(folder, "agent");
  if (moved) moved = write_file(folder + "/agent/cgroup.procs", "0");
  if (!moved) return moved.error().during("enter {}", folder);
  if (unshare(CLONE_NEWNS) < 0) return fail_errno(errno, "make a mount namespace");
  if (mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) < 0) {
    return fail_errno(errno, "keep our mounts to ourselves");
  }
  if (mount(folder.c_str(), place->c_str(), nullptr, MS_BIND, nullptr) < 0) {
    return fail_errno(errno, "mount {} at {}", folder, *place);
  }
  return {};
}

}  // namespace keelson::isolation
