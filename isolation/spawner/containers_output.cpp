// Output of containers: to their logs, and to those who are attached.
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "isolation/spawner/containers.h"

namespace keelson::isolation {
namespace {

constexpr int drain_batches_max = 64;         // a FIFO holds 64 KiB: far more than it can
constexpr int attached_pipe_bytes = 1 << 20;  // how far a reader may fall behind

Held held_of(int stream) {
  return stream == 1 ? Held::Output : Held::Error;
}

}  // namespace

SlotName fifo_name(Held what, int slot) {
  return {what == Held::Input ? "in" : what == Held::Output ? "out" : "err", slot};
}

void Containers::watch_output(ContainerSlot& slot) {
  const int number = slot_of(core_.table, slot);
  const auto watch = [this, number](Held what, Event event) {
    const int fd = core_.held(what, number);
    if (fd >= 0) core_.watch(fd, event, number, EPOLLIN);
  };
  watch(Held::Output, Event::Output);
  watch(Held::Error, Event::Error);
  if (slot.terminal != 0) watch(Held::Input, Event::Terminal);
}

// One batch: others have their turn, too.
void Containers::output_came(int number, int stream) {
  pump(core_.table.containers[number], stream);
}

bool Containers::pump(ContainerSlot& slot, int stream) {
  const int number = slot_of(core_.table, slot);
  const int fifo = core_.held(held_of(stream), number);
  if (fifo < 0) return false;
  const Pumped pumped = core_.pump.pump(slot, live_[number].log, stream, fifo);
  copy_out(number, stream, pumped);
  return pumped.bytes > 0;
}

// What a terminal shows goes through the Output FIFO as well, and so is as safe as the rest.
void Containers::terminal_came(int number) {
  ContainerSlot& slot = core_.table.containers[number];
  const int master = core_.held(Held::Input, number);
  const int fifo = core_.held(Held::Output, number);
  const long moved = splice(master, nullptr, fifo, nullptr, sizeof(char) << 16, SPLICE_F_NONBLOCK);
  // EIO: nobody has its other end open. Not for good: the next one may open it.
  if (moved < 0 && errno != EAGAIN) core_.unwatch(master);
  pump(slot, 1);
}

// It has ended, nobody writes any more.
void Containers::drain(ContainerSlot& slot) {
  const int number = slot_of(core_.table, slot);
  if (slot.terminal != 0 && core_.held(Held::Input, number) >= 0) {
    for (int i = 0; i < drain_batches_max; ++i) {
      const long moved =
          splice(core_.held(Held::Input, number), nullptr, core_.held(Held::Output, number),
                 nullptr, 1 << 16, SPLICE_F_NONBLOCK);
      if (moved <= 0) break;
      pump(slot, 1);
    }
  }
  for (const int stream : {1, 2}) {
    for (int i = 0; i < drain_batches_max && pump(slot, stream); ++i) {
    }
  }
}

void Containers::copy_out(int number, int stream, const Pumped& pumped) {
  if (pumped.bytes == 0) return;
  for (Copy& copy : copies_) {
    if (copy.slot != number || copy.stream != stream) continue;
    const long put = write(copy.fd, pumped.data, pumped.bytes);
    if (put == static_cast<long>(pumped.bytes)) continue;
    close(copy.fd);  // it has fallen too far behind, or gone
    copy = {};
  }
}

void Containers::end_copies(int number) {
  for (Copy& copy : copies_) {
    if (copy.slot != number) continue;
    close(copy.fd);
    copy = {};
  }
}

void Containers::attach(const Asker& asker, const wire::IdMessage& message, FdBag& fds) {
  const ContainerSlot* slot = find_container(core_.table, message.id);
  if (slot == nullptr || slot->state.load() != SlotState::Running) {
    return clients_.fail(asker, ENOENT, "no such container runs");
  }
  const int number = slot_of(core_.table, *slot);
  Copy* free_copies[2] = {};
  int found = 0;
  for (Copy& copy : copies_) {
    if (copy.slot < 0 && found < 2) free_copies[found++] = &copy;
  }
  if (found < 2) return clients_.fail(asker, EMFILE, "too many are attached");
  for (int i = 0; i < 2 && i < fds.count(); ++i) {
    const int fd = fds.take(i);
    fcntl(fd, F_SETPIPE_SZ, attached_pipe_bytes);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    *free_copies[i] = {number, i + 1, fd};
  }
  wire::Reply answer{};
  answer.is_terminal = slot->terminal;
  clients_.reply(asker, answer, core_.held(Held::Input, number));
}

void Containers::close_stdin(const Asker& asker, const wire::IdMessage& message) {
  ContainerSlot* slot = find_container(core_.table, message.id);
  if (slot != nullptr && slot->terminal == 0) {
    slot->stdin_open = 0;
    core_.drop(Held::Input, slot_of(core_.table, *slot));
  }
  clients_.reply(asker, {});
}

}  // namespace keelson::isolation
