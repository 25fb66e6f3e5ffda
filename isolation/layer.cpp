// The tar's entries, one after the other, onto disk.
#include "isolation/layer.h"

#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "isolation/layer_stream.h"
#include "isolation/tree.h"

namespace keelson::isolation {
namespace {

constexpr std::string_view whiteout = ".wh.";
constexpr std::string_view opaque = ".wh..wh..opq";
constexpr int xattrs_max = 64;
constexpr std::size_t xattr_bytes_max = 64 * 1024;  // the kernel's own

class Unpacker {
 public:
  Unpacker(int folder, const std::vector<int>& lower, const ImageLimits& limits)
      : folder_(folder), lower_(lower), limits_(limits) {}

  Result<> add(archive* tar, archive_entry* entry) {
    if (++done_.entries > limits_.entries) {
      return fail(Reason::Invalid, "more than {} entries", limits_.entries);
    }
    const char* name = archive_entry_pathname(entry);
    auto parts = split_path(name == nullptr ? "" : name);
    if (!parts) return std::unexpected(parts.error());
    if (parts->empty()) return set_metadata(folder_, entry, ".");
    const std::string last = parts->back();
    parts->pop_back();
    auto parent = open_parent(*parts);
    if (!parent) return std::unexpected(parent.error());
    if (last.starts_with(whiteout)) return hide((*parent)->get(), last);
    return make(tar, entry, (*parent)->get(), last, *parts);
  }

  // Folders change while their files are made: their times are set last.
  void set_folder_times() {
    for (auto each = folder_times_.rbegin(); each != folder_times_.rend(); ++each) {
      auto folder = open_below(folder_, each->first, O_RDONLY | O_DIRECTORY);
      const timespec times[2] = {each->second, each->second};
      if (folder) futimens(folder->get(), times);
    }
  }
  const UnpackedLayer& done() const { return done_; }

 private:
  // The same folder usually holds many entries in a row.
  Result<const Fd*> open_parent(const std::vector<std::string>& parts) {
    const std::string path = join_path(parts);
    if (parent_ && path == parent_path_) return &parent_;
    auto folder = open_below(folder_, path, O_PATH | O_DIRECTORY);
    if (!folder && folder.error().reason == Reason::NotFound) folder = make_parents(parts);
    if (!folder) return std::unexpected(folder.error());
    parent_ = std::move(*folder);
    parent_path_ = path;
    return &parent_;
  }

  Result<Fd> make_parents(const std::vector<std::string>& parts) {
    std::vector<std::string> path;
    Result<Fd> folder = open_below(folder_, ".", O_PATH | O_DIRECTORY);
    for (const auto& part : parts) {
      if (!folder) return folder;
      path.push_back(part);
      if (mkdirat(folder->get(), part.c_str(), 0755) == 0) {
        take_over_from_below(join_path(path), folder->get(), part);
      } else if (errno != EEXIST) {
        return fail_errno(errno, "{}", join_path(path));
      }
      folder = open_below(folder_, join_path(path), O_PATH | O_DIRECTORY);
    }
    return folder;
  }

  // In an overlay the upper folder's owner and mode are what one sees: one that this tar does not
  // mention must not change.
  void take_over_from_below(const std::string& path, int parent, const std::string& name) {
    struct stat status {};
    const auto made =
        Fd(openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!made) return;
    fchmod(made.get(), 0755);
    for (const int lower : lower_) {
      auto below = open_below(lower, path, O_PATH | O_DIRECTORY);
      if (!below || fstat(below->get(), &status) < 0) continue;
      (void)!fchown(made.get(), status.st_uid, status.st_gid);
      fchmod(made.get(), status.st_mode & 07777);
      return;
    }
  }

