// A small static program that looks around inside a container, for tests: probe WHAT…, one line
// each. What busybox cannot tell.
#include <dirent.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

void tell(const char* what, long result) {
  printf("%s %s\n", what, result >= 0 ? "allowed" : strerrorname_np(errno));
}

// "ids 1000 0 0": real, effective, saved.
void ids() {
  uid_t real = 0, effective = 0, saved = 0;
  getresuid(&real, &effective, &saved);
  printf("ids %u %u %u\n", real, effective, saved);
}

void fds() {
  printf("fds");
  for (int fd = 0; fd < 1024; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) printf(" %d", fd);
  }
  printf("\n");
}

void syscalls() {
  tell("fsopen", syscall(SYS_fsopen, "tmpfs", 0));
  tell("unshare-user", syscall(SYS_unshare, CLONE_NEWUSER));
  tell("clone-user", syscall(SYS_clone, CLONE_NEWUSER | 17, 0, 0, 0, 0));
  clone_args arguments{};
  arguments.flags = CLONE_NEWUSER;
  tell("clone3", syscall(SYS_clone3, &arguments, sizeof arguments));
  tell("bpf", syscall(SYS_bpf, BPF_MAP_CREATE, nullptr, 0));
  tell("kexec_load", syscall(SYS_kexec_load, 0, 0, nullptr, 0));
  tell("userfaultfd", syscall(SYS_userfaultfd, 0));
  tell("io_uring_setup", syscall(SYS_io_uring_setup, 1, nullptr));
  tell("keyctl", syscall(SYS_keyctl, 0, 0, 0, 0, 0));
  tell("add_key", syscall(SYS_add_key, nullptr, nullptr, nullptr, 0, 0));
  tell("open_by_handle_at", syscall(SYS_open_by_handle_at, -1, nullptr, 0));
  tell("vsock", socket(40, SOCK_STREAM, 0));
  tell("personality", syscall(SYS_personality, 0x0040000));
  tell("swapoff", syscall(SYS_swapoff, "/x"));
  tell("reboot", syscall(SYS_reboot, 0, 0, 0, nullptr));
}

// What a container's process could do to the program that started it.
void overwrite_starter() {
  tell("write-exe", open("/proc/1/exe", O_WRONLY));
  tell("write-own-exe", open("/proc/self/exe", O_WRONLY));
}

void modes(const char* path) {
  struct stat status {};
  tell(path, stat(path, &status));
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (strcmp(argv[i], "ids") == 0) ids();
    if (strcmp(argv[i], "fds") == 0) fds();
    if (strcmp(argv[i], "syscalls") == 0) syscalls();
    if (strcmp(argv[i], "starter") == 0) overwrite_starter();
    if (strcmp(argv[i], "dumpable") == 0) printf("dumpable %d\n", prctl(PR_GET_DUMPABLE));
    if (argv[i][0] == '/') modes(argv[i]);
  }
  fflush(stdout);
  return 0;
}
