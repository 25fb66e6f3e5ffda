// What of the node a container must not see or change: its cgroups by a view of their own, masked
// and read-only paths, a read-only root.
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <cstring>

#include "isolation/spawner/inside.h"
#include "isolation/spawner/inside_mount.h"

namespace keelson::isolation {
namespace {

constexpr unsigned hidden_mount = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
constexpr const char* cgroup_folder = "sys/fs/cgroup";

// "cpu,cpuacct" or "name=systemd": a hierarchy of cgroup v1.
int new_hierarchy(Inside& inside, const char* options, unsigned attributes) {
  char copy[256];
  FsOption list[16];
  int count = 0;
  const std::size_t size = strnlen(options, sizeof copy - 1);
  memcpy(copy, options, size);
  copy[size] = 0;
  for (char* at = copy; at != nullptr && *at != 0 && count < 16;) {
    char* comma = strchr(at, ',');
    if (comma != nullptr) *comma = 0;
    char* value = strchr(at, '=');
    if (value != nullptr) *value++ = 0;
    list[count++] = {at, value};
    at = comma == nullptr ? nullptr : comma + 1;
  }
  return new_mount(inside.kernel, "cgroup", attributes, list, count);
}

int mount_hierarchies(Inside& inside, unsigned attributes) {
  Kernel& kernel = inside.kernel;
  const int folders = new_mount(kernel, "tmpfs", safe_mount, {FsOption{"mode", "755"}});
  int result = attach_standard(inside, folders, cgroup_folder);
  const auto* mounts = elements_of<wire::CgroupMount>(inside.spec, inside.spec->cgroup_mounts);
  for (std::uint32_t i = 0; i < inside.spec->cgroup_mounts.count && result >= 0; ++i) {
    const char* folder = text_of(inside.spec, mounts[i].folder);
    const char* options = text_of(inside.spec, mounts[i].options);
    note(inside, folder);
    result = kernel.make_folder(folders, folder, 0755);
    if (result < 0) return result;
    const int mount = options[0] == 0 ? new_mount(kernel, "cgroup2", attributes)
                                      : new_hierarchy(inside, options, attributes);
    result = attach_at(inside, mount, folders, folder);
  }
  if (result < 0) return result;
  return kernel.set_mount(folders, {.attr_set = MOUNT_ATTR_RDONLY}, false);
}

// Sources of the spawner's own: never the image's /dev/null, which may be anything.
int mask_source(Inside& inside, bool is_folder) {
  Kernel& kernel = inside.kernel;
  const int mount = kernel.copy_tree(AT_FDCWD, is_folder ? "/empty" : "/null", 0);
  if (mount < 0) return mount;
  struct stat status {};
  int result = kernel.status(mount, &status);
  if (result < 0) return result;
  if (!is_folder && (!S_ISCHR(status.st_mode) || status.st_rdev != makedev(1, 3))) return -ENODEV;
  result = kernel.set_mount(mount, {.attr_set = hidden_mount}, false);
  return result < 0 ? result : mount;
}

// An O_PATH fd of what may be missing: then -ENOENT.
int open_hidden(Inside& inside, const char* path) {
  note(inside, path);
  return inside.kernel.open_in(
      inside.root, path,
      {.flags = O_PATH, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS});
}

int mask(Inside& inside, const char* path) {
  const int place = open_hidden(inside, path);
  if (place == -ENOENT) return 0;
  if (place < 0) return place;
  struct stat status {};
  int result = inside.kernel.status(place, &status);
  if (result < 0) return result;
  const int mount = mask_source(inside, S_ISDIR(status.st_mode));
  result = mount < 0 ? mount : inside.kernel.attach(mount, place);
  inside.kernel.close(place);
  return result;
}

int protect(Inside& inside, const char* path) {
  const int place = open_hidden(inside, path);
  if (place == -ENOENT) return 0;
  if (place < 0) return place;
  const int mount = inside.kernel.copy_tree(place, "", AT_EMPTY_PATH | AT_RECURSIVE);
  if (mount < 0) return mount;
  int result = inside.kernel.set_mount(mount, {.attr_set = MOUNT_ATTR_RDONLY}, true);
  if (result >= 0) result = inside.kernel.attach(mount, place);
  inside.kernel.close(place);
  return result;
}

int for_each(Inside& inside, wire::TextList paths, int (*each)(Inside&, const char*)) {
  char* const* path = array_of(inside.spec, paths);
  for (; *path != nullptr; ++path) {
    const int result = each(inside, *path);
    if (result < 0) return result;
  }
  return 0;
}

}  // namespace

int new_mount(Kernel& kernel, const char* type, unsigned attributes, const FsOption* options,
              int option_count) {
  const int context = kernel.fs_open(type);
  if (context < 0) return context;
  int result = 0;
  for (int i = 0; i < option_count && result >= 0; ++i) {
    result = kernel.fs_set(context, options[i].key, options[i].value);
  }
  if (result >= 0) result = kernel.fs_create(context);
  if (result >= 0) result = kernel.fs_mount(context, attributes);
  kernel.close(context);
  return result;
}

int mount_cgroups(Inside& inside) {
  const wire::List mounts = inside.spec->cgroup_mounts;
  const int left = inside.kernel.leave(CLONE_NEWCGROUP);
  if (left < 0 || mounts.count == 0) return left;
  const unsigned attributes = safe_mount | (inside.spec->sys_writable != 0 ? 0 : MOUNT_ATTR_RDONLY);
  const auto* first = elements_of<wire::CgroupMount>(inside.spec, mounts);
  if (text_of(inside.spec, first->folder)[0] != 0) return mount_hierarchies(inside, attributes);
  return attach_standard(inside, new_mount(inside.kernel, "cgroup2", attributes), cgroup_folder);
}

int mask_paths(Inside& inside) {
  return for_each(inside, inside.spec->masked, mask);
}

int make_read_only(Inside& inside) {
  const int result = for_each(inside, inside.spec->read_only, protect);
  if (result < 0 || inside.spec->root_read_only == 0) return result;
  note(inside, "/");
  return inside.kernel.set_mount(inside.root, {.attr_set = MOUNT_ATTR_RDONLY}, false);
}

}  // namespace keelson::isolation
