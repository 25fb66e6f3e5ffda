// The moves of log_pump.h.
#include "isolation/spawner/log_pump.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "isolation/spawner/cri_format.h"
#include "isolation/spawner/decimal.h"

namespace keelson::isolation {
namespace {

int open_below(int folder, const char* path, int flags, unsigned mode) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.mode = mode;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS;
  const long fd = syscall(SYS_openat2, folder, path, &how, sizeof how);
  return fd < 0 ? -errno : static_cast<int>(fd);
}

using NumberedPath = char[wire::log_path_size + 24];

// PATH, or PATH.N.
void number_path(NumberedPath& out, const char* path, int number) {
  char* at = stpcpy(out, path);
  if (number > 0) put_decimal(stpcpy(at, "."), number);
}

// Formatted text into the log, without what a predecessor has written of it.
class LogWriter final : public LogSink {
 public:
  LogWriter(int fd, std::int64_t skip) : fd_(fd), skip_(skip) {}

  bool put(const char* text, std::size_t size) override {
    while (size > 0) {
      if (used_ == sizeof buffer_ && !flush()) return false;
      const std::size_t most = sizeof buffer_ - used_;
      const std::size_t part = size < most ? size : most;
      memcpy(buffer_ + used_, text, part);
      used_ += part;
      text += part;
      size -= part;
    }
    return true;
  }
  bool flush() {
    const char* at = buffer_;
    auto left = static_cast<std::int64_t>(used_);
    const std::int64_t skipped = skip_ < left ? skip_ : left;
    skip_ -= skipped;
    at += skipped;
    left -= skipped;
    used_ = 0;
    while (left > 0) {
      const long put = write(fd_, at, static_cast<std::size_t>(left));
      if (put < 0 && errno == EINTR) continue;
      if (put <= 0) return false;
      at += put;
      left -= put;
    }
    return true;
  }

 private:
  int fd_;
  std::int64_t skip_;
  std::size_t used_ = 0;
  char buffer_[32 * 1024];
};

}  // namespace

int LogPump::open(int state_folder, int log_root, Table& table) {
  log_root_ = log_root;
  table_ = &table;
  spool_ = openat(state_folder, "spool", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  return spool_ < 0 ? -errno : 0;
}

void LogPump::finish_interrupted() {
  struct stat status {};
  if (fstat(spool_, &status) < 0 || status.st_size == 0) return;
  const LogJournal& journal = table_->journal;
  if (journal.slot < wire::containers_max) {
    ContainerSlot& slot = table_->containers[journal.slot];
    LogFile log;
    if (slot.generation == journal.generation && slot.state.load() != SlotState::Free &&
        open_log(slot, log) == 0) {
      write_batch(slot, log, static_cast<std::size_t>(status.st_size));
      close(log.fd);
    }
  }
  empty_spool();
}

// Not to be able to would write the batch again and again: better to be started anew.
void LogPump::empty_spool() const {
  if (ftruncate(spool_, 0) < 0) _exit(1);
}

int LogPump::open_log(const ContainerSlot& slot, LogFile& log) const {
  log.fd = open_below(log_root_, slot.log_path, O_WRONLY | O_CREAT | O_APPEND, 0640);
  if (log.fd < 0) return log.fd;
  struct stat status {};
  if (fstat(log.fd, &status) < 0) return -errno;
  log.size = status.st_size;
  return 0;
}

Pumped LogPump::pump(ContainerSlot& slot, LogFile& log, int stream, int fifo) {
  if (log.size >= slot.log_max_bytes) rotate(slot, log);
  table_->journal = {static_cast<std::uint32_t>(slot_of(*table_, slot)),
                     slot.generation,
                     static_cast<std::uint32_t>(stream),
                     0,
                     wall_ns(),
                     log.size};
  std::atomic_signal_fence(std::memory_order_seq_cst);
  loff_t at = 0;
  long taken = splice(fifo, nullptr, spool_, &at, sizeof data_, SPLICE_F_NONBLOCK);
  if (taken > 0) {
    write_batch(slot, log, static_cast<std::size_t>(taken));
    empty_spool();
  } else if (taken < 0 && errno == ENOSPC) {
    // The state folder is full: go on without the spool, and without its safety.
    taken = read(fifo, data_, sizeof data_);
    if (taken > 0) write_text(slot, log, static_cast<std::size_t>(taken));
  }
  if (taken <= 0) return {};
  return {static_cast<std::size_t>(taken), data_};
}

// The spool's bytes, of which a predecessor may have written a part.
void LogPump::write_batch(ContainerSlot& slot, LogFile& log, std::size_t size) {
  if (size > sizeof data_) size = sizeof data_;
  const long got = pread(spool_, data_, size, 0);
  if (got > 0) write_text(slot, log, static_cast<std::size_t>(got));
}

void LogPump::write_text(ContainerSlot& slot, LogFile& log, std::size_t size) {
  const LogJournal& journal = table_->journal;
  const std::int64_t written = log.size > journal.offset ? log.size - journal.offset : 0;
  LogWriter writer(log.fd, written);
  const LogBatch batch{data_, size, static_cast<int>(journal.stream), journal.time_ns};
  struct stat status {};
  if (log.fd >= 0 && format_log(batch, writer) && writer.flush() && fstat(log.fd, &status) == 0) {
    log.size = status.st_size;
    return;
  }
  // A line cut in the middle would spoil the next one, too.
  slot.lost_log_bytes += size;
  if (log.fd >= 0 && ftruncate(log.fd, journal.offset) == 0) log.size = journal.offset;
}

int LogPump::rotate(const ContainerSlot& slot, LogFile& log) const {
  NumberedPath from;
  NumberedPath to;
  for (int number = slot.log_max_files - 2; number >= 0; --number) {
    number_path(from, slot.log_path, number);
    number_path(to, slot.log_path, number + 1);
    if (renameat(log_root_, from, log_root_, to) < 0 && errno != ENOENT) return -errno;
  }
  if (slot.log_max_files < 2) unlinkat(log_root_, slot.log_path, 0);
  LogFile next;
  const int opened = open_log(slot, next);
  if (opened < 0) return opened;
  close(log.fd);
  log = next;
  return 0;
}

}  // namespace keelson::isolation
