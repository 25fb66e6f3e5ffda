// Finding device nodes and the rules for them.
#include "isolation/devices.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <filesystem>

namespace keelson::isolation {
namespace {

constexpr std::size_t nodes_max = 1024;
constexpr std::string_view dev = "/dev/";

Result<DeviceNode> find_device(const std::string& path) {
  struct stat status {};
  if (!path.starts_with(dev) || path.find("/..") != std::string::npos) {
    return fail(Reason::Invalid, "device {}: want a path below /dev", path);
  }
  if (::stat(path.c_str(), &status) < 0) return fail_errno(errno, "device {}", path);
  if (!S_ISCHR(status.st_mode) && !S_ISBLK(status.st_mode)) {
    return fail(Reason::Invalid, "device {}: is no device", path);
  }
  return DeviceNode{path.substr(dev.size()), status.st_mode, status.st_uid, status.st_gid,
                    status.st_rdev};
}

// A container has these of its own.
bool is_its_own(const std::filesystem::path& path) {
  for (const char* name : {"pts", "shm", "mqueue", "fd", "console", "ptmx"}) {
    if (path.filename() == name) return true;
  }
  return false;
}

std::vector<DeviceNode> all_devices() {
  std::vector<DeviceNode> nodes;
  std::error_code error;
  auto each = std::filesystem::recursive_directory_iterator("/dev", error);
  for (; !error && each != std::filesystem::recursive_directory_iterator(); each.increment(error)) {
    if (is_its_own(each->path())) {
      each.disable_recursion_pending();
      continue;
    }
    if (each->is_symlink(error) || nodes.size() == nodes_max) continue;
    auto node = find_device(each->path());
    if (node) nodes.push_back(std::move(*node));
  }
  return nodes;
}

}  // namespace

Result<std::vector<DeviceNode>> find_devices(const std::vector<DeviceSpec>& specs,
                                             bool privileged) {
  if (privileged) return all_devices();
  std::vector<DeviceNode> nodes;
  for (const auto& spec : specs) {
    auto node = find_device(spec.path);
    if (!node) return std::unexpected(node.error());
    nodes.push_back(std::move(*node));
  }
  return nodes;
}

std::vector<DeviceRule> device_rules(const std::vector<DeviceSpec>& specs,
                                     const std::vector<DeviceNode>& nodes, bool privileged) {
  if (privileged) return {{.type = 'a'}};
  // runc's defaults: mknod of anything (CAP_MKNOD decides), the usual nodes, pts and ptmx.
  std::vector<DeviceRule> rules = {
      {'c', -1, -1, "m"}, {'b', -1, -1, "m"}, {'c', 1, 3},    {'c', 1, 5}, {'c', 1, 7},
      {'c', 1, 8},        {'c', 1, 9},        {'c', 136, -1}, {'c', 5, 0}, {'c', 5, 2}};
  for (std::size_t i = 0; i < specs.size() && i < nodes.size(); ++i) {
    rules.push_back({S_ISBLK(nodes[i].mode) ? 'b' : 'c', static_cast<int>(major(nodes[i].number)),
                     static_cast<int>(minor(nodes[i].number)), specs[i].access});
  }
  return rules;
}

}  // namespace keelson::isolation
