// /dev: a tmpfs with the usual nodes, those the container was given, its terminals, and the shared
// memory of its sandbox.
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <cstring>
#include <initializer_list>

#include "isolation/spawner/inside.h"
#include "isolation/spawner/inside_mount.h"

namespace keelson::isolation {
namespace {

struct DevNode {
  const char* name;
  unsigned major, minor;
};
constexpr DevNode dev_nodes[] = {{"null", 1, 3},   {"zero", 1, 5},    {"full", 1, 7},
                                 {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}};

struct DevLink {
  const char *name, *target;
};
constexpr DevLink dev_links[] = {{"fd", "/proc/self/fd"},       {"stdin", "/proc/self/fd/0"},
                                 {"stdout", "/proc/self/fd/1"}, {"stderr", "/proc/self/fd/2"},
                                 {"ptmx", "pts/ptmx"},          {"core", "/proc/kcore"}};

constexpr std::uint32_t tty_group = 5;  // Debian's, and what runtimes use

// "snd/timer": makes snd, and takes over what is there. The tree is ours alone still.
int make_device(Inside& inside, const wire::Device& device) {
  const char* name = text_of(inside.spec, device.name);
  note(inside, name);
  char folder[256];
  for (const char* slash = strchr(name, '/'); slash != nullptr; slash = strchr(slash + 1, '/')) {
    const auto size = static_cast<std::size_t>(slash - name);
    memcpy(folder, name, size);
    folder[size] = 0;
    const int made = inside.kernel.make_folder(inside.dev, folder, 0755);
    if (made < 0 && made != -EEXIST) return made;
  }
  const int made = inside.kernel.make_node(inside.dev, name, device.mode, device.number);
  if (made == -EEXIST) return 0;
  if (made < 0 || (device.uid == 0 && device.gid == 0)) return made;
  const int fd = inside.kernel.open_in(inside.dev, name,
                                       {.flags = O_PATH | O_NOFOLLOW, .resolve = RESOLVE_BENEATH});
  return fd < 0 ? fd : inside.kernel.give(fd, device.uid, device.gid);
}

int make_nodes(Inside& inside) {
  for (const DevNode& node : dev_nodes) {
    note(inside, node.name);
    const int made = inside.kernel.make_node(inside.dev, node.name, S_IFCHR | 0666,
                                             makedev(node.major, node.minor));
    if (made < 0) return made;
  }
  const auto* devices = elements_of<wire::Device>(inside.spec, inside.spec->devices);
  for (std::uint32_t i = 0; i < inside.spec->devices.count; ++i) {
    const int made = make_device(inside, devices[i]);
    if (made < 0) return made;
  }
  return 0;
}

int make_links_and_folders(Inside& inside) {
  for (const DevLink& link : dev_links) {
    note(inside, link.name);
    const int made = inside.kernel.make_symlink(link.target, inside.dev, link.name);
    if (made < 0) return made;
  }
  for (const char* folder : {"pts", "shm", "mqueue"}) {
    note(inside, folder);
    const int made = inside.kernel.make_folder(inside.dev, folder, 0755);
    if (made < 0 && made != -EEXIST) return made;
  }
  return 0;
}

int mount_shm(Inside& inside) {
  const int given = inside.spec->shm_fd;
  const int shm = given >= 0 ? inside.fds[given]
                             : new_mount(inside.kernel, "tmpfs", safe_mount,
                                         {FsOption{"mode", "1777"}, FsOption{"size", "65536k"}});
  return attach_at(inside, shm, inside.dev, "shm");
}

int mount_mqueue(Inside& inside) {
  const int mqueue = new_mount(inside.kernel, "mqueue", safe_mount);
  return mqueue == -ENODEV ? 0 : attach_at(inside, mqueue, inside.dev, "mqueue");
}

// The process's end becomes its stdio, the other goes to the spawner.
int use_terminal(Inside& inside, int pts) {
  Kernel& kernel = inside.kernel;
  const int master = kernel.open_terminal(pts);
  if (master < 0) return master;
  inside.slave = kernel.peer_of_terminal(master);
  if (inside.slave < 0) return inside.slave;
  int result = kernel.resize(master, inside.rows, inside.columns);
  if (result >= 0) result = kernel.give(inside.slave, inside.process->uid, tty_group);
  if (result >= 0) result = kernel.control_terminal(inside.slave);
  if (result < 0) return result;
  for (int& end : inside.stdio) end = inside.slave;
  const InsideReport report{wire::Step::Terminal, 0, {}};
  return kernel.send_fd(inside.report, &report, sizeof report, master);
}

}  // namespace

int make_dev(Inside& inside) {
  inside.dev = new_mount(inside.kernel, "tmpfs", MOUNT_ATTR_NOSUID | MOUNT_ATTR_STRICTATIME,
                         {FsOption{"mode", "755"}, FsOption{"size", "65536k"}});
  int result = attach_standard(inside, inside.dev, "dev");
  if (result >= 0) result = make_nodes(inside);
  if (result >= 0) result = make_links_and_folders(inside);
  if (result < 0) return result;
  inside.pts = new_mount(inside.kernel, "devpts", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
                         {FsOption{"newinstance"}, FsOption{"ptmxmode", "0666"},
                          FsOption{"mode", "0620"}, FsOption{"gid", "5"}});
  result = attach_at(inside, inside.pts, inside.dev, "pts");
  if (result >= 0) result = mount_shm(inside);
  return result < 0 ? result : mount_mqueue(inside);
}

int make_terminal(Inside& inside) {
  if (!inside.terminal) return 0;
  note(inside, "console");
  const int result = use_terminal(inside, inside.pts);
  if (result < 0) return result;
  // The slave itself is bound, not what /dev/pts/N names: nothing can take its place.
  const int made = inside.kernel.make_node(inside.dev, "console", S_IFREG | 0600, 0);
  if (made < 0) return made;
  return attach_at(inside, inside.kernel.copy_tree(inside.slave, "", AT_EMPTY_PATH), inside.dev,
                   "console");
}

// exec: the container may have put anything at /dev/pts; only a devpts will do.
int find_terminal(Inside& inside) {
  if (!inside.terminal) return 0;
  note(inside, "/dev/pts");
  const int pts = inside.kernel.open_in(
      inside.root, "/dev/pts",
      {.flags = O_PATH | O_DIRECTORY, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS});
  if (pts < 0) return pts;
  const long type = inside.kernel.file_system(pts);
  if (type < 0) return static_cast<int>(type);
  return type == DEVPTS_SUPER_MAGIC ? use_terminal(inside, pts) : -ENOTTY;
}

}  // namespace keelson::isolation
