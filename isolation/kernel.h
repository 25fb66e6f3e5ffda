// The seam to Linux: every call that makes a container. Unit tests put a recording kernel here that
// checks the order of calls and fails the n-th.
//
// Each returns what the system call does, or -errno. Nothing allocates: most are called in a child
// between clone and exec. Files are opened close-on-exec.
#pragma once

#include <linux/mount.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>

struct sock_fprog;

namespace keelson::isolation {

struct OpenIn {
  int flags = 0;  // O_PATH, O_DIRECTORY …; O_CLOEXEC is added
  std::uint64_t resolve = 0;
  std::uint32_t mode = 0;
};

struct CloneFlags {
  std::uint64_t flags = 0;
  int cgroup_fd = -1;              // cgroup2 folder to be born in
  std::int32_t* pid_at = nullptr;  // written before the child runs
  int* pidfd_at = nullptr;
};

struct Identity {
  std::uint32_t uid = 0, gid = 0;
  const std::uint32_t* groups = nullptr;
  std::uint32_t group_count = 0;
};

struct CapabilitySets {
  std::uint64_t permitted = 0, inheritable = 0;  // effective is permitted
};

class Kernel {
 public:
  // files
  virtual int open_in(int folder, const char* path, const OpenIn& how) = 0;  // openat2
  virtual int make_folder(int folder, const char* name, unsigned mode) = 0;
  virtual int make_node(int folder, const char* name, unsigned mode, std::uint64_t device) = 0;
  virtual int make_symlink(const char* target, int folder, const char* name) = 0;
  virtual int give(int fd, std::uint32_t uid, std::uint32_t gid) = 0;  // fchown
  virtual long read_link(int folder, const char* name, char* buffer, std::size_t size) = 0;
  virtual int status(int fd, struct stat* out) = 0;
  virtual long file_system(int fd) = 0;  // its magic number
  virtual long read(int fd, void* buffer, std::size_t size) = 0;
  virtual long write(int fd, const void* bytes, std::size_t size) = 0;
  virtual int close(int fd) = 0;
  virtual int place(int fd, int number) = 0;  // dup2, not close-on-exec
  // mounts
  virtual int fs_open(const char* type) = 0;
  virtual int fs_set(int context, const char* key, const char* value) = 0;  // null value: a flag
  virtual int fs_create(int context) = 0;
  virtual int fs_mount(int context, unsigned attributes) = 0;
  virtual int copy_tree(int folder, const char* path, unsigned flags) = 0;  // open_tree, detached
  virtual int attach(int mount, int place) = 0;                             // move_mount
  virtual int set_mount(int mount, const mount_attr& attributes, bool recursive) = 0;
  virtual int set_all_mounts(const mount_attr& attributes) = 0;  // of this mount namespace
  virtual int pivot(int new_root) = 0;  // and nothing is left of the old one; folder: the new root
  // processes
  virtual int clone(const CloneFlags& how) = 0;
  virtual int join(int fd, int types) = 0;  // setns
  virtual int leave(int types) = 0;         // unshare
  virtual int enter_folder(int fd) = 0;     // fchdir
  // A session and a keyring of its own, default signal handlers, nothing blocked.
  virtual int start_session() = 0;
  virtual int set_umask(unsigned mask) = 0;
  virtual int limit(int resource, std::uint64_t soft, std::uint64_t hard) = 0;
  virtual int become(const Identity& identity) = 0;  // keeps capabilities
  virtual int bound_capabilities(std::uint64_t bounding) = 0;
  virtual int set_capabilities(const CapabilitySets& sets, std::uint64_t ambient) = 0;
  virtual int forbid_new_privileges() = 0;
  virtual int filter(const sock_fprog& program) = 0;
  virtual int set_host_name(const char* name) = 0;
  virtual int close_on_exec_from(int first) = 0;
  virtual int is_executable(const char* path) = 0;  // 0, or why not
  virtual int execute(const char* path, char* const* argv, char* const* env) = 0;
  // terminals
  virtual int open_terminal(int pts_folder) = 0;  // a new master, unlocked
  virtual int peer_of_terminal(int master) = 0;   // its slave
  virtual int control_terminal(int slave) = 0;    // becomes the session's
  virtual int resize(int master, std::uint16_t rows, std::uint16_t columns) = 0;
  virtual int send_fd(int socket, const void* bytes, std::size_t size, int fd) = 0;

 protected:
  ~Kernel() = default;
};

Kernel& linux_kernel();

}  // namespace keelson::isolation
