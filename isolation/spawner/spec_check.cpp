// The checks of spec_check.h, one function a shape of data.
#include "isolation/spawner/spec_check.h"

#include <linux/filter.h>
#include <sys/stat.h>

#include <cstring>

namespace keelson::isolation {
namespace {

using namespace wire;

constexpr std::uint32_t texts_max = 65'536;  // arguments, variables: far more than 2 MiB allow
constexpr std::uint32_t elements_max = 4'096;
constexpr std::uint32_t groups_max = 65'536;  // NGROUPS_MAX
constexpr std::uint32_t filter_max = 4'096;   // BPF_MAXINSNS

class Checker {
 public:
  Checker(unsigned char* bytes, std::size_t size, std::size_t spec_size, int fd_count)
      : bytes_(bytes), size_(size), spec_size_(spec_size), fd_count_(fd_count) {
    const auto* head = reinterpret_cast<const SpecHead*>(bytes);
    require(head->version == version, "version");
    require(head->size == size && head->texts_at >= spec_size && head->texts_at <= size, "size");
    texts_at_ = head->texts_at;
  }

  const char* complaint() const { return complaint_; }

  void require(bool right, const char* field) {
    if (!right && complaint_ == nullptr) complaint_ = field;
  }
  void text(Text value, std::uint64_t length_max, const char* field) {
    const bool fits = value.length <= length_max && value.offset >= texts_at_ &&
                      value.offset + std::uint64_t{value.length} < size_ &&
                      bytes_[value.offset + value.length] == 0 &&
                      memchr(bytes_ + value.offset, 0, value.length) == nullptr;
    require(fits, field);
  }
  void id(Text value, const char* field) {
    text(value, id_size - 1, field);
    require(value.length > 0, field);
    if (complaint_ != nullptr) return;
    const auto* at = bytes_ + value.offset;
    for (std::uint32_t i = 0; i < value.length; ++i) {
      const bool plain = (at[i] >= 'a' && at[i] <= 'z') || (at[i] >= 'A' && at[i] <= 'Z') ||
                         (at[i] >= '0' && at[i] <= '9') || at[i] == '-' || at[i] == '_' ||
                         (at[i] == '.' && i > 0);
      require(plain, field);
    }
  }
  bool list(List value, std::size_t element, std::uint32_t count_max, const char* field) {
    require(value.count <= count_max && value.offset % 8 == 0 && value.offset >= spec_size_ &&
                value.offset + std::uint64_t{value.count} * element <= texts_at_,
            field);
    return complaint_ == nullptr;
  }
  // Texts become pointers in place; they are read before they are overwritten.
  void text_list(TextList value, const char* field) {
    require(value.count < texts_max, field);
    if (!list({value.offset, value.count + 1}, sizeof(Text), texts_max, field)) return;
    unsigned char* at = bytes_ + value.offset;
    for (std::uint32_t i = 0; i < value.count; ++i, at += sizeof(Text)) {
      Text element{};
      memcpy(&element, at, sizeof element);
      text(element, size_, field);
      if (complaint_ != nullptr) return;
      const unsigned char* pointer = bytes_ + element.offset;
      static_assert(sizeof pointer == sizeof(Text));
      memcpy(at, &pointer, sizeof pointer);
    }
    memset(at, 0, sizeof(Text));
  }
  void fd(std::int32_t index, bool needed, const char* field) {
    require(index < fd_count_ && index >= (needed ? 0 : -1), field);
  }
  void fds(List value, const char* field) {
    if (!list(value, sizeof(std::int32_t), fds_max, field)) return;
    for (std::uint32_t i = 0; i < value.count; ++i) fd(at<std::int32_t>(value, i), true, field);
  }
  template <typename T>
  const T& at(List value, std::uint32_t i) const {
    return reinterpret_cast<const T*>(bytes_ + value.offset)[i];
  }

