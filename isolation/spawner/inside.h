// What runs in the child between clone and exec: a container's steps in order, one function each.
// Nothing here allocates; every path inside the container's tree is opened by openat2 below its
// root, and mounts are placed by file descriptor.
#pragma once

#include "isolation/kernel.h"
#include "isolation/spawn_wire.h"
#include "isolation/spawner/spec_check.h"

namespace keelson::isolation {

// From child to spawner. error_number 0: the terminal's master comes with it.
struct InsideReport {
  wire::Step step;
  std::int32_t error_number;
  char detail[wire::detail_size];
};

struct Inside {
  Kernel& kernel;
  const wire::Spec* spec;        // of the container, taken
  const wire::Process* process;  // of the spec
  char* const* argv;             // process's own, or an exec's
  bool terminal;
  std::uint16_t rows, columns;
  const int* fds;           // what the request brought
  std::int32_t unified_fd;  // its cgroup2 folder, or -1
  wire::List tasks_fds;     // in list_base
  const void* list_base;
  int stdio[3];         // unless terminal
  int namespaces[3];    // net, ipc, uts to join; -1: stay
  int container_pidfd;  // exec: whose namespaces to join; else -1
  int report;           // socket to the spawner
  // As it comes to be; -1 before.
  int root = -1, proc = -1, dev = -1, pts = -1, slave = -1;
  char program[4096] = {};              // argv[0] as it was found
  char detail[wire::detail_size] = {};  // what it was at
};

using InsideStep = int (*)(Inside& inside);  // 0, or -errno
struct InsideRow {
  wire::Step step;
  InsideStep run;
};

// Runs the container's steps, or those of an exec. Returns only if one failed, which was reported.
void run_container(Inside& inside);
void run_exec(Inside& inside);

void note(Inside& inside, const char* text);  // the detail of what comes next

// The steps, for the tables in inside.cpp.
int start_session(Inside& inside);
int join_cgroup(Inside& inside);
int join_sandbox(Inside& inside);
int join_container(Inside& inside);
int mount_root(Inside& inside);
int mount_proc(Inside& inside);
int make_dev(Inside& inside);
int make_terminal(Inside& inside);
int find_terminal(Inside& inside);
int mount_sys(Inside& inside);
int mount_cgroups(Inside& inside);
int mount_volumes(Inside& inside);
int mask_paths(Inside& inside);
int make_read_only(Inside& inside);
int change_root(Inside& inside);
int enter_working_directory(Inside& inside);
int set_limits(Inside& inside);
int await_go(Inside& inside);
int drop_privileges(Inside& inside);
int find_program(Inside& inside);
int execute(Inside& inside);

// A place below root for a mount, made if missing. An O_PATH fd, or -errno.
int open_place(Inside& inside, const char* path, bool is_folder);

}  // namespace keelson::isolation
