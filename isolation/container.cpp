// Preparing a container, step by step; what each step does is in the file of its noun.
#include "isolation/container.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <thread>

#include "isolation/capabilities.h"
#include "isolation/container_impl.h"
#include "isolation/devices.h"
#include "isolation/mounts.h"
#include "isolation/overlay.h"
#include "isolation/spec_writer.h"
#include "isolation/user.h"

namespace keelson::isolation {
namespace {

constexpr std::string_view default_path =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr std::size_t env_bytes_max = 2 << 20;
constexpr int removal_tries_max = 1000;

// A container as far as it has come.
struct Preparation {
  const ContainerSpec& spec;
  const CgroupTree& cgroups;
  SeccompCache& seccomp;
  Kernel& kernel;
  std::unique_ptr<PreparedContainer::Impl> made = std::make_unique<PreparedContainer::Impl>();

  wire::Spec flat = {};  // its numbers; texts and lists are put in by write()
  User user = {};
  SeccompProgram filter = {};
  std::vector<OpenedMount> mounts = {};
  std::vector<std::int32_t> mount_fds = {}, tasks_fds = {};
  std::vector<DeviceNode> devices = {};
  std::vector<std::string> env = {};
  std::vector<wire::Rlimit> rlimits = {};
};

bool is_id(const std::string& id) {
  return !id.empty() && id.size() <= id_bytes_max && id.front() != '.' &&
         std::ranges::all_of(id, [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
         });
}

bool is_relative(const std::string& path) {
  return !path.empty() && path.front() != '/' && !("/" + path + "/").contains("/../");
}

Result<> check(Preparation& at) {
  const ContainerSpec& spec = at.spec;
  if (!is_id(spec.id) || !is_id(spec.sandbox_id)) {
    return fail(Reason::Invalid, "id \"{}\": want letters, digits, '-', '_', '.', at most {}",
                spec.id, id_bytes_max);
  }
  if (spec.label.size() >= label_bytes_max) return fail(Reason::Invalid, "label is too long");
  if (spec.process.argv.empty()) return fail(Reason::Invalid, "no command");
  if (!is_relative(spec.cgroup)) return fail(Reason::Invalid, "cgroup \"{}\"", spec.cgroup);
  if (!is_relative(spec.log.path) || spec.log.path.size() >= wire::log_path_size) {
    return fail(Reason::Invalid, "log path \"{}\": want a relative one", spec.log.path);
  }
  if (spec.log.max_bytes <= 0 || spec.log.max_files <= 0) {
    return fail(Reason::Invalid, "log bounds: want positive numbers");
  }
  if (spec.pid_namespace == PidNamespace::Sandbox) {
    return fail(Reason::Invalid, "a pid namespace shared by the sandbox is not supported yet");
  }
  return {};
}

Result<> make_root(Preparation& at) {
  const std::string& folder = at.spec.rootfs.writable_folder;
  std::error_code error;
  if (!std::filesystem::create_directories(folder, error)) {
    return error ? fail_errno(error.value(), "make {}", folder)
                 : fail(Reason::AlreadyExists, "{}: is there already", folder);
  }
  at.made->writable_folder = folder;
  auto mount = mount_overlay(at.spec.rootfs, at.kernel);
  if (!mount) return std::unexpected(mount.error());
  auto user = resolve_user(mount->get(), at.spec.process.user);
  if (!user) return std::unexpected(user.error());
  at.user = std::move(*user);
  at.made->uid = at.user.uid;
  at.flat.root_fd = at.made->add(std::move(*mount));
  at.flat.root_read_only = at.spec.rootfs.read_only ? 1 : 0;
  return {};
}

Result<> choose_rights(Preparation& at) {
  const ProcessSpec& process = at.spec.process;
  auto choice = choose_capabilities(process.capabilities, process.privileged, bounding_set());
  if (!choice) return std::unexpected(choice.error());
  for (const auto& name : choice->refused) at.made->refused.push_back("capability " + name);
  wire::Process& flat = at.flat.process;
  flat.bounding = flat.permitted = choice->granted;
  flat.no_new_privileges = process.no_new_privileges && !process.privileged ? 1 : 0;
  flat.uid = at.user.uid;
  flat.gid = at.user.gid;
  if (process.privileged) return {};
  auto filter = at.seccomp.get(process.seccomp, choice->granted);
  if (!filter) return std::unexpected(filter.error());
  at.filter = std::move(*filter);
  return {};
}

bool may_raise_limits() {
  const auto bit = capability_bit("SYS_RESOURCE");
  return bit && (bounding_set() & *bit) != 0;
}

// What this node may not give is given as far as it goes, and said.
void choose_limits(Preparation& at) {
  const bool may_raise = may_raise_limits();
  for (const auto& limit : at.spec.process.rlimits) {
    wire::Rlimit flat{static_cast<std::uint32_t>(limit.resource), 0, limit.soft, limit.hard};
    rlimit own{};
    if (!may_raise && getrlimit(static_cast<__rlimit_resource>(limit.resource), &own) == 0 &&
        limit.hard > own.rlim_max) {
      flat.hard = own.rlim_max;
      flat.soft = std::min(flat.soft, flat.hard);
      at.made->refused.push_back(fmt::format("rlimit {} above {}", limit.resource, flat.hard));
    }
    at.rlimits.push_back(flat);
  }
  const auto score = at.spec.process.oom_score_adj;
  if (!score) return;
  int own_score = 0;
  std::ifstream("/proc/self/oom_score_adj") >> own_score;
  if (*score < own_score && !may_raise) {
    at.made->refused.push_back(fmt::format("oom_score_adj {}", *score));
    return;
  }
  at.flat.process.set_oom_score_adj = 1;
  at.flat.process.oom_score_adj = *score;
}

Result<> make_cgroup(Preparation& at) {
  auto devices = find_devices(at.spec.devices, at.spec.process.privileged);
  if (!devices) return std::unexpected(devices.error());
  at.devices = std::move(*devices);
  auto made = at.cgroups.create(at.spec.cgroup, at.spec.resources);
  if (!made) return made;
  at.made->cgroups = &at.cgroups;
  at.made->cgroup = at.spec.cgroup;
  made = at.cgroups.restrict_devices(
      at.spec.cgroup, device_rules(at.spec.devices, at.devices, at.spec.process.privileged));
  if (!made) return made;
  auto doors = at.cgroups.doors(at.spec.cgroup);
  if (!doors) return std::unexpected(doors.error());
  at.flat.unified_fd = doors->unified ? at.made->add(std::move(doors->unified)) : -1;
  for (auto& tasks : doors->tasks) at.tasks_fds.push_back(at.made->add(std::move(tasks)));
  return {};
}

Result<> open_sources(Preparation& at) {
  auto mounts = open_mounts(at.spec.mounts, at.kernel);
  if (!mounts) return std::unexpected(mounts.error());
  at.mounts = std::move(*mounts);
  for (auto& mount : at.mounts) at.mount_fds.push_back(at.made->add(std::move(mount.mount)));
  at.flat.shm_fd = -1;
  if (!at.spec.sandbox_folder.empty()) {
    const std::string shm = at.spec.sandbox_folder + "/shm";
    Fd mount(at.kernel.copy_tree(AT_FDCWD, shm.c_str(), 0));
    if (!mount) return fail_errno(-mount.get(), "mount {}", shm);
    at.flat.shm_fd = at.made->add(std::move(mount));
  }
  if (at.made->fds.size() + 1 > wire::fds_max) {
    return fail(Reason::Invalid, "{} volumes: at most {}", at.mounts.size(), wire::fds_max - 20);
  }
  return {};
}

bool has_variable(const std::vector<std::string>& env, std::string_view name) {
  return std::ranges::any_of(env, [&](const std::string& pair) {
    return pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=';
  });
}

// As runtimes do where neither image nor spec says.
Result<> choose_environment(Preparation& at) {
  const ProcessSpec& process = at.spec.process;
  at.env = process.env;
  if (!has_variable(at.env, "PATH")) at.env.emplace_back(default_path);
  if (!has_variable(at.env, "HOME")) at.env.push_back("HOME=" + at.user.home);
  if (process.terminal && !has_variable(at.env, "TERM")) at.env.emplace_back("TERM=xterm");
  std::size_t bytes = 0;
  for (const auto* texts : {&process.argv, &std::as_const(at.env)}) {
    for (const auto& text : *texts) {
      if (text.contains('\0')) return fail(Reason::Invalid, "a NUL in an argument or variable");
      bytes += text.size() + 1;
    }
  }
  if (bytes > env_bytes_max) {
    return fail(Reason::Invalid, "arguments and environment have {} bytes, at most {}", bytes,
                env_bytes_max);
  }
  return {};
}

std::vector<std::string> joined(const std::vector<std::string>& first,
                                const std::vector<std::string>& second) {
  std::vector<std::string> all = first;
  all.insert(all.end(), second.begin(), second.end());
  return all;
}

void write_lists(const Preparation& at, SpecWriter& writer, wire::Spec& flat) {
  std::vector<wire::Mount> mounts;
  for (std::size_t i = 0; i < at.mounts.size(); ++i) {
    mounts.push_back(
        {writer.text(at.mounts[i].destination), at.mount_fds[i], at.mounts[i].is_folder ? 1U : 0U});
  }
  flat.mounts = writer.list(mounts);
  std::vector<wire::Device> devices;
  for (const auto& node : at.devices) {
    devices.push_back({writer.text(node.name), node.mode, node.uid, node.gid, 0, node.number});
  }
  flat.devices = writer.list(devices);
  std::vector<wire::CgroupMount> views;
  for (const auto& view : at.cgroups.views()) {
    views.push_back({writer.text(view.folder), writer.text(view.options)});
  }
  flat.cgroup_mounts = writer.list(views);
  flat.tasks_fds = writer.list(at.tasks_fds);
  const bool hides = !at.spec.process.privileged;
  const std::vector<std::string> none;
  flat.masked = writer.texts(joined(hides ? standard_masked_paths() : none, at.spec.masked_paths));
  flat.read_only =
      writer.texts(joined(hides ? standard_read_only_paths() : none, at.spec.read_only_paths));
}

void write(Preparation& at) {
  at.made->id = at.spec.id;
  at.made->sandbox_id = at.spec.sandbox_id;
  at.made->label = at.spec.label;
  at.made->spec = write_spec<wire::Spec>([&](SpecWriter& writer, wire::Spec& flat) {
    const ContainerSpec& spec = at.spec;
    flat = at.flat;
    flat.id = writer.text(spec.id);
    flat.sandbox_id = writer.text(spec.sandbox_id);
    flat.label = writer.text(spec.label);
    flat.pid_namespace = spec.pid_namespace == PidNamespace::Own ? wire::Pid::Own : wire::Pid::Node;
    flat.sys_writable = spec.process.privileged ? 1 : 0;
    flat.log_path = writer.text(spec.log.path);
    flat.log_max_bytes = spec.log.max_bytes;
    flat.log_max_files = spec.log.max_files;
    flat.stdin_open = spec.stdin_open ? 1 : 0;
    wire::Process& process = flat.process;
    process.argv = writer.texts(spec.process.argv);
    process.env = writer.texts(at.env);
    process.working_directory =
        writer.text(spec.process.working_directory.empty() ? "/" : spec.process.working_directory);
    process.groups = writer.list(at.user.groups);
    process.filter = at.filter == nullptr
                         ? wire::List{static_cast<std::uint32_t>(writer.lists_end()), 0}
                         : writer.list(*at.filter);
    process.rlimits = writer.list(at.rlimits);
    process.terminal = spec.process.terminal ? 1 : 0;
    process.rows = TerminalSize().rows;
    process.columns = TerminalSize().columns;
    write_lists(at, writer, flat);
  });
}

}  // namespace

PreparedContainer::Impl::~Impl() {
  fds.clear();  // the root is a mount of the writable folder
  if (is_started) return;
  if (cgroups != nullptr) (void)cgroups->remove(cgroup);
  std::error_code error;
  if (!writable_folder.empty()) std::filesystem::remove_all(writable_folder, error);
}

PreparedContainer::PreparedContainer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PreparedContainer::PreparedContainer(PreparedContainer&&) noexcept = default;
PreparedContainer& PreparedContainer::operator=(PreparedContainer&&) noexcept = default;
PreparedContainer::~PreparedContainer() = default;

const std::string& PreparedContainer::id() const {
  return impl_->id;
}
const std::vector<std::string>& PreparedContainer::refused() const {
  return impl_->refused;
}
std::uint32_t PreparedContainer::uid() const {
  return impl_->uid;
}

Result<PreparedContainer> prepare_container(const ContainerSpec& spec, const CgroupTree& cgroups,
                                            SeccompCache& seccomp, Kernel& kernel) {
  Preparation at{spec, cgroups, seccomp, kernel};
  Result<> result = check(at);
  if (result) result = make_root(at);
  if (result) result = choose_rights(at);
  if (result) choose_limits(at);
  if (result) result = make_cgroup(at);
  if (result) result = open_sources(at);
  if (result) result = choose_environment(at);
  if (!result) return result.error().during("prepare container {}", spec.id);
  write(at);
  return PreparedContainer(std::move(at.made));
}

Result<> remove_container_remains(const std::string& writable_folder, const std::string& cgroup,
                                  const CgroupTree& cgroups) {
  auto removed = cgroups.kill_all(cgroup);
  if (!removed) return removed;
  removed = cgroups.remove(cgroup);
  // They were told to die; it takes them a moment.
  for (int i = 0; i < removal_tries_max && !removed && removed.error().reason == Reason::Conflict;
       ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    removed = cgroups.remove(cgroup);
  }
  if (!removed) return removed;
  std::error_code error;
  std::filesystem::remove_all(writable_folder, error);
  if (error) return fail_errno(error.value(), "remove {}", writable_folder);
  return {};
}

}  // namespace keelson::isolation
