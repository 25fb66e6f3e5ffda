// The mapped table: finding, taking and clearing slots.
#include "isolation/spawner/table.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>

#include "isolation/spawner/decimal.h"

namespace keelson::isolation {
namespace {

constexpr std::uint64_t table_magic = 0x6b65656c736f6e31;  // "keelson1"

void read_boot_id(char (&boot_id)[40]) {
  memset(boot_id, 0, sizeof boot_id);
  const int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  if (read(fd, boot_id, sizeof boot_id - 1) < 0) boot_id[0] = 0;
  close(fd);
}

// One of ours from this boot, that was written whole?
bool is_ours(const Table& table, const char (&boot_id)[40]) {
  return table.magic == table_magic && table.version == wire::version &&
         table.size == sizeof(Table) && memcmp(table.boot_id, boot_id, sizeof boot_id) == 0;
}

template <typename Slot>
Slot* find_by_id(std::span<Slot> slots, const char* id) {
  for (Slot& slot : slots) {
    if (slot.state.load() != SlotState::Free && strcmp(slot.id, id) == 0) return &slot;
  }
  return nullptr;
}

// Cleared but for its generation, which tells fds and journal entries of the former use apart.
template <typename Slot, int count>
Slot* take_free(Slot (&slots)[count], std::uint32_t& used) {
  for (int i = 0; i < count; ++i) {
    Slot& slot = slots[i];
    const auto number = static_cast<std::uint32_t>(i);
    if (number < used && slot.state.load() != SlotState::Free) continue;
    const std::uint32_t generation = slot.generation + 1;
    memset(static_cast<void*>(&slot), 0, sizeof slot);
    slot.generation = generation;
    if (number >= used) used = number + 1;
    return &slot;
  }
  return nullptr;
}

}  // namespace

Table* map_table(int folder, const char* name, int* error_number) {
  const int fd = openat(folder, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0 || ftruncate(fd, sizeof(Table)) < 0) {
    *error_number = errno;
    if (fd >= 0) close(fd);
    return nullptr;
  }
  void* bytes = mmap(nullptr, sizeof(Table), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  *error_number = errno;
  close(fd);
  if (bytes == MAP_FAILED) return nullptr;
  auto* table = static_cast<Table*>(bytes);
  char boot_id[40];
  read_boot_id(boot_id);
  if (is_ours(*table, boot_id)) return table;
  if (table->magic != 0) memset(bytes, 0, sizeof(Table));
  table->version = wire::version;
  table->size = sizeof(Table);
  memcpy(table->boot_id, boot_id, sizeof boot_id);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  table->magic = table_magic;
  return table;
}

ContainerSlot* find_container(Table& table, const char* id) {
  return find_by_id(containers_of(table), id);
}

ContainerSlot* find_process(Table& table, int pid) {
  for (ContainerSlot& slot : containers_of(table)) {
    if (slot.pid != pid || slot.exit.load() != wire::Exit::Running) continue;
    const SlotState state = slot.state.load();
    if (state == SlotState::Going || state == SlotState::Running) return &slot;
  }
  return nullptr;
}

ContainerSlot* take_container_slot(Table& table) {
  ContainerSlot* slot = take_free(table.containers, table.containers_used);
  if (slot != nullptr) slot->state.store(SlotState::Starting);
  return slot;
}

SandboxSlot* find_sandbox(Table& table, const char* id) {
  return find_by_id(sandboxes_of(table), id);
}

SandboxSlot* take_sandbox_slot(Table& table) {
  return take_free(table.sandboxes, table.sandboxes_used);
}

void note_exit(ContainerSlot& slot, wire::Exit exit, int wait_status, std::int64_t now_ns) {
  if (slot.exit.load() != wire::Exit::Running) return;
  slot.wait_status = wait_status;
  slot.finished_ns = now_ns;
  slot.exit.store(exit);
}

std::int64_t wall_ns() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

std::uint64_t start_ticks_of(int proc, int pid) {
  char path[32];
  char text[512];
  strcpy(put_decimal(path, pid), "/stat");
  const int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  const long got = read(fd, text, sizeof text - 1);
  close(fd);
  if (got <= 0) return 0;
  text[got] = 0;
  // Field 2 is the name in parentheses and may hold anything; field 3 follows the last ')'.
  const char* field = strrchr(text, ')');
  for (int number = 2; field != nullptr && number < 22; ++number) field = strchr(field + 1, ' ');
  if (field == nullptr) return 0;
  std::uint64_t ticks = 0;
  for (++field; *field >= '0' && *field <= '9'; ++field) {
    ticks = ticks * 10 + static_cast<std::uint64_t>(*field - '0');
  }
  return ticks;
}

}  // namespace keelson::isolation
