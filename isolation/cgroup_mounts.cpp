// Reads /proc/self/mounts.
#include "isolation/cgroup_mounts.h"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace keelson::isolation {
namespace {

constexpr const char* known_controllers[] = {"cpu",     "cpuacct", "memory", "pids",
                                             "devices", "freezer", "blkio",  "cpuset"};

std::vector<std::string> controllers_in(const std::string& options) {
  std::vector<std::string> found;
  std::istringstream stream(options);
  for (std::string option; std::getline(stream, option, ',');) {
    if (std::ranges::find(known_controllers, option) != std::end(known_controllers)) {
      found.push_back(option);
    }
  }
  return found;
}

}  // namespace

Result<std::vector<CgroupHierarchy>> cgroup_hierarchies() {
  std::ifstream mounts("/proc/self/mounts");
  std::vector<CgroupHierarchy> hierarchies;
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream fields(line);
    std::string source, mount, type, options;
    fields >> source >> mount >> type >> options;
    if (type == "cgroup") hierarchies.push_back({mount, controllers_in(options), false});
    if (type == "cgroup2") hierarchies.push_back({mount, {}, true});
  }
  if (hierarchies.empty()) return fail(Reason::NotFound, "no cgroup hierarchy is mounted");
  return hierarchies;
}

}  // namespace keelson::isolation
