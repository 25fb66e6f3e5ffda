// New files beside the old ones, one rename, then the old ones go.
#include "nodeagent/atomic_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <set>

#include "base/fd.h"

namespace keelson {
namespace {

namespace fs = std::filesystem;

// Paths come from manifests; the API refuses these too, but a folder of the node is at stake.
Result<> check_path(const std::string& path) {
  for (const auto& part : fs::path(path)) {
    if (part == "..") return fail(Reason::Invalid, "path \"{}\" must not contain ..", path);
  }
  if (path.empty() || path.front() == '/' || path.starts_with("..")) {
    return fail(Reason::Invalid, "path \"{}\" must be relative and not start with ..", path);
  }
  return {};
}

Result<> write_file(const std::string& path, const VolumeFile& file, std::optional<gid_t> group) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return fail_errno(errno, "create {}", path);
  std::string_view rest = file.bytes;
  while (!rest.empty()) {
    const ssize_t wrote = ::write(fd.get(), rest.data(), rest.size());
    if (wrote < 0) return fail_errno(errno, "write {}", path);
    rest.remove_prefix(static_cast<std::size_t>(wrote));
  }
  if (group && ::fchown(fd.get(), static_cast<uid_t>(-1), *group) != 0) {
    return fail_errno(errno, "give {} to group {}", path, *group);
  }
  // The group of fsGroup can read what the owner can.
  const int mode = group ? file.mode | ((file.mode & 0400) >> 3) : file.mode;
  if (::fchmod(fd.get(), static_cast<mode_t>(mode)) != 0) {
    return fail_errno(errno, "set the mode of {}", path);
  }
  return {};
}

Result<> write_all(const std::string& folder, const VolumeFiles& files,
                   std::optional<gid_t> group) {
  if (::mkdir(folder.c_str(), 0755) != 0) return fail_errno(errno, "make folder {}", folder);
  for (const auto& [path, file] : files) {
    if (auto fine = check_path(path); !fine) return fine;
    const std::string full = folder + "/" + path;
    std::error_code error;
    fs::create_directories(fs::path(full).parent_path(), error);
    if (error) return fail(Reason::InternalError, "make folder for {}: {}", full, error.message());
    if (auto written = write_file(full, file, group); !written) return written;
  }
  return {};
}

bool same_file(const std::string& path, const VolumeFile& file) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat about {};
  if (!fd || ::fstat(fd.get(), &about) != 0) return false;
  if (static_cast<std::size_t>(about.st_size) != file.bytes.size()) return false;
  std::string bytes(file.bytes.size() + 1, '\0');
  const ssize_t got = ::read(fd.get(), bytes.data(), bytes.size());
  return got == about.st_size && bytes.compare(0, file.bytes.size(), file.bytes) == 0;
}

bool unchanged(const std::string& folder, const VolumeFiles& files) {
  std::error_code error;
  const fs::path data = fs::path(folder) / "..data";
  std::size_t present = 0;
  for (auto at = fs::recursive_directory_iterator(data, error);
       !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    if (at->is_regular_file(error)) ++present;
  }
  if (error || present != files.size()) return false;
  for (const auto& [path, file] : files) {
    if (!same_file((data / path).string(), file)) return false;
  }
  return true;
}

Result<> point(const std::string& target, const std::string& link) {
  const std::string temporary = link + "_tmp";
  ::unlink(temporary.c_str());
  if (::symlink(target.c_str(), temporary.c_str()) != 0) {
    return fail_errno(errno, "link {}", temporary);
  }
  if (::rename(temporary.c_str(), link.c_str()) != 0) return fail_errno(errno, "rename {}", link);
  return {};
}

// What an earlier write left, whole or in pieces.
void remove_stale(const std::string& folder, const std::string& stamp) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename();
    if (name.starts_with("..") && name != "..data" && name != stamp) {
      fs::remove_all(entry.path(), error);
    }
  }
}

// The names users see: first parts of the paths.
Result<> update_names(const std::string& folder, const VolumeFiles& files) {
  std::set<std::string> names;
  for (const auto& [path, file] : files) names.insert(path.substr(0, path.find('/')));
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename();
    if (name.starts_with("..") || names.erase(name) > 0) continue;
    fs::remove(entry.path(), error);
  }
  for (const auto& name : names) {
    if (::symlink(("..data/" + name).c_str(), (folder + "/" + name).c_str()) != 0) {
      return fail_errno(errno, "link {}/{}", folder, name);
    }
  }
  return {};
}

}  // namespace

Result<> write_atomically(const std::string& folder, const VolumeFiles& files,
                          std::optional<gid_t> group, WallTime now) {
  if (unchanged(folder, files)) return {};
  const std::string stamp = fmt::format("..{}", now.time_since_epoch() / 1ns);
  const std::string fresh = folder + "/" + stamp;
  auto written = write_all(fresh, files, group);
  if (written) written = point(stamp, folder + "/..data");
  if (!written) {
    std::error_code ignored;  // what could not be removed goes with the next write
    fs::remove_all(fresh, ignored);
    return written;
  }
  remove_stale(folder, stamp);
  return update_names(folder, files);
}

}  // namespace keelson
