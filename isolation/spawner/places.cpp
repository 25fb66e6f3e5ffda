// Opening folders, lock and socket; the small root.
#include "isolation/spawner/places.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace keelson::isolation {
namespace {

int open_folder(const char* path, unsigned mode) {
  if (mkdir(path, mode) < 0 && errno != EEXIST) return -errno;
  const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

int listen_at(const char* path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (strlen(path) >= sizeof address.sun_path) return -ENAMETOOLONG;
  strcpy(address.sun_path, path);
  const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -errno;
  unlink(path);
  const mode_t mask = umask(0177);
  const int bound = bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
  const int error_number = errno;
  umask(mask);
  if (bound < 0) return -error_number;
  return listen(fd, 64) < 0 ? -errno : fd;
}

// Many containers, several descriptors each: the soft limit is for programs that use select.
void raise_file_limit(Places& places) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return;
  places.files_soft = limit.rlim_cur;
  places.files_hard = limit.rlim_max;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int open_places(const Options& options, Places& places, const char** what) {
  raise_file_limit(places);
  *what = "the state folder";
  places.state_folder = open_folder(options.state_folder, 0700);
  if (places.state_folder < 0) return places.state_folder;
  *what = "the log root";
  places.log_root = open_folder(options.log_root, 0755);
  if (places.log_root < 0) return places.log_root;
  *what = "the lock";
  places.lock = openat(places.state_folder, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (places.lock < 0 || flock(places.lock, LOCK_EX) < 0) return -errno;
  *what = "the socket";
  places.listener = listen_at(options.socket_path);
  return places.listener < 0 ? places.listener : 0;
}

int slim_mounts(const Options& options, Places& places, const char** what) {
  *what = "a mount namespace";
  if (unshare(CLONE_NEWNS) < 0) return -errno;
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0) return -errno;
  *what = "a small root";
  // The state folder is only where it is put together: pivot_root makes it the root.
  const char* place = options.state_folder;
  if (mount("tmpfs", place, "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755,size=64k") < 0) {
    return -errno;
  }
  if (chdir(place) < 0) return -errno;
  for (const char* folder : {"root", "empty", "proc"}) {
    if (mkdir(folder, 0755) < 0) return -errno;
  }
  if (mknod("null", S_IFCHR | 0666, makedev(1, 3)) < 0) return -errno;
  if (mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) < 0) return -errno;
  if (syscall(SYS_pivot_root, ".", ".") < 0) return -errno;
  if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0) return -errno;
  *what = "what is in the small root";
  places.null = open("/null", O_RDWR | O_CLOEXEC);
  places.proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  places.pid_namespace = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
  return places.null < 0 || places.proc < 0 || places.pid_namespace < 0 ? -errno : 0;
}

}  // namespace keelson::isolation
