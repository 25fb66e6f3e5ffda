// Making a sandbox's namespaces: in a thread of its own, for they are a thread's.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <thread>

#include "isolation/container.h"
#include "isolation/sysctl.h"
#include "isolation/veth.h"

namespace keelson::isolation {
namespace {

struct Row {
  int type;
  const char* path;
  Fd Sandbox::*fd;
};
const Row rows[] = {{CLONE_NEWNET, "/proc/thread-self/ns/net", &Sandbox::net_namespace},
                    {CLONE_NEWIPC, "/proc/thread-self/ns/ipc", &Sandbox::ipc_namespace},
                    {CLONE_NEWUTS, "/proc/thread-self/ns/uts", &Sandbox::uts_namespace}};

int types_of(const SandboxSpec& spec) {
  int types = CLONE_NEWUTS;
  if (!spec.node_network) types |= CLONE_NEWNET;
  if (!spec.node_ipc) types |= CLONE_NEWIPC;
  return types;
}

// In the thread that is to have them.
Result<> make_namespaces(const SandboxSpec& spec, Kernel& kernel, Sandbox& sandbox) {
  const int types = types_of(spec);
  int result = kernel.leave(types);
  if (result < 0) return fail_errno(-result, "make namespaces");
  result = kernel.set_host_name(spec.hostname.c_str());
  if (result < 0) return fail_errno(-result, "set the host name {}", spec.hostname);
  for (const auto& [name, value] : spec.sysctls) {
    auto set = set_sysctl(name, value, types);
    if (!set) return set;
  }
  if ((types & CLONE_NEWNET) != 0) {
    auto network = Network::open();
    if (!network) return std::unexpected(network.error());
    auto up = network->set_up("lo");
    if (!up) return up;
  }
  for (const Row& row : rows) {
    if ((types & row.type) == 0) continue;
    sandbox.*row.fd = Fd(kernel.open_in(AT_FDCWD, row.path, {.flags = O_RDONLY}));
    if (!(sandbox.*row.fd)) return fail_errno(-(sandbox.*row.fd).get(), "open {}", row.path);
  }
  return {};
}

Result<> mount_shm(const SandboxSpec& spec) {
  if (spec.folder.empty()) return {};
  const std::string shm = spec.folder + "/shm";
  if (::mkdir(spec.folder.c_str(), 0700) < 0 && errno != EEXIST) {
    return fail_errno(errno, "make {}", spec.folder);
  }
  if (::mkdir(shm.c_str(), 01777) < 0) return fail_errno(errno, "make {}", shm);
  const std::string options = "mode=1777,size=" + std::to_string(spec.shm_bytes);
  if (::mount("shm", shm.c_str(), "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options.c_str()) < 0) {
    return fail_errno(errno, "mount {}", shm);
  }
  return {};
}

bool is_id(const std::string& id) {
  return !id.empty() && id.size() <= id_bytes_max && id.front() != '.' &&
         std::ranges::all_of(id, [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
         });
}

}  // namespace

Result<Sandbox> make_sandbox(const SandboxSpec& spec, Kernel& kernel) {
  if (!is_id(spec.id)) return fail(Reason::Invalid, "sandbox id {}: want a name", spec.id);
  if (spec.label.size() >= label_bytes_max) return fail(Reason::Invalid, "sandbox label too long");
  if (spec.hostname.size() > 63) {
    return fail(Reason::Invalid, "host name {}: at most 63 characters", spec.hostname);
  }
  Sandbox sandbox{.id = spec.id, .label = spec.label};
  Result<> made;
  std::thread([&] { made = make_namespaces(spec, kernel, sandbox); }).join();
  if (made) made = mount_shm(spec);
  if (made) return sandbox;
  if (!spec.folder.empty()) (void)remove_sandbox_folder(spec.folder);
  return made.error().during("make sandbox {}", spec.id);
}

Result<> remove_sandbox_folder(const std::string& folder) {
  const std::string shm = folder + "/shm";
  if (::umount2(shm.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL &&
      errno != ENOENT) {
    return fail_errno(errno, "unmount {}", shm);
  }
  std::error_code error;
  std::filesystem::remove_all(folder, error);
  if (error) return fail_errno(error.value(), "remove {}", folder);
  return {};
}

}  // namespace keelson::isolation
