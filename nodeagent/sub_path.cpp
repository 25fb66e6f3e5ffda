// The pod may be changing links while we look (CVE-2021-25741): the kernel resolves, we hold.
#include "nodeagent/sub_path.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace keelson {
namespace {

int open_beneath(int folder, const char* path, std::uint64_t flags) {
  open_how how{};
  how.flags = flags | O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  return static_cast<int>(::syscall(SYS_openat2, folder, path, &how, sizeof how));
}

}  // namespace

Result<Fd> open_sub_path(const std::string& volume_folder, const std::string& sub_path) {
  Fd at(::open(volume_folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!at) return fail_errno(errno, "open volume {}", volume_folder);
  Fd whole(open_beneath(at.get(), sub_path.c_str(), 0));
  if (whole) return whole;
  if (errno != ENOENT) {
    const int error = errno == EXDEV ? EINVAL : errno;
    return fail_errno(error, "subPath \"{}\" of volume {}", sub_path, volume_folder);
  }
  for (const auto& part : std::filesystem::path(sub_path)) {
    if (::mkdirat(at.get(), part.c_str(), 0750) != 0 && errno != EEXIST) {
      return fail_errno(errno, "make subPath \"{}\" in volume {}", sub_path, volume_folder);
    }
    Fd next(open_beneath(at.get(), part.c_str(), 0));
    if (!next) return fail_errno(errno, "subPath \"{}\" of volume {}", sub_path, volume_folder);
    at = std::move(next);
  }
  return at;
}

}  // namespace keelson
