// Files are followed by their descriptors: a rotated one is read to its end before the next.
#include "nodeagent/log_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "api/time_text.h"

namespace keelson {
namespace {

constexpr std::size_t block_bytes = 64 * 1024;
constexpr std::size_t line_bytes_max = 1024 * 1024;  // longer is no record of ours
constexpr int rotated_max = 100;

Fd open_file(const std::string& path) {
  return Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
}

off_t size_of(int fd) {
  struct stat about {};
  return ::fstat(fd, &about) == 0 ? about.st_size : 0;
}

bool is_same_file(int fd, const std::string& path) {
  struct stat held {
  }, there{};
  return ::fstat(fd, &held) == 0 && ::stat(path.c_str(), &there) == 0 &&
         held.st_ino == there.st_ino && held.st_dev == there.st_dev;
}

// Where the last `lines` records start; takes those it found off `lines`. A record ends in '\n'.
off_t start_of_last(int fd, std::int64_t& lines) {
  off_t end = size_of(fd);
  std::vector<char> block(block_bytes);
  bool is_last_byte = true;  // the newline at the very end closes the last record
  while (end > 0) {
    const auto take = std::min<off_t>(end, static_cast<off_t>(block.size()));
    const ssize_t got = ::pread(fd, block.data(), static_cast<std::size_t>(take), end - take);
    if (got != take) return 0;
    for (off_t i = take; i-- > 0; is_last_byte = false) {
      if (block[static_cast<std::size_t>(i)] != '\n' || is_last_byte) continue;
      if (--lines == 0) return end - take + i + 1;
    }
    end -= take;
  }
  if (size_of(fd) > 0) --lines;  // the first record has no newline before it
  return 0;
}

}  // namespace

std::optional<LogLine> parse_log_line(std::string_view line) {
  LogLine parsed;
  auto word = [&line]() {
    const auto blank = line.find(' ');
    const std::string_view found = line.substr(0, blank);
    line.remove_prefix(blank == std::string_view::npos ? line.size() : blank + 1);
    return found;
  };
  parsed.time = word();
  const std::string_view stream = word();
  const std::string_view tag = word();
  if ((stream != "stdout" && stream != "stderr") || (tag != "F" && tag != "P")) return std::nullopt;
  parsed.is_stderr = stream == "stderr";
  parsed.is_partial = tag == "P";
  parsed.text = line;
  return parsed;
}

LogReader::LogReader(std::string path, LogOptions options)
    : path_(std::move(path)), options_(options), left_bytes_(options.limit_bytes) {
  if (!options_.since) return;
  since_text_ = time_text(*options_.since);
  since_text_.pop_back();  // the Z: fractions of that second come after it
}

Result<LogReader> LogReader::open(const std::string& path, LogOptions options) {
  LogReader reader(path, options);
  if (auto found = reader.find_start(); !found) return std::unexpected(found.error());
  return reader;
}

Result<> LogReader::find_start() {
  std::vector<Fd> files;  // newest first
  files.push_back(open_file(path_));
  if (!files.back()) return fail_errno(errno, "open log {}", path_);
  std::int64_t lines = options_.tail_lines.value_or(INT64_MAX);
  off_t start = size_of(files.back().get());
  if (lines > 0) start = start_of_last(files.back().get(), lines);
  for (int n = 1; n <= rotated_max && lines > 0; ++n) {
    Fd older = open_file(path_ + "." + std::to_string(n));
    if (!older) break;
    start = start_of_last(older.get(), lines);
    files.push_back(std::move(older));
  }
  file_ = std::move(files.back());
  files.pop_back();
  if (::lseek(file_.get(), start, SEEK_SET) < 0) return fail_errno(errno, "seek in log {}", path_);
  while (!files.empty()) {
    later_.push_back(std::move(files.back()));
    files.pop_back();
  }
  return {};
}

bool LogReader::fill() {
  const std::size_t before = buffer_.size();
  buffer_.resize(before + block_bytes);
  const ssize_t got = ::read(file_.get(), buffer_.data() + before, block_bytes);
  buffer_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return got > 0;
}

// At the end of a file: on to the next, if there is one.
bool LogReader::next_file() {
  if (!later_.empty()) {
    file_ = std::move(later_.front());
    later_.pop_front();
    return true;
  }
  if (is_same_file(file_.get(), path_)) return false;
  // Rotated while we read: what came in between is path.1 now, and ours is older.
  Fd next = open_file(path_);
  if (!next) return false;
  if (fill()) return true;  // its last words came before the rename
  file_ = std::move(next);
  return true;
}

void LogReader::emit(const LogLine& line, std::string& out) {
  if (!in_line_ && line.time < since_text_) return;
  const std::size_t before = out.size();
  if (options_.timestamps && !in_line_) {
    out += line.time;
    out += ' ';
  }
  out += line.text;
  if (!line.is_partial) out += '\n';
  in_line_ = line.is_partial;
  if (left_bytes_) {
    const auto added = static_cast<std::int64_t>(out.size() - before);
    if (added > *left_bytes_) out.resize(before + static_cast<std::size_t>(*left_bytes_));
    *left_bytes_ -= added;
  }
}

bool LogReader::read(std::string& out, std::size_t bytes) {
  const std::size_t wanted = out.size() + bytes;
  while (out.size() < wanted && !is_finished()) {
    std::size_t start = 0, end = 0;
    while (out.size() < wanted && !is_finished() &&
           (end = buffer_.find('\n', start)) != std::string::npos) {
      if (auto line = parse_log_line(std::string_view(buffer_).substr(start, end - start))) {
        emit(*line, out);
      }
      start = end + 1;
    }
    buffer_.erase(0, start);
    if (out.size() >= wanted || is_finished()) return !is_finished();
    if (buffer_.size() > line_bytes_max) buffer_.clear();
    if (!fill() && !next_file()) return false;
  }
  return !is_finished();
}

}  // namespace keelson
