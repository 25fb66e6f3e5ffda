// Looking up users and groups of an image, and giving a volume to a group.
#include "isolation/user.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>

#include "base/fd.h"

namespace keelson::isolation {
namespace {

constexpr std::size_t database_bytes_max = 1 << 20;
constexpr int depth_max = 512;

// A file below the root, whatever links say; "" if there is none. Devices, FIFOs and the like are
// not opened in earnest.
Result<std::string> read_below(int root_fd, const char* path) {
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  const Fd file(static_cast<int>(syscall(SYS_openat2, root_fd, path, &how, sizeof how)));
  if (!file && (errno == ENOENT || errno == ENOTDIR)) return std::string();
  struct stat status {};
  if (!file || fstat(file.get(), &status) < 0)
    return fail_errno(errno, "read the image's {}", path);
  if (!S_ISREG(status.st_mode)) return std::string();
  std::string text(database_bytes_max, '\0');
  std::size_t used = 0;
  for (ssize_t got = 1; got > 0 && used < text.size(); used += static_cast<std::size_t>(got)) {
    got = ::read(file.get(), text.data() + used, text.size() - used);
    if (got < 0) return fail_errno(errno, "read the image's {}", path);
  }
  text.resize(used);
  return text;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::optional<std::uint32_t> number_in(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

struct PasswdRow {
  std::string name, home;
  std::uint32_t uid = 0, gid = 0;
};

// By name or number, whatever the text is.
std::optional<PasswdRow> find_user(std::string_view passwd, std::string_view user) {
  for (const auto line : split(passwd, '\n')) {
    const auto fields = split(line, ':');
    if (fields.size() < 6) continue;
    const auto uid = number_in(fields[2]);
    const auto gid = number_in(fields[3]);
    if (!uid || !gid || (fields[0] != user && fields[2] != user)) continue;
    return PasswdRow{std::string(fields[0]), std::string(fields[5]), *uid, *gid};
  }
  return {};
}

struct GroupRow {
  std::string_view name, number;
  std::uint32_t gid;
  std::vector<std::string_view> members;
};

std::vector<GroupRow> rows_of_group(std::string_view group) {
  std::vector<GroupRow> rows;
  for (const auto line : split(group, '\n')) {
    const auto fields = split(line, ':');
    if (fields.size() < 3) continue;
    const auto gid = number_in(fields[2]);
    if (!gid) continue;
    rows.push_back({fields[0], fields[2], *gid,
                    fields.size() > 3 ? split(fields[3], ',') : std::vector<std::string_view>()});
  }
  return rows;
}

Result<std::uint32_t> find_group(const std::vector<GroupRow>& rows, std::string_view group) {
  for (const auto& row : rows) {
    if (row.name == group || row.number == group) return row.gid;
  }
  if (const auto gid = number_in(group)) return *gid;
  return fail(Reason::Invalid, "unable to find group {}: no matching entries in group file", group);
}

Result<> give_entry(int folder, const char* name, std::uint32_t gid, int depth);

Result<> give_children(int folder_fd, std::uint32_t gid, int depth) {
  if (depth > depth_max) return fail(Reason::Invalid, "folders nested deeper than {}", depth_max);
  DIR* entries = fdopendir(dup(folder_fd));
  if (entries == nullptr) return fail_errno(errno, "list a folder");
  Result<> result;
  while (const dirent* entry = readdir(entries)) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    result = give_entry(folder_fd, entry->d_name, gid, depth);
    if (!result) break;
  }
  closedir(entries);
  return result;
}

// kubelet's permissions: what its owner may read its group may read and write.
Result<> give_opened(int fd, const struct stat& status, std::uint32_t gid) {
  if (fchown(fd, static_cast<uid_t>(-1), gid) < 0) return fail_errno(errno, "chown");
  const unsigned more = S_ISDIR(status.st_mode) ? S_ISGID | 0770U : 0660U;
  if (fchmod(fd, (status.st_mode & 07777) | more) < 0) return fail_errno(errno, "chmod");
  return {};
}

Result<> give_entry(int folder, const char* name, std::uint32_t gid, int depth) {
  struct stat status {};
  if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) < 0) {
    return errno == ENOENT ? Result<>() : fail_errno(errno, "{}", name);
  }
  if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) {
    if (fchownat(folder, name, static_cast<uid_t>(-1), gid, AT_SYMLINK_NOFOLLOW) < 0) {
      return fail_errno(errno, "chown {}", name);
    }
    return {};
  }
  const Fd fd(openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd || fstat(fd.get(), &status) < 0) return fail_errno(errno, "open {}", name);
  auto given = give_opened(fd.get(), status, gid);
  if (given && S_ISDIR(status.st_mode)) given = give_children(fd.get(), gid, depth + 1);
  return given ? given : given.error().during("{}", name);
}

}  // namespace

Result<User> resolve_user(int root_fd, const UserSpec& spec) {
  auto passwd = read_below(root_fd, "etc/passwd");
  if (!passwd) return std::unexpected(passwd.error());
  auto group = read_below(root_fd, "etc/group");
  if (!group) return std::unexpected(group.error());
  const auto colon = spec.image_user.find(':');
  std::string name = spec.image_user.substr(0, colon);
  const std::string group_name =
      colon == std::string::npos ? "" : spec.image_user.substr(colon + 1);
  const bool is_image_user = !spec.uid;
  if (spec.uid) name = std::to_string(*spec.uid);
  if (name.empty()) name = "0";

  User user;
  const auto row = find_user(*passwd, name);
  if (row) {
    user.uid = row->uid;
    user.gid = row->gid;
    user.home = row->home;
  } else if (const auto uid = number_in(name)) {
    user.uid = *uid;
  } else {
    return fail(Reason::Invalid, "unable to find user {}: no matching entries in passwd file",
                name);
  }
  const auto groups = rows_of_group(*group);
  if (is_image_user && !group_name.empty()) {
    const auto gid = find_group(groups, group_name);
    if (!gid) return std::unexpected(gid.error());
    user.gid = *gid;
  }
  if (spec.gid) user.gid = *spec.gid;
  user.groups = spec.groups;
  for (const auto& each : groups) {
    if (row && std::ranges::find(each.members, row->name) != each.members.end()) {
      user.groups.push_back(each.gid);
    }
  }
  // Or a setgid program could get rid of what is denied to this group.
  user.groups.push_back(user.gid);
  std::ranges::sort(user.groups);
  user.groups.erase(std::ranges::unique(user.groups).begin(), user.groups.end());
  if (user.home.empty()) user.home = "/";
  return user;
}

Result<> give_to_group(const std::string& folder, std::uint32_t gid) {
  auto given = give_entry(AT_FDCWD, folder.c_str(), gid, 0);
  return given ? given : given.error().during("give {} to group {}", folder, gid);
}

}  // namespace keelson::isolation
