// Files of cgroup folders, read and written as they are: what libcgroup has no call for, or does
// worse (it moves processes to the parent when it removes a group).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "isolation/cgroup.h"

namespace keelson::isolation {

Result<> write_file(const std::string& path, const std::string& value);
Result<std::string> read_file(const std::string& path);  // at most 64 KiB

Result<> make_folders(const std::string& mount, const std::string& path);
Result<> remove_folders(const std::string& folder);  // it and those below, as they are empty
Result<std::vector<std::string>> list_folders(const std::string& folder);

Result<> write_device_rules(const std::string& folder, const std::vector<DeviceRule>& allowed);

Result<CgroupStatistics> read_statistics_v2(const std::string& folder);
Result<CgroupStatistics> read_statistics_v1(
    const std::function<std::string(const char* controller)>& folder_of);
Result<std::vector<int>> read_processes(const std::string& folder);

Result<> kill_by_file(const std::string& folder);  // cgroup.kill, Linux 5.14
// v1 alone. Freezes, so that nothing forks between listing and killing; again until none is left.
Result<> kill_frozen(const std::string& freezer_folder, const std::string& pids_folder);

}  // namespace keelson::isolation
