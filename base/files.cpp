// open, read, write, fsync, rename.
#include "base/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/fd.h"

namespace keelson {
namespace {

Result<> write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = ::write(fd, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return fail_errno(errno, "write");
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return {};
}

Result<> fill(int fd, std::string_view text, mode_t mode) {
  if (::fchmod(fd, mode) != 0) return fail_errno(errno, "chmod");  // whatever the umask
  if (Result<> done = write_all(fd, text); !done) return done;
  if (::fsync(fd) != 0) return fail_errno(errno, "fsync");
  return {};
}

Result<> sync_folder(const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return fail_errno(errno, "sync {}", folder);
  return {};
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return fail_errno(errno, "open {}", path);
  std::string text;
  char buffer[16 * 1024];
  for (;;) {
    const ssize_t got = ::read(fd.get(), buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(errno, "read {}", path);
    if (got == 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
    if (text.size() > bytes_max) {
      return fail(Reason::RequestEntityTooLarge, "read {}: it has more than {} bytes", path,
                  bytes_max);
    }
  }
}

Result<> replace_file(const std::string& path, std::string_view text, mode_t mode) {
  std::string beside = path + ".XXXXXX";
  Fd fd(::mkostemp(beside.data(), O_CLOEXEC));
  if (!fd) return fail_errno(errno, "write {}", path);
  Result<> filled = fill(fd.get(), text, mode);
  if (filled && ::rename(beside.c_str(), path.c_str()) != 0) {
    filled = fail_errno(errno, "rename {}", beside);
  }
  if (!filled) {
    ::unlink(beside.c_str());
    return filled.error().during("write {}", path);
  }
  return sync_folder(path);
}

}  // namespace keelson
