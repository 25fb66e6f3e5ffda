// A container's log as people read it: lines of the newest files, from the end or from a time on,
// with or without their times. The files are written by the spawner (isolation/spec.h, LogSpec).
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"

namespace keelson {

// `TIME stdout|stderr F|P TEXT`
struct LogLine {
  std::string_view time, text;
  bool is_stderr = false;
  bool is_partial = false;  // the line goes on in the next record
};
// None: no record of ours; it is passed over.
std::optional<LogLine> parse_log_line(std::string_view line);

struct LogOptions {
  std::optional<std::int64_t> tail_lines, limit_bytes;
  std::optional<WallTime> since;
  bool timestamps = false;
};

// Reads what is there, then what is added. One thread.
class LogReader {
 public:
  // path: the file that is written now; path.1 is the one before, path.2 … older.
  static Result<LogReader> open(const std::string& path, LogOptions options);

  // Appends about `bytes` of output. False: nothing more is there for now.
  bool read(std::string& out, std::size_t bytes);
  bool is_finished() const { return left_bytes_ && *left_bytes_ <= 0; }  // limit_bytes
  int fd() const { return file_.get(); }                                 // of the file being read

 private:
  LogReader(std::string path, LogOptions options);
  Result<> find_start();
  bool fill();
  bool next_file();
  void emit(const LogLine& line, std::string& out);

  std::string path_;
  LogOptions options_;
  std::string since_text_;
  std::optional<std::int64_t> left_bytes_;
  Fd file_;
  std::deque<Fd> later_;  // newer files that were there at the start, the next first
  std::string buffer_;    // read and not yet parsed
  bool in_line_ = false;  // the last record was partial
};

}  // namespace keelson
