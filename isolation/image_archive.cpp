// Reading the outer tar; it may be hostile as the inner ones.
#include "isolation/image_archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "isolation/layer_stream.h"
#include "isolation/tree.h"

namespace keelson::isolation {
namespace {

constexpr int members_max = 20'000;

std::string words_of(archive* tar) {
  const char* words = archive_error_string(tar);
  return words == nullptr ? "damaged" : words;
}

class ArchiveUnpacker {
 public:
  ArchiveUnpacker(int folder, std::uint64_t bytes_max) : folder_(folder), left_(bytes_max) {}

  Result<> add(archive* tar, archive_entry* entry) {
    if (++members_ > members_max) return fail(Reason::Invalid, "more than {} files", members_max);
    const char* name = archive_entry_pathname(entry);
    auto parts = split_path(name == nullptr ? "" : name);
    if (!parts) return std::unexpected(parts.error());
    const auto type = archive_entry_filetype(entry);
    if (parts->empty() || (type != AE_IFREG && type != AE_IFLNK)) return {};
    auto made = make_parents(*parts);
    if (!made) return made;
    const std::string path = join_path(*parts);
    if (type == AE_IFLNK || archive_entry_hardlink(entry) != nullptr) {
      return link(entry, *parts, path);
    }
    return write(tar, path);
  }

  // A link's target may come after it.
  Result<> finish() {
    for (const auto& [path, target] : links_) {
      if (linkat(folder_, target.c_str(), folder_, path.c_str(), 0) < 0 && errno != EEXIST) {
        return fail_errno(errno, "{}: link to {}", path, target);
      }
    }
    return {};
  }

 private:
  Result<> make_parents(std::vector<std::string> parts) const {
    std::string path;
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
      path += (path.empty() ? "" : "/") + parts[i];
      if (mkdirat(folder_, path.c_str(), 0700) < 0 && errno != EEXIST) {
        return fail_errno(errno, "{}", path);
      }
    }
    return {};
  }

  // Our folder holds no symbolic links: none are made.
  Result<> write(archive* tar, const std::string& path) {
    unlinkat(folder_, path.c_str(), 0);
    auto file = open_below(folder_, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    if (!file) return std::unexpected(file.error());
    char bytes[64 * 1024];
    la_ssize_t got = 0;
    while ((got = archive_read_data(tar, bytes, sizeof bytes)) > 0) {
      if (static_cast<std::uint64_t>(got) > left_) {
        return fail(Reason::Invalid, "grows beyond its bound at {}", path);
      }
      left_ -= static_cast<std::uint64_t>(got);
      if (::write(file->get(), bytes, static_cast<std::size_t>(got)) != got) {
        return fail_errno(errno == 0 ? ENOSPC : errno, "write {}", path);
      }
    }
    return got < 0 ? fail(Reason::Invalid, "{}: {}", path, words_of(tar)) : Result<>();
  }

  Result<> link(archive_entry* entry, const std::vector<std::string>& parts,
                const std::string& path) {
    const char* hard = archive_entry_hardlink(entry);
    const char* soft = archive_entry_symlink(entry);
    const std::string target = hard != nullptr ? hard : soft == nullptr ? "" : soft;
    // "../OTHER/layer.tar", from the folder it lies in.
    std::vector<std::string> from = parts;
    from.pop_back();
    std::string_view rest = target;
    while (hard == nullptr && rest.starts_with("../") && !from.empty()) {
      from.pop_back();
      rest.remove_prefix(3);
    }
    auto to = split_path(rest);
    if (!to || to->empty()) return fail(Reason::Invalid, "{}: link to \"{}\"", path, target);
    if (hard == nullptr) to->insert(to->begin(), from.begin(), from.end());
    links_.emplace_back(path, join_path(*to));
    return {};
  }

  int folder_;
  std::uint64_t left_;
  int members_ = 0;
  std::vector<std::pair<std::string, std::string>> links_;
};

}  // namespace

Result<> unpack_archive(int archive_fd, int folder, std::uint64_t bytes_max) {
  const ArchivePtr tar(archive_read_new());
  archive_read_support_filter_gzip(tar.get());
  archive_read_support_filter_zstd(tar.get());
  archive_read_support_format_tar(tar.get());
  if (archive_read_open_fd(tar.get(), archive_fd, 64 * 1024) != ARCHIVE_OK) {
    return fail(Reason::Invalid, "is no archive of images: {}", words_of(tar.get()));
  }
  ArchiveUnpacker unpacker(folder, bytes_max);
  archive_entry* entry = nullptr;
  int result = ARCHIVE_OK;
  while ((result = archive_read_next_header(tar.get(), &entry)) == ARCHIVE_OK ||
         result == ARCHIVE_WARN) {
    auto added = unpacker.add(tar.get(), entry);
    if (!added) return added;
  }
  if (result != ARCHIVE_EOF) {
    return fail(Reason::Invalid, "is no archive of images: {}", words_of(tar.get()));
  }
  return unpacker.finish();
}

}  // namespace keelson::isolation
