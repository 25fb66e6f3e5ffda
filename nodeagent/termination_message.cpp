// The file is the pod's to write: only its first bytes are looked at.
#include "nodeagent/termination_message.h"

#include <fcntl.h>
#include <unistd.h>

#include "api/go_text.h"
#include "base/fd.h"
#include "nodeagent/log_reader.h"

namespace keelson {
namespace {

constexpr std::size_t message_bytes_max = 4'096;
constexpr std::size_t log_bytes_max = 2'048;
constexpr std::int64_t log_lines_max = 80;

std::string first_bytes(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  std::string text(message_bytes_max, '\0');
  const ssize_t got = fd ? ::read(fd.get(), text.data(), text.size()) : 0;
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

}  // namespace

std::string read_termination_message(const MessageSource& source) {
  std::string text = first_bytes(source.file);
  if (text.empty() && source.fall_back_to_log) {
    auto log = LogReader::open(source.log_path, {.tail_lines = log_lines_max});
    while (log && log->read(text, 64 * 1024)) {
      if (text.size() > log_bytes_max) text.erase(0, text.size() - log_bytes_max);
    }
    if (text.size() > log_bytes_max) text.erase(0, text.size() - log_bytes_max);
  }
  return to_utf8(text);
}

}  // namespace keelson
