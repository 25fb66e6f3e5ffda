// emptyDir, hostPath, and what is made of objects. Paths are kubelet's:
// UID/volumes/kubernetes.io~PLUGIN/NAME.
#include "nodeagent/volumes.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "api/proto/core/v1/pod.pb.h"
#include "api/quantity.h"
#include "base/fd.h"
#include "nodeagent/atomic_writer.h"

namespace keelson {
namespace {

namespace fs = std::filesystem;

std::optional<gid_t> group_of(const core::Pod& pod) {
  if (!pod.spec().securitycontext().has_fsgroup()) return std::nullopt;
  return static_cast<gid_t>(pod.spec().securitycontext().fsgroup());
}

Result<> make_folder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return fail(reason_of_errno(error.value()), "make {}: {}", path, error.message());
  return {};
}

bool is_mount_point(const std::string& path) {
  struct statx about {};
  return ::statx(AT_FDCWD, path.c_str(), AT_NO_AUTOMOUNT, 0, &about) == 0 &&
         (about.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

// Kubernetes makes an emptyDir writable for every user; with fsGroup new files inherit the group.
Result<> open_to_all(const std::string& path, std::optional<gid_t> group) {
  if (group && ::chown(path.c_str(), static_cast<uid_t>(-1), *group) != 0) {
    return fail_errno(errno, "give {} to group {}", path, *group);
  }
  if (::chmod(path.c_str(), group ? 02777 : 0777) != 0) return fail_errno(errno, "chmod {}", path);
  return {};
}

Result<> mount_tmpfs(const std::string& path, const core::EmptyDirVolumeSource& source) {
  if (is_mount_point(path)) return {};
  std::string options = "mode=0777";
  if (source.has_sizelimit()) {
    options += fmt::format(",size={}", Quantity::of(source.sizelimit()).value());
  }
  if (::mount("tmpfs", path.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, options.c_str()) != 0) {
    return fail_errno(errno, "mount tmpfs on {}", path);
  }
  return {};
}

struct HostPathType {
  const char* name;
  mode_t kind;  // S_IFDIR …
  bool create;
  const char* what;
};
constexpr HostPathType host_path_types[] = {
    {"DirectoryOrCreate", S_IFDIR, true, "directory"},
    {"Directory", S_IFDIR, false, "directory"},
    {"FileOrCreate", S_IFREG, true, "file"},
    {"File", S_IFREG, false, "file"},
    {"Socket", S_IFSOCK, false, "socket file"},
    {"CharDevice", S_IFCHR, false, "character device"},
    {"BlockDevice", S_IFBLK, false, "block device"},
};

Result<> create(const std::string& path, const HostPathType& type) {
  if (type.kind == S_IFDIR) return make_folder(path);
  const Fd fd(::open(path.c_str(), O_CREAT | O_CLOEXEC | O_RDWR, 0644));
  if (!fd) return fail_errno(errno, "create {}", path);
  return {};
}

Result<std::string> host_path(const core::HostPathVolumeSource& source) {
  const std::string& path = source.path();
  for (const HostPathType& type : host_path_types) {
    if (source.type() != type.name) continue;
    struct stat about {};
    bool exists = ::stat(path.c_str(), &about) == 0;
    if (!exists && type.create) {
      if (auto made = create(path, type); !made) return std::unexpected(made.error());
      exists = ::stat(path.c_str(), &about) == 0;
    }
    if (!exists || (about.st_mode & S_IFMT) != type.kind) {
      return fail(Reason::Invalid, "hostPath type check failed: {} is not a {}", path, type.what);
    }
    return path;
  }
  // No type: no check, but a mount needs something to mount.
  std::error_code error;
  if (!fs::exists(path, error)) {
    if (auto made = make_folder(path); !made) return std::unexpected(made.error());
  }
  return path;
}

}  // namespace

PodVolumes::PodVolumes(std::string disk, std::string memory, const View& view)
    : disk_(std::move(disk)), memory_(std::move(memory)), view_(view) {}

std::string PodVolumes::folder_of(const std::string& root, const core::Pod& pod, const char* plugin,
                                  const std::string& volume) const {
  return fmt::format("{}/{}/volumes/kubernetes.io~{}/{}", root, pod.metadata().uid(), plugin,
                     volume);
}

Result<std::string> PodVolumes::set_up_one(const core::Pod& pod, const core::Volume& volume,
                                           const PodPlace& place, WallTime now) {
  const auto& source = volume.volumesource();
  if (source.has_hostpath()) return host_path(source.hostpath());
  if (source.has_emptydir()) {
    const bool memory = source.emptydir().medium() == "Memory";
    const std::string path = folder_of(memory ? memory_ : disk_, pod, "empty-dir", volume.name());
    std::error_code error;
    if (fs::exists(path, error) && (!memory || is_mount_point(path))) return path;
    auto made = make_folder(path);
    if (made && memory) made = mount_tmpfs(path, source.emptydir());
    if (made) made = open_to_all(path, group_of(pod));
    if (!made) return std::unexpected(made.error());
    return path;
  }
  if (is_made_of_objects(volume)) {
    auto files = volume_files(pod, volume, place, view_);
    if (!files) return std::unexpected(files.error());
    const std::string path = folder_of(memory_, pod, "projected", volume.name());
    auto made = make_folder(path);
    if (made) made = write_atomically(path, *files, group_of(pod), now);
    if (!made) return std::unexpected(made.error());
    return path;
  }
  return fail(Reason::Invalid,
              "its source is not supported by keelson yet (supported: emptyDir, hostPath, "
              "configMap, secret, downwardAPI, projected)");
}

Result<std::map<std::string, std::string>> PodVolumes::set_up(const core::Pod& pod,
                                                              const PodPlace& place, WallTime now) {
  std::map<std::string, std::string> paths;
  for (const auto& volume : pod.spec().volumes()) {
    auto path = set_up_one(pod, volume, place, now);
    if (!path)
      return path.error().during("MountVolume.SetUp failed for volume \"{}\" ", volume.name());
    paths[volume.name()] = std::move(*path);
  }
  return paths;
}

Result<> PodVolumes::tear_down(const std::string& pod_uid) {
  if (pod_uid.empty() || pod_uid.find('/') != std::string::npos) {
    return fail(Reason::Invalid, "\"{}\" is no pod uid", pod_uid);
  }
  std::error_code error;
  const std::string memory = memory_ + "/" + pod_uid;
  const std::string empty_dirs = memory + "/volumes/kubernetes.io~empty-dir";
  for (const auto& entry : fs::directory_iterator(empty_dirs, error)) {
    if (is_mount_point(entry.path()) && ::umount2(entry.path().c_str(), MNT_DETACH) != 0) {
      return fail_errno(errno, "unmount {}", entry.path().string());
    }
  }
  for (const std::string& folder : {memory, disk_ + "/" + pod_uid}) {
    fs::remove_all(folder, error);
    if (error) return fail(Reason::InternalError, "remove {}: {}", folder, error.message());
  }
  return {};
}

}  // namespace keelson
