// Moves what containers write from their FIFOs into their logs, so that a kill -9 at any moment
// loses nothing and writes nothing twice.
//
// A batch goes in four moves, each whole or not at all however the process dies:
//   1. the table's journal says whose batch it is, its time, and where in the log it begins;
//   2. splice(2) takes the bytes from the FIFO into the spool, a file: the spool's size tells how
//      many, and no byte is in both or in neither;
//   3. the log gets the formatted text; how far, the log's size tells. The same bytes and time give
//      the same text, so a successor writes just the rest;
//   4. the spool is emptied: the batch is done.
#pragma once

#include <cstddef>
#include <cstdint>

#include "isolation/spawner/table.h"

namespace keelson::isolation {

// A container's open log. Rotated: PATH → PATH.1 → PATH.2 …, the oldest overwritten.
struct LogFile {
  int fd = -1;
  std::int64_t size = 0;
};

struct Pumped {
  std::size_t bytes = 0;       // 0: nothing was there
  const char* data = nullptr;  // until the next pump
};

class LogPump {
 public:
  // state_folder and log_root are borrowed. 0, or -errno.
  int open(int state_folder, int log_root, Table& table);
  // Ends the batch that a predecessor was killed in.
  void finish_interrupted();

  // 0, or -errno. Its folder must exist.
  int open_log(const ContainerSlot& slot, LogFile& log) const;
  // One batch. What the disk refuses is counted in slot.lost_log_bytes and dropped, so that no
  // container waits for a full disk.
  Pumped pump(ContainerSlot& slot, LogFile& log, int stream, int fifo);

 private:
  void write_batch(ContainerSlot& slot, LogFile& log, std::size_t size);
  void write_text(ContainerSlot& slot, LogFile& log, std::size_t size);
  void empty_spool() const;
  int rotate(const ContainerSlot& slot, LogFile& log) const;

  int log_root_ = -1, spool_ = -1;
  Table* table_ = nullptr;
  char data_[64 * 1024];
};

}  // namespace keelson::isolation
