// The Kernel that is Linux: one system call, or the fixed sequence that is one step to its caller.
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "isolation/fd_message.h"
#include "isolation/kernel.h"

namespace keelson::isolation {
namespace {

int checked(long result) {
  return result < 0 ? -errno : static_cast<int>(result);
}

constexpr std::uint32_t low(std::uint64_t bits) {
  return static_cast<std::uint32_t>(bits);
}
constexpr std::uint32_t high(std::uint64_t bits) {
  return static_cast<std::uint32_t>(bits >> 32);
}

class LinuxKernel final : public Kernel {
 public:
  int open_in(int folder, const char* path, const OpenIn& how) override {
    open_how arguments{};
    arguments.flags = static_cast<std::uint64_t>(how.flags | O_CLOEXEC);
    arguments.mode = how.mode;
    arguments.resolve = how.resolve;
    return checked(syscall(SYS_openat2, folder, path, &arguments, sizeof arguments));
  }
  int make_folder(int folder, const char* name, unsigned mode) override {
    return checked(mkdirat(folder, name, mode));
  }
  int make_node(int folder, const char* name, unsigned mode, std::uint64_t device) override {
    return checked(mknodat(folder, name, mode, device));
  }
  int make_symlink(const char* target, int folder, const char* name) override {
    return checked(symlinkat(target, folder, name));
  }
  int give(int fd, std::uint32_t uid, std::uint32_t gid) override {
    return checked(fchownat(fd, "", uid, gid, AT_EMPTY_PATH));
  }
  long read_link(int folder, const char* name, char* buffer, std::size_t size) override {
    const long got = readlinkat(folder, name, buffer, size);
    return got < 0 ? -errno : got;
  }
  int status(int fd, struct stat* out) override { return checked(fstat(fd, out)); }
  long file_system(int fd) override {
    struct statfs out {};
    if (fstatfs(fd, &out) < 0) return -errno;
    return out.f_type;
  }
  long read(int fd, void* buffer, std::size_t size) override {
    const long got = ::read(fd, buffer, size);
    return got < 0 ? -errno : got;
  }
  long write(int fd, const void* bytes, std::size_t size) override {
    const long put = ::write(fd, bytes, size);
    return put < 0 ? -errno : put;
  }
  int close(int fd) override { return checked(::close(fd)); }
  int place(int fd, int number) override {
    if (fd == number) return checked(fcntl(fd, F_SETFD, 0));
    return checked(dup2(fd, number));
  }

