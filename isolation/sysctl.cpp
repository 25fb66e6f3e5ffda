// Which parameters are whose, and writing them.
#include "isolation/sysctl.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "base/fd.h"

namespace keelson::isolation {
namespace {

// Kubernetes' list of namespaced parameters (pkg/kubelet/sysctl/namespace.go).
bool is_ipc(std::string_view name) {
  for (const std::string_view one :
       {"kernel.sem", "kernel.shm_rmid_forced", "kernel.shmall", "kernel.shmmax", "kernel.shmmni",
        "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni"}) {
    if (name == one) return true;
  }
  return name.starts_with("fs.mqueue.");
}

bool is_plain(std::string_view name) {
  return !name.empty() && !name.contains("..") && std::ranges::all_of(name, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-' || c == '/';
  });
}

}  // namespace

Result<> set_sysctl(const std::string& name, const std::string& value, int namespace_types) {
  std::string path = name;
  // "net.ipv4.conf.eth0/1.x": a slash stands for a dot in a name.
  if (path.find('/') == std::string::npos || path.find('.') < path.find('/')) {
    for (char& c : path) c = c == '.' ? '/' : c == '/' ? '.' : c;
  }
  std::string dotted = path;
  std::ranges::replace(dotted, '/', '.');
  const bool is_ours = (dotted.starts_with("net.") && (namespace_types & CLONE_NEWNET) != 0) ||
                       (is_ipc(dotted) && (namespace_types & CLONE_NEWIPC) != 0);
  if (!is_plain(name) || !is_ours) {
    return fail(Reason::Invalid, "sysctl {}: is not one of a sandbox's own namespaces", name);
  }
  if (value.size() > 1024 || value.contains('\n')) {
    return fail(Reason::Invalid, "sysctl {}: bad value", name);
  }
  const Fd folder(::open("/proc/sys", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return fail_errno(errno, "open /proc/sys");
  open_how how{};
  how.flags = O_WRONLY | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;
  const Fd file(
      static_cast<int>(syscall(SYS_openat2, folder.get(), path.c_str(), &how, sizeof how)));
  if (!file) return fail_errno(errno, "sysctl {}", name);
  if (::write(file.get(), value.data(), value.size()) < 0) {
    return fail_errno(errno, "sysctl {} = {}", name, value);
  }
  return {};
}

}  // namespace keelson::isolation
