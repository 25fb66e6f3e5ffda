// A container's start and end, as the spawner sees them.
#include "isolation/spawner/containers.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace keelson::isolation {
namespace {

constexpr int child_failed = 128;  // nobody sees it but in a spawner's last moment

template <std::size_t size>
void copy_text(char (&to)[size], const void* spec, wire::Text text) {
  memcpy(to, text_of(spec, text), text.length + 1);
}

// For exec, which comes when this request is long gone.
int keep_spec(const Core& core, int slot, const SpecBytes& spec) {
  const int fd = openat(core.places.state_folder, SlotName("spec", slot).text,
                        O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return -errno;
  std::size_t done = 0;
  long put = 0;
  while (done < spec.size() && (put = write(fd, spec.bytes() + done, spec.size() - done)) > 0) {
    done += static_cast<std::size_t>(put);
  }
  const int result = put < 0 ? -errno : 0;
  close(fd);
  return result;
}

}  // namespace

Containers::ChildEnds::~ChildEnds() {
  for (const int fd : {report, stdio[0], stdio[1], stdio[2]}) {
    if (fd >= 0) close(fd);
  }
}

void Containers::start(const Asker& asker, FdBag& fds) {
  SpecBytes bytes;
  int result = bytes.map_sealed(fds.at(0));
  if (result < 0) return clients_.fail(asker, -result, "the specification's memory");
  ContainerSlot* slot = take_container_slot(core_.table);
  if (slot == nullptr) return clients_.fail(asker, ENFILE, "2048 containers are the most");
  // Kept as it came: taking it writes pointers into it.
  result = keep_spec(core_, slot_of(core_.table, *slot), bytes);
  const char* complaint = "keeping the specification";
  const wire::Spec* spec = nullptr;
  if (result == 0) {
    result = -EINVAL;
    spec = take_spec(bytes.bytes(), bytes.size(), fds.count(), &complaint);
  }
  ChildEnds ends;
  if (spec != nullptr) complaint = prepare(*slot, *spec, ends, &result);
  if (complaint == nullptr) {
    live_[slot_of(core_.table, *slot)].asker = asker;
    result = clone_child(*slot, *spec, fds, ends);
    if (result >= 0) return let_go(*slot);
    complaint = "clone";
  }
  abandon(*slot);
  clients_.fail(asker, -result, complaint);
}

const char* Containers::prepare(ContainerSlot& slot, const wire::Spec& spec, ChildEnds& ends,
                                int* result) {
  const char* id = text_of(&spec, spec.id);
  *result = -EEXIST;
  if (find_container(core_.table, id) != nullptr) return "the container's id";
  *result = -ENOENT;
  if (find_sandbox(core_.table, text_of(&spec, spec.sandbox_id)) == nullptr) return "its sandbox";
  *result = -EINVAL;
  if (spec.pid_namespace == wire::Pid::Sandbox) return "a sandbox's pid namespace";
  copy_text(slot.id, &spec, spec.id);
  copy_text(slot.sandbox_id, &spec, spec.sandbox_id);
  copy_text(slot.label, &spec, spec.label);
  copy_text(slot.log_path, &spec, spec.log_path);
  slot.log_max_bytes = spec.log_max_bytes;
  slot.log_max_files = spec.log_max_files;
  slot.terminal = spec.process.terminal;
  slot.stdin_open = spec.stdin_open;
  Live& live = live_[slot_of(core_.table, slot)];
  live = {};
  *result = core_.pump.open_log(slot, live.log);
  if (*result < 0) return "its log";
  *result = make_stdio(slot, spec, ends);
  if (*result < 0) return "its output";
  int reports[2];
  *result = -EMFILE;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, reports) < 0) return "its report";
  live.report = reports[0];
  ends.report = reports[1];
  *result = 0;
  return nullptr;
}