  Result<> hide(int parent_path_fd, const std::string& name) {
    const Fd parent(openat(parent_path_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!parent) return fail_errno(errno, "{}", name);
    if (name == opaque) {
      if (fsetxattr(parent.get(), "trusted.overlay.opaque", "y", 1, 0) < 0) {
        return fail_errno(errno, "mark a folder opaque");
      }
      return {};
    }
    const std::string hidden = name.substr(whiteout.size());
    if (hidden.starts_with(whiteout)) return {};  // aufs' own housekeeping
    if (hidden.empty() || hidden == "." || hidden == "..") {
      return fail(Reason::Invalid, "whiteout \"{}\"", name);
    }
    // A character device 0:0 is overlayfs' whiteout.
    if (mknodat(parent.get(), hidden.c_str(), S_IFCHR | 0600, 0) < 0 && errno != EEXIST) {
      return fail_errno(errno, "hide {}", hidden);
    }
    return {};
  }

  Result<> make(archive* tar, archive_entry* entry, int parent, const std::string& name,
                const std::vector<std::string>& parts) {
    const auto type = archive_entry_filetype(entry);
    if (const char* target = archive_entry_hardlink(entry)) return link(target, parent, name);
    if (type == AE_IFDIR) return make_folder(entry, parent, name, parts);
    if (type == AE_IFCHR || type == AE_IFBLK || type == AE_IFSOCK) {
      ++done_.skipped_devices;  // a container's /dev is not the image's
      return {};
    }
    auto cleared = clear(parent, name);
    if (!cleared) return cleared;
    if (type == AE_IFREG) return make_file(tar, entry, parent, name);
    if (type == AE_IFLNK) return make_link(entry, parent, name);
    if (type == AE_IFIFO) return make_fifo(entry, parent, name);
    return fail(Reason::Invalid, "{}: unknown type", name);
  }

  // A later entry of the same name replaces the former.
  Result<> clear(int parent, const std::string& name) {
    struct stat status {};
    if (fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) < 0) return {};
    parent_path_.clear();  // it may have been what the next parent is found through
    const Fd folder(openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return remove_below(folder.get(), name);
  }

  Result<> make_folder(archive_entry* entry, int parent, const std::string& name,
                       const std::vector<std::string>& parts) {
    if (mkdirat(parent, name.c_str(), 0700) < 0) {
      struct stat status {};
      if (errno != EEXIST) return fail_errno(errno, "{}", name);
      if (fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) < 0) {
        return fail_errno(errno, "{}", name);
      }
      if (!S_ISDIR(status.st_mode)) {
        auto cleared = clear(parent, name);
        if (!cleared) return cleared;
        if (mkdirat(parent, name.c_str(), 0700) < 0) return fail_errno(errno, "{}", name);
      }
    }
    const Fd made(openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!made) return fail_errno(errno, "{}", name);
    std::vector<std::string> path = parts;
    path.push_back(name);
    if (archive_entry_mtime_is_set(entry) != 0) {
      folder_times_.emplace_back(join_path(path), time_of(entry));
    }
    return set_metadata(made.get(), entry, name);
  }

