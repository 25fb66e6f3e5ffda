// Groups through libcgroup: creation, limits, removal, statistics. What it has no call for is in
// cgroup_files.cpp.
#include "isolation/cgroup.h"

#include <fcntl.h>
#include <libcgroup.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <mutex>

#include "isolation/cgroup_files.h"
#include "isolation/cgroup_mounts.h"
#include "isolation/devices.h"

namespace keelson::isolation {
namespace {

// libcgroup keeps one table of mounts a process and is not made for threads.
std::mutex& library() {
  static std::mutex mutex;
  return mutex;
}

Result<> start_library() {
  static const int result = cgroup_init();
  if (result == 0) return {};
  return fail(Reason::InternalError, "libcgroup: {}", cgroup_strerror(result));
}

std::string words_of(int result) {
  if (result == ECGOTHER) return errno_text(cgroup_get_last_errno());
  return cgroup_strerror(result);
}

struct CgroupFree {
  void operator()(cgroup* group) const { cgroup_free(&group); }
};
using CgroupPtr = std::unique_ptr<cgroup, CgroupFree>;

struct Value {
  const char* controller;
  const char* name;
  std::string value;
};

// v1's scale of 2…262144 to v2's of 1…10000, as runc does it.
std::uint64_t weight_of(std::uint64_t shares) {
  return 1 + (std::clamp<std::uint64_t>(shares, 2, 262'144) - 2) * 9'999 / 262'142;
}

std::string limit_text(std::int64_t limit, const char* none) {
  return limit > 0 ? std::to_string(limit) : none;
}

std::vector<Value> values_v1(const Resources& resources) {
  const std::uint64_t shares = resources.cpu_shares > 0 ? resources.cpu_shares : 1024;
  return {{"cpu", "cpu.shares", std::to_string(shares)},
          {"cpu", "cpu.cfs_period_us", std::to_string(resources.cpu_period_us)},
          {"cpu", "cpu.cfs_quota_us", limit_text(resources.cpu_quota_us, "-1")},
          {"memory", "memory.limit_in_bytes", limit_text(resources.memory_bytes, "-1")},
          {"pids", "pids.max", limit_text(resources.pids, "max")}};
}

std::vector<Value> values_v2(const Resources& resources) {
  const std::uint64_t weight = resources.cpu_shares > 0 ? weight_of(resources.cpu_shares) : 100;
  return {
      {"cpu", "cpu.weight", std::to_string(weight)},
      {"cpu", "cpu.max",
       limit_text(resources.cpu_quota_us, "max") + " " + std::to_string(resources.cpu_period_us)},
      {"memory", "memory.max", limit_text(resources.memory_bytes, "max")},
      // A container is one thing: the kernel ends all of it, as kubelet asks.
      {"memory", "memory.oom.group", "1"},
      {"pids", "pids.max", limit_text(resources.pids, "max")}};
}

}  // namespace

struct CgroupTree::Impl {
  std::string root;                             // "keelson/node", below each mount
  std::map<std::string, std::string> mount_of;  // v1 controller → its mount
  std::string unified;                          // cgroup2's mount; "" without
  bool is_v2 = false;
  bool is_unified_ours = false;  // may libcgroup write there? Only as v2

  std::string name_of(const std::string& path) const {
    return path.empty() ? root : root + "/" + path;
  }
  std::string unified_folder(const std::string& path) const {
    return unified + "/" + name_of(path);
  }
  // Of all hierarchies, once each: several v1 controllers may share one.
  std::vector<std::string> folders(const std::string& path) const {
    std::vector<std::string> folders;
    for (const auto& [controller, mount] : mount_of) folders.push_back(mount + "/" + name_of(path));
    if (!unified.empty()) folders.push_back(unified_folder(path));
    std::ranges::sort(folders);
    folders.erase(std::ranges::unique(folders).begin(), folders.end());
    return folders;
  }
  // The group with its controllers and these values; a controller that is not mounted has none.
  CgroupPtr describe(const std::string& path, const std::vector<Value>& values) const {
    CgroupPtr group(cgroup_new_cgroup(name_of(path).c_str()));
    std::map<std::string, cgroup_controller*> controllers;
    for (const char* name : {"cpu", "memory", "pids"}) {
      if (is_v2 || mount_of.contains(name)) {
        controllers[name] = cgroup_add_controller(group.get(), name);
      }
    }
    for (const auto& [name, mount] : mount_of) {
      if (!controllers.contains(name))
        controllers[name] = cgroup_add_controller(group.get(), name.c_str());
    }
    for (const auto& value : values) {
      const auto controller = controllers.find(value.controller);
      if (controller == controllers.end()) continue;
      cgroup_add_value_string(controller->second, value.name, value.value.c_str());
    }
    return group;
  }
};

CgroupTree::CgroupTree(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CgroupTree::CgroupTree(CgroupTree&&) noexcept = default;
CgroupTree& CgroupTree::operator=(CgroupTree&&) noexcept = default;
CgroupTree::~CgroupTree() = default;

Result<CgroupTree> CgroupTree::open(const std::string& root) {
  auto hierarchies = cgroup_hierarchies();
  if (!hierarchies) return std::unexpected(hierarchies.error());
  auto impl = std::make_unique<Impl>();
  impl->root = root.substr(std::min(root.size(), root.find_first_not_of('/')));
  for (const auto& hierarchy : *hierarchies) {
    if (hierarchy.is_v2) impl->unified = hierarchy.mount;
    for (const auto& controller : hierarchy.controllers) {
      // blkio and cpuset hold nothing of ours.
      if (controller != "blkio" && controller != "cpuset") {
        impl->mount_of.emplace(controller, hierarchy.mount);
      }
    }
  }
  impl->is_v2 = !impl->mount_of.contains("memory");
  if (impl->is_v2) {
    impl->mount_of.clear();
    // The machine's own root has no events; libcgroup would turn controllers on in it.
    if (::access((impl->unified + "/cgroup.events").c_str(), F_OK) != 0) {
      return fail(Reason::Invalid,
                  "{} is the machine's cgroup root: enter a cgroup namespace of one's own first",
                  impl->unified);
    }
  }
  const std::scoped_lock lock(library());
  auto started = start_library();
  if (!started) return std::unexpected(started.error());
  return CgroupTree(std::move(impl));
}

bool CgroupTree::is_v2() const {
  return impl_->is_v2;
}

const std::string& CgroupTree::root() const {
  return impl_->root;
}

std::string CgroupTree::unified_folder(const std::string& path) const {
  return impl_->unified.empty() ? "" : impl_->unified_folder(path);
}

std::string CgroupTree::folder_of(const std::string& controller, const std::string& path) const {
  if (impl_->is_v2) return impl_->unified_folder(path);
  const auto mount = impl_->mount_of.find(controller);
  return mount == impl_->mount_of.end() ? "" : mount->second + "/" + impl_->name_of(path);
}

Result<> CgroupTree::create(const std::string& path, const Resources& resources) const {
  // Its own part of cgroup2 even beside v1: sockets and BPF programs belong to groups of it.
  if (!impl_->is_v2 && !impl_->unified.empty()) {
    auto made = make_folders(impl_->unified, impl_->name_of(path));
    if (!made) return made;
  }
  const auto values = impl_->is_v2 ? values_v2(resources) : values_v1(resources);
  const std::scoped_lock lock(library());
  const CgroupPtr group = impl_->describe(path, values);
  const int result = cgroup_create_cgroup(group.get(), 1);
  if (result == 0) return {};
  const std::string words = words_of(result);
  for (const auto& folder : impl_->folders(path)) (void)remove_folders(folder);
  return fail(Reason::InternalError, "make cgroup {}: {}", impl_->name_of(path), words);
}

Result<> CgroupTree::set(const std::string& path, const Resources& resources) const {
  const auto values = impl_->is_v2 ? values_v2(resources) : values_v1(resources);
  const std::scoped_lock lock(library());
  const CgroupPtr group = impl_->describe(path, values);
  const int result = cgroup_modify_cgroup(group.get());
  if (result == 0) return {};
  return fail(Reason::InternalError, "change cgroup {}: {}", impl_->name_of(path),
              words_of(result));
}

Result<> CgroupTree::restrict_devices(const std::string& path,
                                      const std::vector<DeviceRule>& allowed) const {
  const auto mount = impl_->mount_of.find("devices");
  if (mount != impl_->mount_of.end()) {
    return write_device_rules(mount->second + "/" + impl_->name_of(path), allowed);
  }
  const std::string folder = impl_->unified_folder(path);
  const Fd group(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!group) return fail_errno(errno, "open {}", folder);
  auto attached = attach_device_program(group.get(), allowed);
  return attached ? attached : attached.error().during("{}", folder);
}

Result<CgroupDoors> CgroupTree::doors(const std::string& path) const {
  CgroupDoors doors;
  for (const auto& folder : impl_->folders(path)) {
    const bool is_unified = !impl_->unified.empty() && folder == impl_->unified_folder(path);
    const std::string file = is_unified ? folder : folder + "/tasks";
    Fd fd(::open(file.c_str(), (is_unified ? O_PATH | O_DIRECTORY : O_WRONLY) | O_CLOEXEC));
    if (!fd) return fail_errno(errno, "open {}", file);
    if (is_unified) {
      doors.unified = std::move(fd);
    } else {
      doors.tasks.push_back(std::move(fd));
    }
  }
  return doors;
}

std::vector<CgroupView> CgroupTree::views() const {
  if (impl_->is_v2) return {{"", ""}};
  std::map<std::string, std::string> options_of;  // by mount
  for (const auto& [controller, mount] : impl_->mount_of) {
    std::string& options = options_of[mount];
    options += (options.empty() ? "" : ",") + controller;
  }
  std::vector<CgroupView> views;
  for (const auto& [mount, options] : options_of) {
    views.push_back({mount.substr(mount.rfind('/') + 1), options});
  }
  if (!impl_->unified.empty()) views.push_back({"unified", ""});
  return views;
}

Result<CgroupStatistics> CgroupTree::statistics(const std::string& path) const {
  return impl_->is_v2 ? read_statistics_v2(impl_->unified_folder(path))
                      : read_statistics_v1(
                            [&](const char* controller) { return folder_of(controller, path); });
}

Result<std::vector<int>> CgroupTree::processes(const std::string& path) const {
  for (const auto& folder :
       {impl_->unified.empty() ? folder_of("pids", path) : impl_->unified_folder(path)}) {
    return read_processes(folder);
  }
  return {};
}

Result<> CgroupTree::kill_all(const std::string& path) const {
  if (!impl_->unified.empty()) return kill_by_file(impl_->unified_folder(path));
  return kill_frozen(folder_of("freezer", path), folder_of("pids", path));
}

Result<> CgroupTree::remove(const std::string& path) const {
  for (const auto& folder : impl_->folders(path)) {
    auto removed = remove_folders(folder);
    if (!removed) return removed;
  }
  return {};
}

Result<std::vector<std::string>> CgroupTree::children(const std::string& path) const {
  return list_folders(impl_->folders(path).front());
}

}  // namespace keelson::isolation
