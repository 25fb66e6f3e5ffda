// The container's file tree: its root, /proc, /dev and /sys, the node's folders mounted into it,
// and the change into it. What is hidden or read-only is in inside_hide.cpp.
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sched.h>

#include <cerrno>
#include <cstring>

#include "isolation/spawner/inside.h"
#include "isolation/spawner/inside_mount.h"

namespace keelson::isolation {
namespace {

// A folder of a standard name in the image. A symbolic link in its place is refused: the image
// would say where its /proc goes.
int open_standard_folder(Inside& inside, const char* name) {
  Kernel& kernel = inside.kernel;
  const OpenIn how{.flags = O_PATH | O_DIRECTORY,
                   .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS};
  const int fd = kernel.open_in(inside.root, name, how);
  if (fd != -ENOENT) return fd;
  const int made = kernel.make_folder(inside.root, name, 0755);
  return made < 0 ? made : kernel.open_in(inside.root, name, how);
}

}  // namespace

int attach_standard(Inside& inside, int mount, const char* name) {
  note(inside, name);
  if (mount < 0) return mount;
  const int place = open_standard_folder(inside, name);
  return place < 0 ? place : inside.kernel.attach(mount, place);
}

int attach_at(Inside& inside, int mount, int folder, const char* name) {
  note(inside, name);
  if (mount < 0) return mount;
  const int place = inside.kernel.open_in(
      folder, name, {.flags = O_PATH, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS});
  return place < 0 ? place : inside.kernel.attach(mount, place);
}

int mount_root(Inside& inside) {
  Kernel& kernel = inside.kernel;
  const int made_private = kernel.set_all_mounts({.propagation = MS_PRIVATE});
  if (made_private < 0) return made_private;
  const int place = kernel.open_in(AT_FDCWD, "/root", {.flags = O_PATH | O_DIRECTORY});
  if (place < 0) return place;
  inside.root = inside.fds[inside.spec->root_fd];
  return kernel.attach(inside.root, place);
}

int mount_proc(Inside& inside) {
  inside.proc = new_mount(inside.kernel, "proc", safe_mount);
  return attach_standard(inside, inside.proc, "proc");
}

int mount_sys(Inside& inside) {
  const unsigned read_only = inside.spec->sys_writable != 0 ? 0 : MOUNT_ATTR_RDONLY;
  const int sys = new_mount(inside.kernel, "sysfs", safe_mount | read_only);
  return attach_standard(inside, sys, "sys");
}

int mount_volumes(Inside& inside) {
  const auto* mounts = elements_of<wire::Mount>(inside.spec, inside.spec->mounts);
  for (std::uint32_t i = 0; i < inside.spec->mounts.count; ++i) {
    const int place =
        open_place(inside, text_of(inside.spec, mounts[i].destination), mounts[i].is_folder != 0);
    if (place < 0) return place;
    // Over /proc and below it, a volume could show the container a /proc of its own making.
    if (inside.kernel.file_system(place) == PROC_SUPER_MAGIC) return -EPERM;
    const int result = inside.kernel.attach(inside.fds[mounts[i].fd], place);
    if (result < 0) return result;
    inside.kernel.close(place);
  }
  return 0;
}

int change_root(Inside& inside) {
  return inside.kernel.pivot(inside.root);
}

}  // namespace keelson::isolation
