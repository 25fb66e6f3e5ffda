// The process itself: its cgroup and namespaces, folder and limits, rights and filter, and at last
// its program.
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/openat2.h>
#include <sched.h>

#include <cerrno>
#include <climits>
#include <cstring>

#include "isolation/spawner/decimal.h"
#include "isolation/spawner/inside.h"
#include "isolation/spawner/inside_mount.h"

namespace keelson::isolation {
namespace {

const char* value_of(char* const* env, const char* name) {
  const std::size_t size = strlen(name);
  for (; *env != nullptr; ++env) {
    if (strncmp(*env, name, size) == 0 && (*env)[size] == '=') return *env + size + 1;
  }
  return nullptr;
}

char* const* env_of(const Inside& inside) {
  return array_of(inside.spec, inside.process->env);
}

int load_filter(Inside& inside) {
  const wire::List filter = inside.process->filter;
  if (filter.count == 0) return 0;
  const sock_fprog program{static_cast<unsigned short>(filter.count),
                           const_cast<sock_filter*>(elements_of<sock_filter>(inside.spec, filter))};
  return inside.kernel.filter(program);
}

// FOLDER/NAME into inside.program; false if that is too long. No folder is the working directory.
bool join_path(Inside& inside, const char* folder, std::size_t folder_size, const char* name) {
  const std::size_t name_size = strlen(name);
  if (folder_size + name_size + 3 > sizeof inside.program) return false;
  char* at = inside.program;
  if (folder_size == 0) {
    *at++ = '.';
  } else {
    memcpy(at, folder, folder_size);
    at += folder_size;
  }
  *at++ = '/';
  memcpy(at, name, name_size + 1);
  return true;
}

int set_oom_score(Inside& inside) {
  if (inside.process->set_oom_score_adj == 0) return 0;
  note(inside, "oom_score_adj");
  // A /proc of our own that nobody else has seen: nothing can have been put over its files.
  if (inside.proc < 0) inside.proc = new_mount(inside.kernel, "proc", safe_mount);
  if (inside.proc < 0) return inside.proc;
  const int fd = inside.kernel.open_in(inside.proc, "self/oom_score_adj",
                                       {.flags = O_WRONLY, .resolve = RESOLVE_BENEATH});
  if (fd < 0) return fd;
  char text[24];
  const char* end = put_decimal(text, inside.process->oom_score_adj);
  const long put = inside.kernel.write(fd, text, static_cast<std::size_t>(end - text));
  inside.kernel.close(fd);
  return put < 0 ? static_cast<int>(put) : 0;
}

}  // namespace

int start_session(Inside& inside) {
  return inside.kernel.start_session();
}

// v1: a single thread that moves itself by `tasks` does not wait for the machine's other threads.
int join_cgroup(Inside& inside) {
  const auto* tasks = elements_of<std::int32_t>(inside.list_base, inside.tasks_fds);
  for (std::uint32_t i = 0; i < inside.tasks_fds.count; ++i) {
    const long put = inside.kernel.write(inside.fds[tasks[i]], "0", 1);
    if (put < 0) return static_cast<int>(put);
  }
  return 0;
}

int join_sandbox(Inside& inside) {
  constexpr int types[3] = {CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS};
  for (int i = 0; i < 3; ++i) {
    if (inside.namespaces[i] < 0) continue;
    const int result = inside.kernel.join(inside.namespaces[i], types[i]);
    if (result < 0) return result;
  }
  return 0;
}

// All at once: the pid namespace was joined before the clone.
int join_container(Inside& inside) {
  const int joined =
      inside.kernel.join(inside.container_pidfd, CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC |
                                                     CLONE_NEWUTS | CLONE_NEWCGROUP);
  if (joined < 0) return joined;
  inside.root = inside.kernel.open_in(AT_FDCWD, "/", {.flags = O_PATH | O_DIRECTORY});
  return inside.root < 0 ? inside.root : 0;
}

int enter_working_directory(Inside& inside) {
  const char* path = text_of(inside.spec, inside.process->working_directory);
  const int folder = open_place(inside, path, true);
  return folder < 0 ? folder : inside.kernel.enter_folder(folder);
}

int set_limits(Inside& inside) {
  const auto* limits = elements_of<wire::Rlimit>(inside.spec, inside.process->rlimits);
  for (std::uint32_t i = 0; i < inside.process->rlimits.count; ++i) {
    const int result =
        inside.kernel.limit(static_cast<int>(limits[i].resource), limits[i].soft, limits[i].hard);
    if (result < 0) return result;
  }
  const int result = set_oom_score(inside);
  return result < 0 ? result : inside.kernel.set_umask(022);
}

// The spawner has written down that we are there. If it is gone, so are we.
int await_go(Inside& inside) {
  char go = 0;
  const long got = inside.kernel.read(inside.report, &go, sizeof go);
  if (got < 0) return static_cast<int>(got);
  return got == 0 ? -EPIPE : 0;
}

// A filter needs either CAP_SYS_ADMIN, so it is loaded before that goes, or no_new_privs, and is
// then loaded as late as possible.
int drop_privileges(Inside& inside) {
  Kernel& kernel = inside.kernel;
  const wire::Process& process = *inside.process;
  for (int i = 0; i < 3; ++i) {
    const int placed = kernel.place(inside.stdio[i], i);
    if (placed < 0) return placed;
  }
  int result = kernel.close_on_exec_from(3);
  if (result >= 0 && process.no_new_privileges == 0) result = load_filter(inside);
  if (result >= 0) result = kernel.bound_capabilities(process.bounding);
  if (result >= 0) {
    result = kernel.become({process.uid, process.gid,
                            elements_of<std::uint32_t>(inside.spec, process.groups),
                            process.groups.count});
  }
  if (result >= 0) {
    result = kernel.set_capabilities({process.permitted, process.ambient}, process.ambient);
  }
  if (result >= 0 && process.no_new_privileges != 0) result = kernel.forbid_new_privileges();
  return result;
}

// As execvp would, but in the container's PATH and with Go's answers (os/exec.LookPath), which are
// what Kubernetes' users know.
int find_program(Inside& inside) {
  const char* name = inside.argv[0];
  note(inside, name);
  if (strchr(name, '/') != nullptr) {
    if (strlen(name) >= sizeof inside.program) return -ENAMETOOLONG;
    strcpy(inside.program, name);
    return inside.kernel.is_executable(name);
  }
  const char* path = value_of(env_of(inside), "PATH");
  while (name[0] != 0 && path != nullptr && *path != 0) {
    const char* end = strchrnul(path, ':');
    if (join_path(inside, path, static_cast<std::size_t>(end - path), name) &&
        inside.kernel.is_executable(inside.program) == 0) {
      return 0;
    }
    path = *end == 0 ? end : end + 1;
  }
  return -ENOENT;
}

int execute(Inside& inside) {
  note(inside, inside.program);
  const int result = inside.process->no_new_privileges != 0 ? load_filter(inside) : 0;
  if (result < 0) return result;
  return inside.kernel.execute(inside.program, inside.argv, env_of(inside));
}

}  // namespace keelson::isolation
