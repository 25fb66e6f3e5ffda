// Raw output of a container to the lines Kubernetes keeps: `2026-11-28T08:30:55.123456789Z stdout
// F text`. What does not end in a newline, and what is longer than a line may be, is tagged P: the
// line goes on in the next entry. Each entry stands alone, so nothing has to be remembered.
#pragma once

#include <cstddef>
#include <cstdint>

namespace keelson::isolation {

inline constexpr std::size_t log_line_max = 16 * 1024;  // containerd's and CRI-O's own

// Takes formatted text piece by piece; false: it cannot, and formatting ends.
class LogSink {
 public:
  virtual bool put(const char* text, std::size_t size) = 0;

 protected:
  ~LogSink() = default;
};

struct LogBatch {
  const char* bytes;
  std::size_t size;
  int stream;  // 1: stdout, 2: stderr
  std::int64_t time_ns;
};

// The same batch gives the same text, whoever formats it.
bool format_log(const LogBatch& batch, LogSink& sink);

}  // namespace keelson::isolation