 private:
  unsigned char* bytes_;
  std::size_t size_, spec_size_, texts_at_ = 0;
  int fd_count_;
  const char* complaint_ = nullptr;
};

void check_process(Checker& check, const Process& process) {
  check.require(process.argv.count > 0, "argv");
  check.text(process.working_directory, 4095, "working directory");
  check.list(process.groups, sizeof(std::uint32_t), groups_max, "groups");
  check.list(process.filter, sizeof(sock_filter), filter_max, "filter");
  check.list(process.rlimits, sizeof(Rlimit), 32, "rlimits");
}

void check_mounts(Checker& check, const Spec& spec) {
  if (check.list(spec.mounts, sizeof(Mount), elements_max, "mounts")) {
    for (std::uint32_t i = 0; i < spec.mounts.count; ++i) {
      const auto& mount = check.at<Mount>(spec.mounts, i);
      check.text(mount.destination, 4095, "mount destination");
      check.fd(mount.fd, true, "mount fd");
    }
  }
  if (check.list(spec.devices, sizeof(Device), elements_max, "devices")) {
    for (std::uint32_t i = 0; i < spec.devices.count; ++i) {
      const auto& device = check.at<Device>(spec.devices, i);
      check.text(device.name, 255, "device name");
      check.require(S_ISCHR(device.mode) || S_ISBLK(device.mode), "device mode");
    }
  }
  if (check.list(spec.cgroup_mounts, sizeof(CgroupMount), 32, "cgroup mounts")) {
    for (std::uint32_t i = 0; i < spec.cgroup_mounts.count; ++i) {
      check.text(check.at<CgroupMount>(spec.cgroup_mounts, i).folder, 255, "cgroup mount");
      check.text(check.at<CgroupMount>(spec.cgroup_mounts, i).options, 255, "cgroup mount");
    }
  }
}

}  // namespace

const Spec* take_spec(unsigned char* bytes, std::size_t size, int fd_count,
                      const char** complaint) {
  *complaint = "size";
  if (size < sizeof(Spec) || size > spec_bytes_max) return nullptr;
  const auto* spec = reinterpret_cast<const Spec*>(bytes);
  Checker check(bytes, size, sizeof *spec, fd_count);
  // First those that write, so that nothing already checked changes.
  check.text_list(spec->process.argv, "argv");
  check.text_list(spec->process.env, "env");
  check.text_list(spec->masked, "masked paths");
  check.text_list(spec->read_only, "read-only paths");
  check.id(spec->id, "id");
  check.id(spec->sandbox_id, "sandbox id");
  check.text(spec->label, label_size - 1, "label");
  check.text(spec->log_path, log_path_size - 1, "log path");
  check.require(spec->log_max_bytes > 0 && spec->log_max_files > 0, "log bounds");
  check.fd(spec->root_fd, true, "root fd");
  check.fd(spec->unified_fd, false, "cgroup fd");
  check.fd(spec->shm_fd, false, "shm fd");
  check.fds(spec->tasks_fds, "cgroup fds");
  check.require(spec->pid_namespace <= Pid::Sandbox, "pid namespace");
  check_mounts(check, *spec);
  check_process(check, spec->process);
  *complaint = check.complaint();
  return *complaint == nullptr ? spec : nullptr;
}

const ExecSpec* take_exec_spec(unsigned char* bytes, std::size_t size, int fd_count,
                               const char** complaint) {
  *complaint = "size";
  if (size < sizeof(ExecSpec) || size > spec_bytes_max) return nullptr;
  const auto* spec = reinterpret_cast<const ExecSpec*>(bytes);
  Checker check(bytes, size, sizeof *spec, fd_count);
  check.text_list(spec->argv, "argv");
  check.id(spec->container_id, "id");
  check.require(spec->argv.count > 0, "argv");
  for (const std::int32_t index : spec->stdio_fds) check.fd(index, false, "stdio");
  check.fd(spec->unified_fd, false, "cgroup fd");
  check.fds(spec->tasks_fds, "cgroup fds");
  *complaint = check.complaint();
  return *complaint == nullptr ? spec : nullptr;
}

}  // namespace keelson::isolation
