// PIDFD_GET_INFO, of which Debian 12's headers know nothing yet.
#include "isolation/pidfd_exit.h"

#include <sys/ioctl.h>

#include <cstdint>

namespace keelson::isolation {
namespace {

// linux/pidfd.h, struct pidfd_info, its first version.
struct PidfdInfo {
  std::uint64_t mask, cgroup_id;
  std::uint32_t pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
  std::int32_t exit_code;
};
static_assert(sizeof(PidfdInfo) == 64);
constexpr std::uint64_t info_exit = 1 << 3;
constexpr unsigned long get_info = _IOWR(0xFF, 11, PidfdInfo);

}  // namespace

bool exit_of_pidfd(int pidfd, int* wait_status) {
  PidfdInfo info{};
  info.mask = info_exit;
  if (ioctl(pidfd, get_info, &info) < 0 || (info.mask & info_exit) == 0) return false;
  *wait_status = info.exit_code;
  return true;
}

}  // namespace keelson::isolation
