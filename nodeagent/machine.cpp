// /proc, /etc and statvfs.
#include "nodeagent/machine.h"

#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <fstream>
#include <iterator>

namespace keelson {
namespace {

std::string read_text(const char* path) {
  std::ifstream in(path);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  while (!text.empty() && (text.back() == '\n' || text.back() == '\0')) text.pop_back();
  return text;
}

// The number behind "Name:" in /proc/meminfo, in bytes; 0 if it is not there.
std::int64_t meminfo_bytes(const std::string& meminfo, std::string_view name) {
  auto at = meminfo.find(std::string(name) + ":");
  if (at == std::string::npos) return 0;
  at = meminfo.find_first_of("0123456789", at);
  std::int64_t kilobytes = 0;
  std::from_chars(meminfo.data() + at, meminfo.data() + meminfo.size(), kilobytes);
  return kilobytes * 1024;
}

// PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
std::string os_image() {
  const std::string text = read_text("/etc/os-release");
  constexpr std::string_view name = "PRETTY_NAME=";
  const auto at = text.find(name);
  if (at == std::string::npos) return "Linux";
  std::string value = text.substr(at + name.size(), text.find('\n', at) - at - name.size());
  std::erase(value, '"');
  return value;
}

Result<struct statvfs> disk_of(const std::string& folder) {
  struct statvfs about {};
  if (::statvfs(folder.c_str(), &about) != 0) return fail_errno(errno, "statvfs {}", folder);
  return about;
}

std::int64_t number_in(const char* path) {
  const std::string text = read_text(path);
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// "0.50 0.40 0.30 2/345 6789": 345 processes and threads there are.
std::int64_t tasks_running() {
  const std::string text = read_text("/proc/loadavg");
  const auto slash = text.find('/');
  std::int64_t tasks = 0;
  if (slash != std::string::npos) {
    std::from_chars(text.data() + slash + 1, text.data() + text.size(), tasks);
  }
  return tasks;
}

}  // namespace

Result<Machine> read_machine(const std::string& state_folder) {
  const auto disk = disk_of(state_folder);
  if (!disk) return std::unexpected(disk.error());
  utsname names{};
  ::uname(&names);
  Machine machine;
  machine.cpu_millicores = ::sysconf(_SC_NPROCESSORS_ONLN) * 1'000;
  machine.memory_bytes = meminfo_bytes(read_text("/proc/meminfo"), "MemTotal");
  machine.disk_bytes = static_cast<std::int64_t>(disk->f_blocks * disk->f_frsize);
  machine.kernel_version = names.release;
  machine.os_image = os_image();
  machine.machine_id = read_text("/etc/machine-id");
  machine.system_uuid = read_text("/sys/class/dmi/id/product_uuid");
  if (machine.system_uuid.empty()) machine.system_uuid = machine.machine_id;
  machine.boot_id = read_text("/proc/sys/kernel/random/boot_id");
  machine.architecture = std::string_view(names.machine) == "aarch64" ? "arm64" : "amd64";
  return machine;
}

Result<Pressure> read_pressure(const std::string& state_folder) {
  const auto disk = disk_of(state_folder);
  if (!disk) return std::unexpected(disk.error());
  Pressure pressure;
  pressure.memory_available_bytes = meminfo_bytes(read_text("/proc/meminfo"), "MemAvailable");
  pressure.disk_available_bytes = static_cast<std::int64_t>(disk->f_bavail * disk->f_frsize);
  pressure.inodes_available = static_cast<std::int64_t>(disk->f_favail);
  const std::int64_t pids =
      std::min(number_in("/proc/sys/kernel/pid_max"), number_in("/proc/sys/kernel/threads-max"));
  pressure.pids_available = pids - tasks_running();
  return pressure;
}

}  // namespace keelson