  Result<> make_file(archive* tar, archive_entry* entry, int parent, const std::string& name) {
    const Fd made(
        openat(parent, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!made) return fail_errno(errno, "{}", name);
    const auto size =
        static_cast<std::uint64_t>(std::max<la_int64_t>(archive_entry_size(entry), 0));
    if (size > limits_.image_bytes - std::min(done_.bytes, limits_.image_bytes)) {
      return fail(Reason::Invalid, "{}: more than {} bytes in all", name, limits_.image_bytes);
    }
    done_.bytes += size;
    auto written = write_file(tar, made.get(), size, name);
    if (!written) return written;
    auto set = set_metadata(made.get(), entry, name);
    const timespec times[2] = {time_of(entry), time_of(entry)};
    futimens(made.get(), times);
    return set;
  }

  static Result<> write_file(archive* tar, int fd, std::uint64_t size, const std::string& name) {
    const void* bytes = nullptr;
    std::size_t count = 0;
    la_int64_t offset = 0;
    int result = ARCHIVE_OK;
    while ((result = archive_read_data_block(tar, &bytes, &count, &offset)) == ARCHIVE_OK) {
      if (offset < 0 || static_cast<std::uint64_t>(offset) + count > size) {
        return fail(Reason::Invalid, "{}: more data than its size", name);
      }
      for (std::size_t done = 0; done < count;) {
        const auto put = pwrite(fd, static_cast<const char*>(bytes) + done, count - done,
                                offset + static_cast<off_t>(done));
        if (put < 0) return fail_errno(errno, "write {}", name);
        done += static_cast<std::size_t>(put);
      }
    }
    if (result != ARCHIVE_EOF) return fail(Reason::Invalid, "{}: {}", name, words_of(tar));
    if (ftruncate(fd, static_cast<off_t>(size)) < 0) return fail_errno(errno, "write {}", name);
    return {};
  }

  Result<> link(const char* target, int parent, const std::string& name) {
    auto parts = split_path(target);
    if (!parts) return std::unexpected(parts.error());
    if (parts->empty()) return fail(Reason::Invalid, "{}: a link to nothing", name);
    const std::string last = parts->back();
    parts->pop_back();
    auto folder = open_below(folder_, join_path(*parts), O_PATH | O_DIRECTORY);
    if (!folder) return folder.error().during("{}: link to {}", name, target);
    struct stat status {};
    struct stat own {};
    if (fstatat(folder->get(), last.c_str(), &status, AT_SYMLINK_NOFOLLOW) < 0) {
      return fail_errno(errno, "{}: link to {}", name, target);
    }
    if (fstatat(parent, name.c_str(), &own, AT_SYMLINK_NOFOLLOW) == 0 &&
        own.st_ino == status.st_ino) {
      return {};  // to itself
    }
    auto cleared = clear(parent, name);
    if (!cleared) return cleared;
    if (linkat(folder->get(), last.c_str(), parent, name.c_str(), 0) < 0) {
      return fail_errno(errno, "{}: link to {}", name, target);
    }
    return {};
  }

  Result<> make_link(archive_entry* entry, int parent, const std::string& name) {
    const char* target = archive_entry_symlink(entry);
    if (target == nullptr || symlinkat(target, parent, name.c_str()) < 0) {
      return fail_errno(target == nullptr ? EINVAL : errno, "{}", name);
    }
    if (fchownat(parent, name.c_str(), id_of(archive_entry_uid(entry)),
                 id_of(archive_entry_gid(entry)), AT_SYMLINK_NOFOLLOW) < 0) {
      return fail_errno(errno, "{}", name);
    }
    const timespec times[2] = {time_of(entry), time_of(entry)};
    utimensat(parent, name.c_str(), times, AT_SYMLINK_NOFOLLOW);
    return {};
  }

  Result<> make_fifo(archive_entry* entry, int parent, const std::string& name) {
    if (mkfifoat(parent, name.c_str(), 0600) < 0) return fail_errno(errno, "{}", name);
    const Fd made(openat(parent, name.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
    if (!made) return fail_errno(errno, "{}", name);
    return set_metadata(made.get(), entry, name);
  }

  static Result<> set_metadata(int fd, archive_entry* entry, const std::string& name) {
    if (fchown(fd, id_of(archive_entry_uid(entry)), id_of(archive_entry_gid(entry))) < 0) {
      return fail_errno(errno, "chown {}", name);
    }
    if (fchmod(fd, archive_entry_perm(entry) & 07777) < 0)
      return fail_errno(errno, "chmod {}", name);
    const char* key = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    archive_entry_xattr_reset(entry);
    for (int i = 0; i < xattrs_max; ++i) {
      if (archive_entry_xattr_next(entry, &key, &value, &size) != ARCHIVE_OK) break;
      // Never trusted.*: overlayfs would believe it.
      const bool is_kept =
          std::strcmp(key, "security.capability") == 0 || std::strncmp(key, "user.", 5) == 0;
      if (is_kept && size <= xattr_bytes_max && fsetxattr(fd, key, value, size, 0) < 0 &&
          errno != ENOTSUP && errno != EPERM) {
        return fail_errno(errno, "{} of {}", key, name);
      }
    }
    return {};
  }

  static std::uint32_t id_of(la_int64_t id) {
    return id < 0 || id > 0xfffffffe ? 0 : static_cast<std::uint32_t>(id);
  }
  static timespec time_of(archive_entry* entry) {
    return {archive_entry_mtime(entry), archive_entry_mtime_nsec(entry)};
  }

 public:
  static std::string words_of(archive* tar) {
    const char* words = archive_error_string(tar);
    return words == nullptr ? "damaged" : words;
  }

 private:
  int folder_;
  const std::vector<int>& lower_;
  const ImageLimits& limits_;
  UnpackedLayer done_;
  Fd parent_;
  std::string parent_path_;
  std::vector<std::pair<std::string, timespec>> folder_times_;
};

la_ssize_t read_tar(archive* tar, void* self, const void** bytes) {
  auto& stream = *static_cast<LayerStream*>(self);
  const long got = stream.read(bytes);
  if (got < 0) archive_set_error(tar, EIO, "%s", stream.error().c_str());
  return got;
}

Result<> check_digest(const std::string& wanted, const std::string& found, const char* what) {
  if (wanted.empty() || wanted == found) return {};
  return fail(Reason::Invalid, "{} digest is sha256:{}, not sha256:{}", what, found, wanted);
}

}  // namespace

Result<UnpackedLayer> unpack_layer(const LayerSource& source, int folder,
                                   const std::vector<int>& lower, const ImageLimits& limits) {
  // A tar is larger than its files by a block a file and some.
  LayerStream stream(source.blob_fd, limits.image_bytes + limits.entries * 2048);
  const std::string complaint = stream.open();
  if (!complaint.empty()) return fail(Reason::Invalid, "layer: {}", complaint);
  const ArchivePtr tar(archive_read_new());
  archive_read_support_format_tar(tar.get());
  archive_read_support_format_empty(tar.get());
  if (archive_read_open(tar.get(), &stream, nullptr, read_tar, nullptr) != ARCHIVE_OK) {
    return fail(Reason::Invalid, "layer: {}", Unpacker::words_of(tar.get()));
  }
  Unpacker unpacker(folder, lower, limits);
  archive_entry* entry = nullptr;
  int result = ARCHIVE_OK;
  while ((result = archive_read_next_header(tar.get(), &entry)) == ARCHIVE_OK ||
         result == ARCHIVE_WARN) {
    auto added = unpacker.add(tar.get(), entry);
    if (!added) return added.error().during("layer");
  }
  if (result != ARCHIVE_EOF) {
    return fail(Reason::Invalid, "layer: {}", Unpacker::words_of(tar.get()));
  }
  if (!stream.drain()) return fail(Reason::Invalid, "layer: {}", stream.error());
  auto right = check_digest(source.diff_id, stream.tar_digest(), "layer: tar");
  if (right) right = check_digest(source.blob_digest, stream.blob_digest(), "layer: blob");
  if (!right) return std::unexpected(right.error());
  unpacker.set_folder_times();
  return unpacker.done();
}

}  // namespace keelson::isolation