// Output and Error as FIFOs of the container's user; Input one, too, or nothing.
int Containers::make_stdio(ContainerSlot& slot, const wire::Spec& spec, ChildEnds& ends) {
  int result = make_fifo(slot, Held::Output, &ends.stdio[1]);
  if (result >= 0) result = make_fifo(slot, Held::Error, &ends.stdio[2]);
  if (result >= 0 && spec.stdin_open != 0 && spec.process.terminal == 0) {
    result = make_fifo(slot, Held::Input, &ends.stdio[0]);
  } else if (result >= 0) {
    ends.stdio[0] = fcntl(core_.places.null, F_DUPFD_CLOEXEC, 3);
  }
  if (result < 0) return result;
  for (const int fd : ends.stdio) {
    // So that it can open /dev/stdout again.
    if (fchown(fd, spec.process.uid, spec.process.gid) < 0) return -errno;
  }
  return 0;
}

// The container's end of its output is opened for reading, too: even with no spawner left there is
// a reader, and writers wait instead of getting SIGPIPE.
int Containers::make_fifo(ContainerSlot& slot, Held what, int* child_end) {
  const int number = slot_of(core_.table, slot);
  const SlotName name = fifo_name(what, number);
  unlinkat(core_.places.state_folder, name.text, 0);
  if (mkfifoat(core_.places.state_folder, name.text, 0600) < 0) return -errno;
  const int ours = openat(core_.places.state_folder, name.text, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (ours < 0) return -errno;
  core_.hold(what, number, ours);
  *child_end = openat(core_.places.state_folder, name.text,
                      (what == Held::Input ? O_RDONLY : O_RDWR) | O_CLOEXEC);
  return *child_end < 0 ? -errno : 0;
}

int Containers::clone_child(ContainerSlot& slot, const wire::Spec& spec, const FdBag& fds,
                            const ChildEnds& ends) {
  int pidfd = -1;
  CloneFlags how{.flags = CLONE_NEWNS, .cgroup_fd = -1, .pid_at = &slot.pid, .pidfd_at = &pidfd};
  if (spec.pid_namespace == wire::Pid::Own) how.flags |= CLONE_NEWPID;
  if (spec.unified_fd >= 0) how.cgroup_fd = fds.at(spec.unified_fd);
  const SandboxSlot* sandbox = find_sandbox(core_.table, slot.sandbox_id);
  const auto* shared = core_.store.sandbox_fds[sandbox - core_.table.sandboxes];
  Inside inside{.kernel = core_.kernel,
                .spec = &spec,
                .process = &spec.process,
                .argv = array_of(&spec, spec.process.argv),
                .terminal = spec.process.terminal != 0,
                .rows = spec.process.rows,
                .columns = spec.process.columns,
                .fds = fds.all(),
                .unified_fd = spec.unified_fd,
                .tasks_fds = spec.tasks_fds,
                .list_base = &spec,
                .stdio = {ends.stdio[0], ends.stdio[1], ends.stdio[2]},
                .namespaces = {shared[0], shared[1], shared[2]},
                .container_pidfd = -1,
                .report = ends.report};
  const int pid = core_.kernel.clone(how);
  if (pid == 0) {
    close(live_[slot_of(core_.table, slot)].report);  // or it would never see our end
    const rlimit files{core_.places.files_soft, core_.places.files_hard};
    setrlimit(RLIMIT_NOFILE, &files);
    run_container(inside);
    _exit(child_failed);
  }
  if (pid < 0) return pid;
  core_.hold(Held::Pidfd, slot_of(core_.table, slot), pidfd);
  return 0;
}

// Everything is written down: from here on a successor would find it.
void Containers::let_go(ContainerSlot& slot) {
  const int number = slot_of(core_.table, slot);
  slot.start_ticks = start_ticks_of(core_.places.proc, slot.pid);
  slot.started_ns = wall_ns();
  slot.state.store(SlotState::Going);
  const char go = 1;
  if (write(live_[number].report, &go, 1) < 0) {
  }
  core_.watch(live_[number].report, Event::Report, number, EPOLLIN);
  watch_output(slot);
}

// A failure, the terminal's master, or the end: then it has executed its program.
void Containers::report_came(int number) {
  ContainerSlot& slot = core_.table.containers[number];
  Live& live = live_[number];
  if (live.report < 0) return;
  InsideReport report{};
  FdBag fds;
  const long got = receive_message(live.report, &report, sizeof report, fds.received());
  if (got == -EAGAIN) return;
  if (got == sizeof report && report.error_number == 0) {
    const int master = fds.take(0);
    if (master < 0) return;
    core_.hold(Held::Input, number, master);
    core_.watch(master, Event::Terminal, number, EPOLLIN);
    return;
  }
  close(live.report);
  live.report = -1;
  if (got <= 0) return started(slot);
  wire::Reply answer{};
  answer.error_number = report.error_number;
  answer.step = report.step;
  memcpy(answer.detail, report.detail, sizeof answer.detail);
  waitpid(slot.pid, nullptr, 0);  // whoever is told may remove its cgroup at once
  clients_.reply(live.asker, answer);
  abandon(slot);
}

void Containers::started(ContainerSlot& slot) {
  const int number = slot_of(core_.table, slot);
  slot.state.store(SlotState::Running);
  core_.tell(slot.changed);
  wire::Reply answer{};
  answer.pid = slot.pid;
  answer.started_ns = slot.started_ns;
  answer.is_terminal = slot.terminal;
  clients_.reply(live_[number].asker, answer, core_.held(Held::Pidfd, number));
}

void Containers::abandon(ContainerSlot& slot) {
  let_loose(slot);
  slot.state.store(SlotState::Free);
}

void Containers::finish(ContainerSlot& slot) {
  drain(slot);
  let_loose(slot);
  slot.state.store(SlotState::Exited);
  core_.tell(slot.changed);
}

void Containers::let_loose(ContainerSlot& slot) {
  const int number = slot_of(core_.table, slot);
  Live& live = live_[number];
  end_copies(number);
  for (const Held what : {Held::Pidfd, Held::Output, Held::Error, Held::Input}) {
    core_.drop(what, number);
    if (what != Held::Pidfd) {
      unlinkat(core_.places.state_folder, fifo_name(what, number).text, 0);
    }
  }
  unlinkat(core_.places.state_folder, SlotName("spec", number).text, 0);
  if (live.report >= 0) close(live.report);
  if (live.log.fd >= 0) close(live.log.fd);
  if (live.is_unresolved) --unresolved_;
  live = {};
}

void Containers::child_ended(ContainerSlot& slot, int wait_status) {
  const int number = slot_of(core_.table, slot);
  // At most its terminal and a failure are in there, then the end.
  for (int i = 0; i < 3 && live_[number].report >= 0; ++i) report_came(number);
  if (slot.state.load() != SlotState::Running) return;  // it never became one
  note_exit(slot, wire::Exit::Seen, wait_status, wall_ns());
  finish(slot);
}

void Containers::signal(const Asker& asker, const wire::IdMessage& message) {
  const ContainerSlot* slot = find_container(core_.table, message.id);
  if (slot == nullptr) return clients_.fail(asker, ENOENT, "no such container");
  const int pidfd = core_.held(Held::Pidfd, slot_of(core_.table, *slot));
  if (pidfd < 0) return clients_.fail(asker, ESRCH, "it has ended");
  const long sent = syscall(SYS_pidfd_send_signal, pidfd, message.number, nullptr, 0);
  if (sent < 0) return clients_.fail(asker, errno, "its signal");
  clients_.reply(asker, {});
}

void Containers::forget(const Asker& asker, const wire::IdMessage& message) {
  ContainerSlot* slot = find_container(core_.table, message.id);
  if (slot != nullptr && slot->state.load() != SlotState::Exited) {
    return clients_.fail(asker, EBUSY, "it runs");
  }
  if (slot != nullptr) abandon(*slot);
  clients_.reply(asker, {});
}

bool Containers::runs_in(const char* sandbox_id) const {
  for (const ContainerSlot& slot : containers_of(core_.table)) {
    const SlotState state = slot.state.load();
    if (state == SlotState::Free || state == SlotState::Exited) continue;
    if (strcmp(slot.sandbox_id, sandbox_id) == 0) return true;
  }
  return false;
}

}  // namespace keelson::isolation
