// open_tree and mount_setattr on sources; the standard lists.
#include "isolation/mounts.h"

#include <fcntl.h>
#include <linux/mount.h>

#include <algorithm>
#include <cerrno>

namespace keelson::isolation {
namespace {

std::uint64_t propagation_of(Propagation propagation) {
  switch (propagation) {
    case Propagation::FromNode:
      return MS_SLAVE;
    case Propagation::Both:
      return MS_SHARED;
    case Propagation::None:
      break;
  }
  return MS_PRIVATE;
}

Result<OpenedMount> open_mount(const MountSpec& spec, Kernel& kernel) {
  if (!spec.destination.starts_with('/') || spec.destination.size() > 4095) {
    return fail(Reason::Invalid, "mount at {}: want an absolute path", spec.destination);
  }
  const bool by_fd = spec.source_fd >= 0;
  Fd mount(kernel.copy_tree(by_fd ? spec.source_fd : AT_FDCWD, spec.source.c_str(),
                            AT_RECURSIVE | (by_fd ? AT_EMPTY_PATH : 0)));
  if (!mount) {
    return fail_errno(-mount.get(), "mount {} at {}", spec.source, spec.destination);
  }
  struct stat status {};
  int result = kernel.status(mount.get(), &status);
  if (result >= 0) {
    result = kernel.set_mount(mount.get(), {.propagation = propagation_of(spec.propagation)}, true);
  }
  // Mounts below it keep their own flags, as Kubernetes has it.
  const std::uint64_t flags =
      (spec.read_only ? MOUNT_ATTR_RDONLY : 0U) | (spec.no_exec ? MOUNT_ATTR_NOEXEC : 0U);
  if (result >= 0 && flags != 0) {
    result = kernel.set_mount(mount.get(), {.attr_set = flags}, false);
  }
  if (result < 0) return fail_errno(-result, "mount {} at {}", spec.source, spec.destination);
  return OpenedMount{spec.destination, std::move(mount), S_ISDIR(status.st_mode)};
}

long depth_of(const std::string& path) {
  long depth = 0;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    if (path[i] == '/' && path[i + 1] != '/') ++depth;
  }
  return depth;
}

}  // namespace

Result<std::vector<OpenedMount>> open_mounts(const std::vector<MountSpec>& mounts, Kernel& kernel) {
  std::vector<OpenedMount> opened;
  for (const auto& spec : mounts) {
    auto mount = open_mount(spec, kernel);
    if (!mount) return std::unexpected(mount.error());
    opened.push_back(std::move(*mount));
  }
  std::ranges::stable_sort(opened, {},
                           [](const OpenedMount& mount) { return depth_of(mount.destination); });
  return opened;
}

// Docker's and containerd's lists.
const std::vector<std::string>& standard_masked_paths() {
  static const std::vector<std::string> paths = {
      "/proc/asound",     "/proc/acpi",        "/proc/interrupts",
      "/proc/kcore",      "/proc/keys",        "/proc/latency_stats",
      "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
      "/proc/scsi",       "/sys/firmware",     "/sys/devices/virtual/powercap"};
  return paths;
}

const std::vector<std::string>& standard_read_only_paths() {
  static const std::vector<std::string> paths = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                                                 "/proc/sysrq-trigger"};
  return paths;
}

}  // namespace keelson::isolation
