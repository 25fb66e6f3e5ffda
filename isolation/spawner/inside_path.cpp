// Opening and making places inside the container's tree, whatever links its image holds.
#include <fcntl.h>
#include <linux/openat2.h>

#include <cerrno>
#include <climits>
#include <cstring>

#include "isolation/spawner/inside.h"

namespace keelson::isolation {
namespace {

constexpr std::uint64_t in_root = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
constexpr int links_max = 40;  // the kernel's own

// The folder one walks in, closed when one goes on.
class Walk {
 public:
  explicit Walk(Inside& inside) : inside_(inside), at_(inside.root) {}
  ~Walk() { leave(); }
  Walk(const Walk&) = delete;
  Walk& operator=(const Walk&) = delete;

  int at() const { return at_; }
  void enter(int folder) {
    leave();
    at_ = folder;
  }

 private:
  void leave() const {
    if (at_ != inside_.root) inside_.kernel.close(at_);
  }
  Inside& inside_;
  int at_;
};

int make_file(Kernel& kernel, int folder, const char* name) {
  const int fd = kernel.open_in(folder, name,
                                {.flags = O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW,
                                 .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
                                 .mode = 0644});
  if (fd < 0) return fd;
  kernel.close(fd);
  return 0;
}

// path is PREFIX/LINK/REST, cut after LINK, which leads nowhere yet: path becomes where it would
// lead, with REST. prefix_size: of PREFIX; rest: null at the end.
int follow_link(Inside& inside, int folder, char* path, std::size_t prefix_size, const char* rest) {
  char target[PATH_MAX];
  char next[PATH_MAX];
  const long size = inside.kernel.read_link(folder, path + prefix_size, target, sizeof target - 1);
  if (size < 0) return static_cast<int>(size);
  target[size] = 0;
  std::size_t used = target[0] == '/' ? 0 : prefix_size;
  const std::size_t rest_size = rest == nullptr ? 0 : strlen(rest) + 1;
  if (used + static_cast<std::size_t>(size) + rest_size >= sizeof next) return -ENAMETOOLONG;
  memcpy(next, path, used);
  memcpy(next + used, target, static_cast<std::size_t>(size));
  used += static_cast<std::size_t>(size);
  if (rest != nullptr) {
    next[used] = '/';
    memcpy(next + used + 1, rest, rest_size - 1);
    used += rest_size;
  }
  memcpy(path, next, used);
  path[used] = 0;
  return -EAGAIN;
}

// Makes what is missing of the path, part by part. -EAGAIN: it has become another path.
int make_parts(Inside& inside, char* path, bool is_folder) {
  Kernel& kernel = inside.kernel;
  Walk walk(inside);
  char* part = path;
  while (*part == '/') ++part;
  while (*part != 0) {
    char* end = strchrnul(part, '/');
    char* rest = end;
    while (*rest == '/') ++rest;
    const bool is_last = *rest == 0;
    *end = 0;
    const bool wants_folder = !is_last || is_folder;
    const OpenIn how{.flags = O_PATH | (wants_folder ? O_DIRECTORY : 0), .resolve = in_root};
    int fd = kernel.open_in(inside.root, path, how);
    if (fd == -ENOENT) {
      const int made = wants_folder ? kernel.make_folder(walk.at(), part, 0755)
                                    : make_file(kernel, walk.at(), part);
      if (made == -EEXIST) {
        return follow_link(inside, walk.at(), path, static_cast<std::size_t>(part - path),
                           is_last ? nullptr : rest);
      }
      if (made < 0) return made;
      fd = kernel.open_in(inside.root, path, how);
    }
    if (fd < 0) return fd;
    if (is_last) return fd;
    walk.enter(fd);
    *end = '/';
    part = rest;
  }
  return kernel.open_in(inside.root, "/", {.flags = O_PATH | O_DIRECTORY, .resolve = in_root});
}

}  // namespace

int open_place(Inside& inside, const char* path, bool is_folder) {
  note(inside, path);
  const OpenIn how{.flags = O_PATH | (is_folder ? O_DIRECTORY : 0), .resolve = in_root};
  int fd = inside.kernel.open_in(inside.root, path, how);
  if (fd != -ENOENT) return fd;
  char buffer[PATH_MAX];
  const std::size_t size = strlen(path);
  if (size >= sizeof buffer) return -ENAMETOOLONG;
  memcpy(buffer, path, size + 1);
  fd = -EAGAIN;
  for (int links = 0; fd == -EAGAIN && links < links_max; ++links) {
    fd = make_parts(inside, buffer, is_folder);
  }
  return fd == -EAGAIN ? -ELOOP : fd;
}

}  // namespace keelson::isolation