  int fs_open(const char* type) override {
    return checked(syscall(SYS_fsopen, type, FSOPEN_CLOEXEC));
  }
  int fs_set(int context, const char* key, const char* value) override {
    const int command = value == nullptr ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING;
    return checked(syscall(SYS_fsconfig, context, command, key, value, 0));
  }
  int fs_create(int context) override {
    return checked(syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0));
  }
  int fs_mount(int context, unsigned attributes) override {
    return checked(syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, attributes));
  }
  int copy_tree(int folder, const char* path, unsigned flags) override {
    return checked(
        syscall(SYS_open_tree, folder, path, flags | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  }
  int attach(int mount, int place_fd) override {
    return checked(syscall(SYS_move_mount, mount, "", place_fd, "",
                           MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
  }
  int set_mount(int mount, const mount_attr& attributes, bool recursive) override {
    const unsigned flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
    return checked(syscall(SYS_mount_setattr, mount, "", flags, &attributes, sizeof attributes));
  }
  int set_all_mounts(const mount_attr& attributes) override {
    return checked(
        syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &attributes, sizeof attributes));
  }
  // pivot_root(".", ".") puts the old root over the new one, from where it is taken off: no folder
  // is needed for it.
  int pivot(int new_root) override {
    if (fchdir(new_root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0) return -errno;
    if (umount2(".", MNT_DETACH) < 0) return -errno;
    return checked(chdir("/"));
  }

  int clone(const CloneFlags& how) override {
    clone_args arguments{};
    arguments.flags = how.flags;
    arguments.exit_signal = SIGCHLD;
    if (how.pid_at != nullptr) {
      arguments.flags |= CLONE_PARENT_SETTID;
      arguments.parent_tid = reinterpret_cast<std::uint64_t>(how.pid_at);
    }
    if (how.pidfd_at != nullptr) {
      arguments.flags |= CLONE_PIDFD;
      arguments.pidfd = reinterpret_cast<std::uint64_t>(how.pidfd_at);
    }
    if (how.cgroup_fd >= 0) {
      arguments.flags |= CLONE_INTO_CGROUP;
      arguments.cgroup = static_cast<std::uint64_t>(how.cgroup_fd);
    }
    return checked(syscall(SYS_clone3, &arguments, sizeof arguments));
  }
  int join(int fd, int types) override { return checked(setns(fd, types)); }
  int leave(int types) override { return checked(unshare(types)); }
  int enter_folder(int fd) override { return checked(fchdir(fd)); }
  int set_umask(unsigned mask) override { return checked(umask(mask)); }
  int start_session() override {
    if (setsid() < 0) return -errno;
    if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr) < 0 && errno != ENOSYS) {
      return -errno;
    }
    for (int number = 1; number < NSIG; ++number) {
      if (number != SIGKILL && number != SIGSTOP) signal(number, SIG_DFL);
    }
    sigset_t none;
    sigemptyset(&none);
    return checked(sigprocmask(SIG_SETMASK, &none, nullptr));
  }
  int limit(int resource, std::uint64_t soft, std::uint64_t hard) override {
    const struct rlimit64 bounds {
      soft, hard
    };
    return checked(syscall(SYS_prlimit64, 0, resource, &bounds, nullptr));
  }
  int become(const Identity& identity) override {
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0) return -errno;
    if (syscall(SYS_setgroups, identity.group_count, identity.groups) < 0) return -errno;
    if (syscall(SYS_setresgid, identity.gid, identity.gid, identity.gid) < 0) return -errno;
    if (syscall(SYS_setresuid, identity.uid, identity.uid, identity.uid) < 0) return -errno;
    return checked(prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0));
  }
  int bound_capabilities(std::uint64_t bounding) override {
    for (unsigned bit = 0; bit < 64; ++bit) {
      if ((bounding >> bit & 1) != 0) continue;
      if (prctl(PR_CAPBSET_DROP, bit, 0, 0, 0) == 0) continue;
      return errno == EINVAL ? 0 : -errno;  // EINVAL: beyond the last that this kernel has
    }
    return 0;
  }
  int set_capabilities(const CapabilitySets& sets, std::uint64_t ambient) override {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    const __user_cap_data_struct data[2] = {
        {low(sets.permitted), low(sets.permitted), low(sets.inheritable)},
        {high(sets.permitted), high(sets.permitted), high(sets.inheritable)}};
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0) return -errno;
    if (syscall(SYS_capset, &header, data) < 0) return -errno;
    for (unsigned bit = 0; bit < 64; ++bit) {
      if ((ambient >> bit & 1) == 0) continue;
      if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, bit, 0, 0) < 0) return -errno;
    }
    return 0;
  }
  int forbid_new_privileges() override { return checked(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)); }
  int filter(const sock_fprog& program) override {
    return checked(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
  }
  int set_host_name(const char* name) override { return checked(sethostname(name, strlen(name))); }
  int close_on_exec_from(int first) override {
    return checked(syscall(SYS_close_range, first, ~0U, CLOSE_RANGE_CLOEXEC));
  }
  int is_executable(const char* path) override {
    struct stat found {};
    if (stat(path, &found) < 0) return -errno;
    if (S_ISDIR(found.st_mode)) return -EISDIR;
    return checked(syscall(SYS_faccessat2, AT_FDCWD, path, X_OK, AT_EACCESS));
  }
  int execute(const char* path, char* const* argv, char* const* env) override {
    return checked(execve(path, argv, env));
  }

  int open_terminal(int pts_folder) override {
    const int master = openat(pts_folder, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (master < 0) return -errno;
    const int unlocked = 0;
    return ioctl(master, TIOCSPTLCK, &unlocked) < 0 ? -errno : master;
  }
  int peer_of_terminal(int master) override {
    return checked(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  }
  int control_terminal(int slave) override { return checked(ioctl(slave, TIOCSCTTY, 0)); }
  int resize(int master, std::uint16_t rows, std::uint16_t columns) override {
    const winsize size{rows, columns, 0, 0};
    return checked(ioctl(master, TIOCSWINSZ, &size));
  }
  int send_fd(int socket, const void* bytes, std::size_t size, int fd) override {
    return send_message(socket, bytes, size, &fd, 1);
  }
};

}  // namespace

Kernel& linux_kernel() {
  static LinuxKernel instance;  // it has no state
  return instance;
}

}  // namespace keelson::isolation
