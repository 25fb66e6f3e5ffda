// Starting a command in a container's namespaces, with the rights its specification gives.
#include "isolation/spawner/execs.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace keelson::isolation {

Execs::Exec* Execs::take_free() {
  for (Exec& exec : execs_) {
    if (exec.id != 0) continue;
    exec = {.id = ++last_id_};
    return &exec;
  }
  return nullptr;
}

void Execs::start(const Asker& asker, FdBag& fds) {
  Exec* exec = take_free();
  if (exec == nullptr) return clients_.fail(asker, EAGAIN, "256 commands are the most at a time");
  exec->asker = asker;
  int result = 0;
  const char* complaint = prepare(*exec, fds, &result);
  if (complaint == nullptr) return;
  release(*exec);
  clients_.fail(asker, -result, complaint);
}

const char* Execs::prepare(Exec& exec, FdBag& fds, int* result) {
  SpecBytes request_bytes;
  SpecBytes container_bytes;
  const char* complaint = "the specification's memory";
  *result = request_bytes.map_sealed(fds.at(0));
  if (*result < 0) return complaint;
  *result = -EINVAL;
  const wire::ExecSpec* request =
      take_exec_spec(request_bytes.bytes(), request_bytes.size(), fds.count(), &complaint);
  if (request == nullptr) return complaint;
  const ContainerSlot* slot = find_container(core_.table, text_of(request, request->container_id));
  *result = -ENOENT;
  if (slot == nullptr || slot->state.load() != SlotState::Running) return "no such container runs";
  const int number = slot_of(core_.table, *slot);
  const int spec_fd = openat(core_.places.state_folder, SlotName("spec", number).text,
                             O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  *result = container_bytes.map(spec_fd);
  if (spec_fd >= 0) close(spec_fd);
  if (*result < 0) return "the container's specification";
  *result = -EINVAL;
  const wire::Spec* spec =
      take_spec(container_bytes.bytes(), container_bytes.size(), wire::fds_max, &complaint);
  if (spec == nullptr) return complaint;
  int reports[2];
  *result = -EMFILE;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, reports) < 0) return "its report";
  exec.report = reports[0];
  Inside inside{.kernel = core_.kernel,
                .spec = spec,
                .process = &spec->process,
                .argv = array_of(request, request->argv),
                .terminal = request->terminal != 0,
                .rows = request->rows,
                .columns = request->columns,
                .fds = fds.all(),
                .unified_fd = request->unified_fd,
                .tasks_fds = request->tasks_fds,
                .list_base = request,
                .stdio = {},
                .namespaces = {-1, -1, -1},
                .container_pidfd = core_.held(Held::Pidfd, number),
                .report = reports[1]};
  for (int i = 0; i < 3; ++i) {
    const int index = request->stdio_fds[i];
    inside.stdio[i] = index >= 0 ? fds.at(index) : core_.places.null;
  }
  *result = clone_child(exec, inside, inside.container_pidfd,
                        request->unified_fd >= 0 ? fds.at(request->unified_fd) : -1);
  close(reports[1]);
  return *result < 0 ? "clone" : nullptr;
}

// The pid namespace a process will be in is its parent's choice: we join, clone, and go back.
int Execs::clone_child(Exec& exec, Inside& inside, int container_pidfd, int unified_fd) {
  const int joined = core_.kernel.join(container_pidfd, CLONE_NEWPID);
  if (joined < 0) return joined;
  const CloneFlags how{
      .flags = 0, .cgroup_fd = unified_fd, .pid_at = &exec.pid, .pidfd_at = &exec.pidfd};
  const int pid = core_.kernel.clone(how);
  if (pid == 0) {
    close(exec.report);  // or it would never see our end
    const rlimit files{core_.places.files_soft, core_.places.files_hard};
    setrlimit(RLIMIT_NOFILE, &files);
    run_exec(inside);
    _exit(128);
  }
  // Not to get back would put every later container into this one.
  if (core_.kernel.join(core_.places.pid_namespace, CLONE_NEWPID) < 0) _exit(1);
  if (pid < 0) return pid;
  const char go = 1;
  if (write(exec.report, &go, 1) < 0) return -errno;
  return core_.watch(exec.report, Event::ExecReport, static_cast<int>(&exec - execs_), EPOLLIN);
}

void Execs::report_came(int index) {
  Exec& exec = execs_[index];
  if (exec.report < 0) return;
  InsideReport report{};
  FdBag fds;
  const long got = receive_message(exec.report, &report, sizeof report, fds.received());
  if (got == -EAGAIN) return;
  if (got == sizeof report && report.error_number == 0) {
    exec.terminal = fds.take(0);
    return;
  }
  close(exec.report);
  exec.report = -1;
  if (got <= 0) return started(exec);
  wire::Reply answer{};
  answer.error_number = report.error_number;
  answer.step = report.step;
  memcpy(answer.detail, report.detail, sizeof answer.detail);
  waitpid(exec.pid, nullptr, 0);
  clients_.reply(exec.asker, answer);
  release(exec);
}

void Execs::started(Exec& exec) {
  wire::Reply answer{};
  answer.exec_id = exec.id;
  answer.pid = exec.pid;
  answer.is_terminal = exec.terminal >= 0 ? 1 : 0;
  answer.started_ns = wall_ns();
  clients_.reply(exec.asker, answer, exec.terminal);
  if (exec.terminal >= 0) close(exec.terminal);
  exec.terminal = -1;
}

bool Execs::child_ended(int pid, int wait_status) {
  for (Exec& exec : execs_) {
    if (exec.id == 0 || exec.pid != pid) continue;
    for (int i = 0; i < 3 && exec.report >= 0; ++i) {
      report_came(static_cast<int>(&exec - execs_));
    }
    if (exec.id == 0) return true;  // it never became one
    wire::IdMessage message{};
    message.head = {wire::version, wire::Kind::ExecEnded, 0};
    message.exec_id = exec.id;
    message.number = wait_status;
    clients_.send(exec.asker, &message, sizeof message);
    release(exec);
    return true;
  }
  return false;
}

void Execs::signal(const Asker& asker, const wire::IdMessage& message) {
  for (const Exec& exec : execs_) {
    if (exec.id == 0 || exec.id != message.exec_id) continue;
    if (syscall(SYS_pidfd_send_signal, exec.pidfd, message.number, nullptr, 0) < 0) {
      return clients_.fail(asker, errno, "its signal");
    }
    return clients_.reply(asker, {});
  }
  clients_.fail(asker, ESRCH, "no such command runs");
}

void Execs::end_of_gone() {
  for (Exec& exec : execs_) {
    if (exec.id == 0 || clients_.is_there(exec.asker)) continue;
    syscall(SYS_pidfd_send_signal, exec.pidfd, SIGKILL, nullptr, 0);
    exec.asker = {};  // told once; child_ended releases it
  }
}

void Execs::release(Exec& exec) {
  for (const int fd : {exec.pidfd, exec.report, exec.terminal}) {
    if (fd >= 0) close(fd);
  }
  exec = {};
}

}  // namespace keelson::isolation
