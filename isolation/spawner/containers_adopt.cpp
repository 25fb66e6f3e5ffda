// Taking over what a predecessor left: its table, its FIFOs, its containers, which are other
// people's children now.
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "isolation/pidfd_exit.h"
#include "isolation/spawner/containers.h"

namespace keelson::isolation {
namespace {

int open_process(const Core& core, const ContainerSlot& slot) {
  const auto pidfd = static_cast<int>(syscall(SYS_pidfd_open, slot.pid, 0));
  if (pidfd < 0) return -1;
  if (start_ticks_of(core.places.proc, slot.pid) == slot.start_ticks) return pidfd;
  close(pidfd);  // another process has its number now
  return -1;
}

}  // namespace

void Containers::adopt_all() {
  core_.pump.finish_interrupted();
  for (ContainerSlot& slot : containers_of(core_.table)) adopt(slot);
}

void Containers::adopt(ContainerSlot& slot) {
  switch (slot.state.load()) {
    case SlotState::Free:
    case SlotState::Exited:
      return let_loose(slot);  // in case the predecessor was just about to
    case SlotState::Starting:
      return abandon(slot);  // it got no word, so it ends by itself
    case SlotState::Going:
    case SlotState::Running:
      return adopt_process(slot);
  }
}

void Containers::adopt_process(ContainerSlot& slot) {
  const int number = slot_of(core_.table, slot);
  reopen(slot, Held::Output, O_RDWR);
  reopen(slot, Held::Error, O_RDWR);
  if (slot.terminal == 0 && slot.stdin_open != 0) reopen(slot, Held::Input, O_RDWR);
  core_.pump.open_log(slot, live_[number].log);
  if (slot.state.load() == SlotState::Going) {
    slot.state.store(SlotState::Running);
    core_.tell(slot.changed);
  }
  if (core_.held(Held::Pidfd, number) < 0 && slot.exit.load() == wire::Exit::Running) {
    const int pidfd = open_process(core_, slot);
    if (pidfd >= 0) core_.hold(Held::Pidfd, number, pidfd);
  }
  watch_output(slot);
  const int pidfd = core_.held(Held::Pidfd, number);
  if (slot.exit.load() == wire::Exit::Running && pidfd >= 0) {
    core_.watch(pidfd, Event::Orphan, number, EPOLLIN);
  } else {
    note_exit(slot, wire::Exit::Unseen, 0, wall_ns());
    finish(slot);
  }
}

void Containers::reopen(ContainerSlot& slot, Held what, int flags) {
  const int number = slot_of(core_.table, slot);
  if (core_.held(what, number) >= 0) return;
  const int fd = openat(core_.places.state_folder, fifo_name(what, number).text,
                        flags | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
  if (fd >= 0) core_.hold(what, number, fd);
}

void Containers::orphan_ended(int number) {
  ContainerSlot& slot = core_.table.containers[number];
  if (resolve(slot)) return;
  core_.unwatch(core_.held(Held::Pidfd, number));
  live_[number].is_unresolved = true;
  ++unresolved_;
}

void Containers::resolve_again() {
  for (ContainerSlot& slot : containers_of(core_.table)) {
    if (live_[slot_of(core_.table, slot)].is_unresolved) resolve(slot);
  }
}

// It has died. How: the keeper has noted it, or the kernel tells; until its parent has reaped it,
// neither may know yet. Once it is gone without a word, nobody will.
bool Containers::resolve(ContainerSlot& slot) {
  const int pidfd = core_.held(Held::Pidfd, slot_of(core_.table, slot));
  int wait_status = 0;
  // Looked at first: whoever reaps it, notes it before.
  const bool is_gone = start_ticks_of(core_.places.proc, slot.pid) != slot.start_ticks;
  if (exit_of_pidfd(pidfd, &wait_status)) {
    note_exit(slot, wire::Exit::Seen, wait_status, wall_ns());
  } else if (is_gone) {
    note_exit(slot, wire::Exit::Unseen, 0, wall_ns());
  }
  if (slot.exit.load() == wire::Exit::Running) return false;
  finish(slot);
  return true;
}

}  // namespace keelson::isolation
