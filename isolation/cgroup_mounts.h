// Where this mount namespace has which cgroup hierarchy.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"

namespace keelson::isolation {

struct CgroupHierarchy {
  std::string mount;                     // "/sys/fs/cgroup/memory"
  std::vector<std::string> controllers;  // v1; empty for cgroup2 and for "name=…"
  bool is_v2 = false;
};

Result<std::vector<CgroupHierarchy>> cgroup_hierarchies();

}  // namespace keelson::isolation
