// openat2 with RESOLVE_IN_ROOT, and what is built on it.
#include "isolation/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace keelson::isolation {

Result<std::vector<std::string>> split_path(std::string_view path) {
  if (path.size() >= 4096 || path.contains('\0')) return fail(Reason::Invalid, "path is too long");
  std::vector<std::string> parts;
  while (!path.empty()) {
    const auto slash = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, slash);
    if (part == "..") return fail(Reason::Invalid, "a path with \"..\"");
    if (!part.empty() && part != ".") parts.emplace_back(part);
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return parts;
}

std::string join_path(const std::vector<std::string>& parts) {
  std::string path;
  for (const auto& part : parts) path += (path.empty() ? "" : "/") + part;
  return path.empty() ? "." : path;
}

Result<Fd> open_below(int folder, const std::string& path, int flags, unsigned mode) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.mode = mode;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  Fd fd(static_cast<int>(syscall(SYS_openat2, folder, path.c_str(), &how, sizeof how)));
  if (!fd) return fail_errno(errno, "{}", path);
  return fd;
}

Result<std::string> read_below(int folder, const std::string& path, std::size_t bytes_max) {
  auto file = open_below(folder, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!file) return std::unexpected(file.error());
  struct stat status {};
  if (fstat(file->get(), &status) < 0) return fail_errno(errno, "{}", path);
  if (!S_ISREG(status.st_mode)) return fail(Reason::Invalid, "{}: is no file", path);
  if (static_cast<std::size_t>(status.st_size) > bytes_max) {
    return fail(Reason::Invalid, "{}: has {} bytes, at most {}", path, status.st_size, bytes_max);
  }
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t used = 0;
  while (used < text.size()) {
    const auto got = ::read(file->get(), text.data() + used, text.size() - used);
    if (got < 0) return fail_errno(errno, "{}", path);
    if (got == 0) break;
    used += static_cast<std::size_t>(got);
  }
  text.resize(used);
  return text;
}

Result<> remove_below(int folder, const std::string& name) {
  if (unlinkat(folder, name.c_str(), 0) == 0 || errno == ENOENT) return {};
  if (errno != EISDIR && errno != EPERM) return fail_errno(errno, "remove {}", name);
  const int fd = openat(folder, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR* entries = fd < 0 ? nullptr : fdopendir(fd);
  if (entries == nullptr) {
    const int error_number = errno;
    if (fd >= 0) close(fd);
    return error_number == ENOENT ? Result<>() : fail_errno(error_number, "remove {}", name);
  }
  Result<> removed;
  while (const dirent* entry = readdir(entries)) {
    if (std::strcmp(entry->d_name, ".") == 0 || std::strcmp(entry->d_name, "..") == 0) continue;
    removed = remove_below(dirfd(entries), entry->d_name);
    if (!removed) break;
  }
  closedir(entries);
  if (!removed) return removed.error().during("{}", name);
  if (unlinkat(folder, name.c_str(), AT_REMOVEDIR) < 0 && errno != ENOENT) {
    return fail_errno(errno, "remove {}", name);
  }
  return {};
}

}  // namespace keelson::isolation
