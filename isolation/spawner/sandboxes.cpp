// Holding, releasing and adopting sandboxes.
#include "isolation/spawner/sandboxes.h"

#include <fcntl.h>

#include <cerrno>
#include <cstring>

#include "isolation/spawner/decimal.h"

namespace keelson::isolation {
namespace {

Held held_of(int kind) {
  return static_cast<Held>(held_by_container + kind);
}

}  // namespace

void Sandboxes::hold(const Asker& asker, const wire::SandboxMessage& message, FdBag& fds) {
  const bool ends = message.id[wire::id_size - 1] == 0 && message.label[wire::label_size - 1] == 0;
  const int wanted = __builtin_popcount(message.holds & 7);
  if (!ends || message.id[0] == 0 || message.holds > 7 || wanted != fds.count()) {
    return clients_.fail(asker, EINVAL, "a sandbox's id, label and namespaces");
  }
  if (find_sandbox(core_.table, message.id) != nullptr) {
    return clients_.fail(asker, EEXIST, "the sandbox's id");
  }
  SandboxSlot* slot = take_sandbox_slot(core_.table);
  if (slot == nullptr) return clients_.fail(asker, ENFILE, "1024 sandboxes are the most");
  memcpy(slot->id, message.id, sizeof slot->id);
  memcpy(slot->label, message.label, sizeof slot->label);
  slot->holds = message.holds;
  const auto number = static_cast<int>(slot - core_.table.sandboxes);
  for (int kind = 0, next = 0; kind < held_by_sandbox; ++kind) {
    if ((message.holds >> kind & 1) != 0) core_.hold(held_of(kind), number, fds.take(next++));
  }
  slot->state.store(SlotState::Running);
  core_.tell(slot->changed);
  clients_.reply(asker, {});
}

void Sandboxes::release(const Asker& asker, const wire::IdMessage& message) {
  SandboxSlot* slot = find_sandbox(core_.table, message.id);
  if (slot != nullptr && containers_.runs_in(message.id)) {
    return clients_.fail(asker, EBUSY, "containers run in it");
  }
  if (slot != nullptr) {
    slot->state.store(SlotState::Free);
    drop_all(static_cast<int>(slot - core_.table.sandboxes));
  }
  clients_.reply(asker, {});
}

void Sandboxes::drop_all(int number) {
  for (int kind = 0; kind < held_by_sandbox; ++kind) core_.drop(held_of(kind), number);
}

void Sandboxes::adopt_all() {
  int number = 0;
  for (SandboxSlot& slot : sandboxes_of(core_.table)) {
    if (slot.state.load() != SlotState::Running || !adopt(slot, number)) {
      slot.state.store(SlotState::Free);
      drop_all(number);
    }
    ++number;
  }
}

bool Sandboxes::adopt(SandboxSlot& slot, int number) {
  for (int kind = 0; kind < held_by_sandbox; ++kind) {
    if ((slot.holds >> kind & 1) == 0 || core_.held(held_of(kind), number) >= 0) continue;
    const int fd = open_from_container(slot, kind);
    if (fd < 0) return false;
    core_.hold(held_of(kind), number, fd);
  }
  return true;
}

int Sandboxes::open_from_container(const SandboxSlot& slot, int kind) const {
  constexpr const char* names[] = {"net", "ipc", "uts"};
  for (const ContainerSlot& container : containers_of(core_.table)) {
    if (container.state.load() != SlotState::Running) continue;
    if (strcmp(container.sandbox_id, slot.id) != 0) continue;
    char path[40];
    strcpy(stpcpy(put_decimal(path, container.pid), "/ns/"), names[kind]);
    const int fd = openat(core_.places.proc, path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) return fd;
  }
  return -1;
}

}  // namespace keelson::isolation
