// The plain files of cgroup_files.h.
#include "isolation/cgroup_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

namespace keelson::isolation {
namespace {

constexpr std::size_t file_bytes_max = 64 * 1024;
constexpr int kill_rounds_max = 50;

std::uint64_t number_in(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// "inactive_file 4096\n…": the number behind a key.
std::uint64_t value_of(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    if (line.starts_with(key) && line.size() > key.size() && line[key.size()] == ' ') {
      return number_in(line.substr(key.size() + 1));
    }
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return 0;
}

void set_memory(CgroupStatistics& statistics, std::uint64_t usage, std::uint64_t inactive_file) {
  statistics.memory_usage_bytes = usage;
  statistics.memory_working_set_bytes = usage > inactive_file ? usage - inactive_file : 0;
}

Result<> add_processes(const std::string& folder, std::vector<int>& pids) {
  auto text = read_file(folder + "/cgroup.procs");
  if (!text) {
    return text.error().reason == Reason::NotFound ? Result<>() : std::unexpected(text.error());
  }
  for (std::string_view rest = *text; !rest.empty();) {
    pids.push_back(static_cast<int>(number_in(rest)));
    const auto end = rest.find('\n');
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  auto children = list_folders(folder);
  if (!children) return std::unexpected(children.error());
  for (const auto& child : *children) {
    auto added = add_processes(folder + "/" + child, pids);
    if (!added) return added;
  }
  return {};
}

}  // namespace

Result<> write_file(const std::string& path, const std::string& value) {
  const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file || ::write(file.get(), value.data(), value.size()) < 0) {
    return fail_errno(errno, "write {} to {}", value, path);
  }
  return {};
}

Result<std::string> read_file(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return fail_errno(errno, "read {}", path);
  std::string text(file_bytes_max, '\0');
  std::size_t used = 0;
  while (used < text.size()) {
    const auto got = ::read(file.get(), text.data() + used, text.size() - used);
    if (got < 0) return fail_errno(errno, "read {}", path);
    if (got == 0) break;
    used += static_cast<std::size_t>(got);
  }
  text.resize(used);
  return text;
}

Result<> make_folders(const std::string& mount, const std::string& path) {
  for (std::size_t end = 0; end != std::string::npos;) {
    end = path.find('/', end + 1);
    const std::string folder = mount + "/" + path.substr(0, end);
    if (::mkdir(folder.c_str(), 0755) < 0 && errno != EEXIST) {
      return fail_errno(errno, "make {}", folder);
    }
  }
  return {};
}

Result<> remove_folders(const std::string& folder) {
  if (::rmdir(folder.c_str()) == 0 || errno == ENOENT) return {};
  if (errno != EBUSY && errno != ENOTEMPTY) return fail_errno(errno, "remove {}", folder);
  auto children = list_folders(folder);
  if (!children) return std::unexpected(children.error());
  for (const auto& child : *children) {
    auto removed = remove_folders(folder + "/" + child);
    if (!removed) return removed;
  }
  if (::rmdir(folder.c_str()) == 0 || errno == ENOENT) return {};
  if (errno == EBUSY) return fail(Reason::Conflict, "remove {}: processes are left in it", folder);
  return fail_errno(errno, "remove {}", folder);
}

Result<std::vector<std::string>> list_folders(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (auto each = std::filesystem::directory_iterator(folder, error);
       !error && each != std::filesystem::directory_iterator(); each.increment(error)) {
    if (each->is_directory(error)) names.push_back(each->path().filename());
  }
  if (error && error.value() != ENOENT) return fail_errno(error.value(), "list {}", folder);
  return names;
}

Result<> write_device_rules(const std::string& folder, const std::vector<DeviceRule>& allowed) {
  auto written = write_file(folder + "/devices.deny", "a");
  for (const auto& rule : allowed) {
    if (!written) return written;
    const auto number = [](int value) { return value < 0 ? "*" : std::to_string(value); };
    written =
        write_file(folder + "/devices.allow",
                   rule.type == 'a' ? std::string("a")
                                    : fmt::format("{} {}:{} {}", rule.type, number(rule.major),
                                                  number(rule.minor), rule.access));
  }
  return written;
}

Result<CgroupStatistics> read_statistics_v2(const std::string& folder) {
  CgroupStatistics statistics;
  auto cpu = read_file(folder + "/cpu.stat");
  auto memory = read_file(folder + "/memory.current");
  auto parts = read_file(folder + "/memory.stat");
  auto events = read_file(folder + "/memory.events");
  auto pids = read_file(folder + "/pids.current");
  for (const auto* text : {&cpu, &memory, &parts, &events, &pids}) {
    if (!*text) return std::unexpected(text->error());
  }
  statistics.cpu_usage_ns = value_of(*cpu, "usage_usec") * 1000;
  set_memory(statistics, number_in(*memory), value_of(*parts, "inactive_file"));
  statistics.oom_kills = value_of(*events, "oom_kill");
  statistics.pids = number_in(*pids);
  return statistics;
}

Result<CgroupStatistics> read_statistics_v1(
    const std::function<std::string(const char* controller)>& folder_of) {
  CgroupStatistics statistics;
  const std::string memory_folder = folder_of("memory");
  auto cpu = read_file(folder_of("cpuacct") + "/cpuacct.usage");
  auto memory = read_file(memory_folder + "/memory.usage_in_bytes");
  auto parts = read_file(memory_folder + "/memory.stat");
  auto events = read_file(memory_folder + "/memory.oom_control");
  auto pids = read_file(folder_of("pids") + "/pids.current");
  for (const auto* text : {&cpu, &memory, &parts, &events, &pids}) {
    if (!*text) return std::unexpected(text->error());
  }
  statistics.cpu_usage_ns = number_in(*cpu);
  set_memory(statistics, number_in(*memory), value_of(*parts, "total_inactive_file"));
  statistics.oom_kills = value_of(*events, "oom_kill");
  statistics.pids = number_in(*pids);
  return statistics;
}

Result<std::vector<int>> read_processes(const std::string& folder) {
  std::vector<int> pids;
  auto added = add_processes(folder, pids);
  if (!added) return std::unexpected(added.error());
  return pids;
}

Result<> kill_by_file(const std::string& folder) {
  auto killed = write_file(folder + "/cgroup.kill", "1");
  if (!killed && killed.error().reason == Reason::NotFound) return {};  // no such group
  return killed;
}

Result<> kill_frozen(const std::string& freezer_folder, const std::string& pids_folder) {
  for (int round = 0; round < kill_rounds_max; ++round) {
    auto pids = read_processes(pids_folder);
    if (!pids) return std::unexpected(pids.error());
    if (pids->empty()) return {};
    (void)write_file(freezer_folder + "/freezer.state", "FROZEN");
    pids = read_processes(pids_folder);
    if (pids) {
      for (const int pid : *pids) ::kill(pid, SIGKILL);
    }
    auto thawed = write_file(freezer_folder + "/freezer.state", "THAWED");
    if (!thawed) return thawed;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // they die in their own time
  }
  return fail(Reason::Timeout, "processes in {} do not die", pids_folder);
}

}  // namespace keelson::isolation
