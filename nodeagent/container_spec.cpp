// Field by field; what the image says stands where the pod is silent.
#include "nodeagent/container_spec.h"

#include <algorithm>

#include "api/proto/core/v1/pod.pb.h"
#include "api/resource_amounts.h"
#include "nodeagent/pod_files.h"

namespace keelson {
namespace {

using isolation::MountSpec;
using isolation::Resources;

constexpr std::int64_t cpu_period_us = 100'000;
constexpr std::int64_t cpu_quota_min_us = 1'000;  // the kernel's least
constexpr std::uint64_t cpu_shares_min = 2;  // the kernel's least, and Kubernetes' for no request
constexpr const char* default_path =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// --- the process

Result<std::vector<std::string>> argv_of(const ContainerStart& start, const AttemptPlace& place) {
  std::vector<std::string> argv;
  auto append = [&argv, &start](const auto& words) {
    for (const auto& word : words) argv.push_back(expand(word, start.environment));
  };
  const core::Container& container = *start.container;
  if (!container.command().empty()) {
    append(container.command());
    append(container.args());
  } else {
    argv = place.image.entrypoint;
    if (!container.args().empty()) {
      append(container.args());
    } else {
      argv.insert(argv.end(), place.image.cmd.begin(), place.image.cmd.end());
    }
  }
  if (argv.empty()) {
    return fail(Reason::Invalid, "no command specified: image \"{}\" has none, and neither has {}",
                container.image(), container.name());
  }
  return argv;
}

std::vector<std::string> environment_of(const ContainerStart& start, const AttemptPlace& place) {
  std::vector<std::string> env;
  auto has = [&](std::string_view name) {
    return std::any_of(env.begin(), env.end(), [name](const std::string& variable) {
      return variable.starts_with(name) && variable.size() > name.size() &&
             variable[name.size()] == '=';
    });
  };
  for (const std::string& variable : place.image.env) {
    if (!start.environment.find(variable.substr(0, variable.find('=')))) env.push_back(variable);
  }
  for (const auto& [name, value] : start.environment.variables) env.push_back(name + "=" + value);
  if (!has("PATH")) env.insert(env.begin(), default_path);
  if (!has("HOSTNAME")) env.push_back("HOSTNAME=" + hostname_of(*start.pod));
  if (start.container->tty() && !has("TERM")) env.push_back("TERM=xterm");
  return env;
}

isolation::UserSpec user_of(const ContainerStart& start, const AttemptPlace& place) {
  const auto& pod = start.pod->spec().securitycontext();
  const auto& own = start.container->securitycontext();
  isolation::UserSpec user{.image_user = place.image.user};
  if (own.has_runasuser() || pod.has_runasuser()) {
    user.uid = static_cast<std::uint32_t>(own.has_runasuser() ? own.runasuser() : pod.runasuser());
  }
  if (own.has_runasgroup() || pod.has_runasgroup()) {
    user.gid =
        static_cast<std::uint32_t>(own.has_runasgroup() ? own.runasgroup() : pod.runasgroup());
  }
  for (const std::int64_t group : pod.supplementalgroups()) {
    user.groups.push_back(static_cast<std::uint32_t>(group));
  }
  if (pod.has_fsgroup()) user.groups.push_back(static_cast<std::uint32_t>(pod.fsgroup()));
  return user;
}

// Without a word the runtime's default profile applies: safer than Kubernetes, which has none.
Result<isolation::SeccompSpec> seccomp_of(const ContainerStart& start) {
  const auto& pod = start.pod->spec().securitycontext();
  const auto& own = start.container->securitycontext();
  const auto& profile = own.has_seccompprofile() ? own.seccompprofile() : pod.seccompprofile();
  if (profile.type() == "Unconfined") {
    return isolation::SeccompSpec{.kind = isolation::SeccompSpec::Kind::Unconfined};
  }
  if (profile.type() == "Localhost") {
    return fail(Reason::Invalid,
                "seccompProfile.type Localhost is not supported by keelson yet: use RuntimeDefault "
                "or Unconfined");
  }
  return isolation::SeccompSpec{};
}

// kubelet's (GetContainerOOMScoreAdjust): who asked for much is killed late.
int oom_score_adj_of(const ContainerStart& start, std::int64_t node_memory_bytes) {
  const std::string_view qos = qos_class_of(start.pod->spec());
  if (qos == "Guaranteed") return -997;
  if (qos == "BestEffort" || node_memory_bytes <= 0) return 1'000;
  const auto asked = ResourceAmounts::of(start.container->resources().requests());
  const auto adjust =
      1'000 - static_cast<int>(1'000 * (asked.memory_bytes >> 10) / (node_memory_bytes >> 10));
  return std::clamp(adjust, 3, 999);
}

Result<isolation::ProcessSpec> process_of(const ContainerStart& start, const AttemptPlace& place) {
  const auto& security = start.container->securitycontext();
  auto argv = argv_of(start, place);
  if (!argv) return std::unexpected(argv.error());
  auto seccomp = seccomp_of(start);
  if (!seccomp) return std::unexpected(seccomp.error());
  isolation::ProcessSpec process{.argv = std::move(*argv),
                                 .env = environment_of(start, place),
                                 .working_directory = start.container->workingdir().empty()
                                                          ? place.image.working_directory
                                                          : start.container->workingdir(),
                                 .user = user_of(start, place),
                                 .seccomp = std::move(*seccomp),
                                 .no_new_privileges = security.has_allowprivilegeescalation() &&
                                                      !security.allowprivilegeescalation(),
                                 .privileged = security.privileged(),
                                 .terminal = start.container->tty(),
                                 .oom_score_adj = oom_score_adj_of(start, place.node_memory_bytes)};
  for (const auto& name : security.capabilities().add()) process.capabilities.add.push_back(name);
  for (const auto& name : security.capabilities().drop()) process.capabilities.drop.push_back(name);
  return process;
}

// --- mounts

isolation::Propagation propagation_of(const core::VolumeMount& mount) {
  if (mount.mountpropagation() == "HostToContainer") return isolation::Propagation::FromNode;
  if (mount.mountpropagation() == "Bidirectional") return isolation::Propagation::Both;
  return isolation::Propagation::None;
}

Result<> add_volume_mounts(const ContainerStart& start, TranslatedContainer& out) {
  for (const auto& mount : start.container->volumemounts()) {
    const auto folder = start.volumes.find(mount.name());
    if (folder == start.volumes.end()) {
      return fail(Reason::Invalid, "volume \"{}\" of mount {} is not there", mount.name(),
                  mount.mountpath());
    }
    MountSpec spec{.source = folder->second,
                   .destination = mount.mountpath(),
                   .read_only = mount.readonly(),
                   .propagation = propagation_of(mount)};
    const std::string sub_path = mount.subpathexpr().empty()
                                     ? mount.subpath()
                                     : expand(mount.subpathexpr(), start.environment);
    if (!sub_path.empty()) {
      spec.source.clear();
      out.sub_paths.push_back({out.spec.mounts.size(), folder->second, sub_path});
    }
    out.spec.mounts.push_back(std::move(spec));
  }
  return {};
}

// What the node gives, unless the pod mounts something there itself.
void add_node_files(const ContainerStart& start, const AttemptPlace& place,
                    std::vector<MountSpec>& mounts) {
  const std::string& message_path = start.container->terminationmessagepath();
  const std::pair<std::string, std::string> files[] = {
      {place.hosts_file, "/etc/hosts"},
      {place.hostname_file, "/etc/hostname"},
      {place.resolv_file, "/etc/resolv.conf"},
      {place.termination_file, message_path.empty() ? "/dev/termination-log" : message_path},
  };
  for (const auto& [source, destination] : files) {
    const bool is_taken = std::any_of(
        mounts.begin(), mounts.end(),
        [&destination](const MountSpec& mount) { return mount.destination == destination; });
    if (!is_taken) mounts.push_back({.source = source, .destination = destination});
  }
}

// --- limits

Resources resources_of(const ResourceAmounts& requests, const ResourceAmounts& limits) {
  Resources resources;
  resources.cpu_shares = std::max<std::uint64_t>(
      cpu_shares_min, static_cast<std::uint64_t>(requests.cpu_millicores) * 1'024 / 1'000);
  if (limits.cpu_millicores > 0) {
    resources.cpu_period_us = cpu_period_us;
    resources.cpu_quota_us =
        std::max(cpu_quota_min_us, limits.cpu_millicores * cpu_period_us / 1'000);
  }
  resources.memory_bytes = limits.memory_bytes;
  return resources;
}

}  // namespace

Result<TranslatedContainer> translate_container(const ContainerStart& start,
                                                const AttemptPlace& place) {
  auto process = process_of(start, place);
  if (!process) return std::unexpected(process.error());
  const auto& security = start.container->securitycontext();
  const auto& pod_security = start.pod->spec().securitycontext();
  TranslatedContainer out;
  out.must_not_be_root =
      security.has_runasnonroot() ? security.runasnonroot() : pod_security.runasnonroot();
  out.spec.id = place.id;
  out.spec.sandbox_id = start.pod->metadata().uid();
  out.spec.label = place.label;
  out.spec.process = std::move(*process);
  out.spec.rootfs = {.layers = place.layers,
                     .writable_folder = place.writable_folder,
                     .read_only = security.readonlyrootfilesystem()};
  if (auto added = add_volume_mounts(start, out); !added) return std::unexpected(added.error());
  add_node_files(start, place, out.spec.mounts);
  if (start.pod->spec().hostpid()) out.spec.pid_namespace = isolation::PidNamespace::Node;
  out.spec.cgroup = place.cgroup;
  out.spec.resources = resources_of(ResourceAmounts::of(start.container->resources().requests()),
                                    ResourceAmounts::of(start.container->resources().limits()));
  out.spec.log = {.path = place.log_path};
  out.spec.stdin_open = start.container->stdin();
  return out;
}

isolation::SandboxSpec translate_sandbox(const core::Pod& pod) {
  isolation::SandboxSpec spec{.id = pod.metadata().uid(),
                              .hostname = hostname_of(pod),
                              .node_network = pod.spec().hostnetwork(),
                              .node_ipc = pod.spec().hostipc()};
  if (!spec.node_network) {
    // As runtimes set them: an unprivileged server may use port 80, and ping needs no capability.
    spec.sysctls = {{"net.ipv4.ip_unprivileged_port_start", "0"},
                    {"net.ipv4.ping_group_range", "0 2147483647"}};
  }
  return spec;
}

Resources pod_resources(const core::Pod& pod) {
  ResourceAmounts limits;
  bool cpu = true, memory = true;
  for (const auto& container : pod.spec().containers()) {
    const auto own = ResourceAmounts::of(container.resources().limits());
    cpu = cpu && own.cpu_millicores > 0;
    memory = memory && own.memory_bytes > 0;
    limits.add(own);
  }
  for (const auto& container : pod.spec().initcontainers()) {
    const auto own = ResourceAmounts::of(container.resources().limits());
    cpu = cpu && own.cpu_millicores > 0;
    memory = memory && own.memory_bytes > 0;
    limits.raise_to(own);
  }
  if (!cpu) limits.cpu_millicores = 0;
  if (!memory) limits.memory_bytes = 0;
  return resources_of(pod_requests(pod.spec()), limits);
}

}  // namespace keelson
