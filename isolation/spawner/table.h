// What the spawner knows, in a file mapped into its memory: a spawner that is killed has written
// everything down already, and the next one goes on from it.
//
// Order matters more than locks here: one process writes at a time (the worker; the keeper only
// exits of processes the worker has lost), and a slot's state is stored last.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "isolation/spawn_wire.h"

namespace keelson::isolation {

enum class SlotState : std::uint32_t {
  Free,
  Starting,  // pid may be set; its child waits for our word before it executes anything
  Going,     // the word may have been given; its exec has not been seen to succeed
  Running,
  Exited,  // exit, wait_status and finished_ns are set
};

struct ContainerSlot {
  std::atomic<SlotState> state;
  std::uint32_t generation;  // grows each time the slot is used again
  char id[wire::id_size];
  char sandbox_id[wire::id_size];
  char label[wire::label_size];
  char log_path[wire::log_path_size];
  std::int64_t log_max_bytes;
  std::int32_t log_max_files;
  std::uint32_t terminal, stdin_open;
  std::int32_t pid;
  std::uint64_t start_ticks;  // with pid the process's identity: field 22 of /proc/PID/stat
  std::int64_t started_ns, finished_ns;
  // What was seen of its end, by the worker or the keeper; state follows once its log is written.
  std::atomic<wire::Exit> exit;
  std::int32_t wait_status;
  std::uint64_t lost_log_bytes;
  std::uint64_t changed;  // Table::changes when it was last told about
};

struct SandboxSlot {
  std::atomic<SlotState> state;  // Free or Running
  std::uint32_t generation;
  char id[wire::id_size];
  char label[wire::label_size];
  std::uint32_t holds;
  std::uint32_t reserved;
  std::uint64_t changed;
};

// The log batch being written: see log_pump.h.
struct LogJournal {
  std::uint32_t slot, generation;
  std::uint32_t stream;  // 1, 2
  std::uint32_t reserved;
  std::int64_t time_ns;
  std::int64_t offset;  // where in the log its text begins
};

struct Table {
  std::uint64_t magic;
  std::uint32_t version, size;
  char boot_id[40];
  std::uint64_t changes;
  // Slots that were ever used are the first so many: what is behind them has no memory yet.
  std::uint32_t containers_used, sandboxes_used;
  LogJournal journal;
  ContainerSlot containers[wire::containers_max];
  SandboxSlot sandboxes[wire::sandboxes_max];
};

// Maps the file; an empty, older or foreign one (another boot, another version) begins anew. Null:
// *error_number says why.
Table* map_table(int folder, const char* name, int* error_number);

inline std::span<ContainerSlot> containers_of(Table& table) {
  return {table.containers, table.containers_used};
}
inline std::span<SandboxSlot> sandboxes_of(Table& table) {
  return {table.sandboxes, table.sandboxes_used};
}
inline int slot_of(const Table& table, const ContainerSlot& slot) {
  return static_cast<int>(&slot - table.containers);
}
ContainerSlot* find_container(Table& table, const char* id);  // null: none
ContainerSlot* find_process(Table& table, int pid);           // one that runs, by its first process
ContainerSlot* take_container_slot(Table& table);             // null: all taken. Cleared, Starting
SandboxSlot* find_sandbox(Table& table, const char* id);
SandboxSlot* take_sandbox_slot(Table& table);

// Notes how a process of ours has ended. The first word counts.
void note_exit(ContainerSlot& slot, wire::Exit exit, int wait_status, std::int64_t now_ns);

std::int64_t wall_ns();
// Field 22 of /proc/PID/stat, 0 if there is no such process. proc: an open /proc.
std::uint64_t start_ticks_of(int proc, int pid);

}  // namespace keelson::isolation
