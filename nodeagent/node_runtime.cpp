// From a pod's words to the kernel's, through isolation.
#include "nodeagent/node_runtime.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <utility>

#include "api/proto/core/v1/pod.pb.h"
#include "base/log.h"
#include "nodeagent/stop_signal.h"
#include "nodeagent/sub_path.h"
#include "nodeagent/termination_message.h"

namespace keelson {
namespace {

namespace fs = std::filesystem;
using isolation::ContainerState;

Result<> make_folder(const std::string& path, mode_t mode = 0755) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return fail(reason_of_errno(error.value()), "make {}: {}", path, error.message());
  if (::chmod(path.c_str(), mode) != 0) return fail_errno(errno, "chmod {}", path);
  return {};
}

Result<> write_file(const std::string& path, std::string_view text, mode_t mode = 0644) {
  Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!fd || ::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::fchmod(fd.get(), mode) != 0) {
    return fail_errno(errno, "write {}", path);
  }
  return {};
}

std::string read_file(const char* path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string hexadecimal_id(Random& random) {
  return fmt::format("{:016x}{:016x}", random.next(), random.next());
}

// What can be told of an image that is not in the store, and what to do about it.
Error missing_image(const std::string& image, const std::string& policy) {
  if (policy == "Never") {
    return {Reason::Forbidden,
            fmt::format("Container image \"{}\" is not present with pull policy of Never", image),
            nullptr};
  }
  const std::string registry = image.substr(0, image.find('/'));
  if (registry == "keelson.local") {
    return {
        Reason::NotFound,
        fmt::format("image \"{}\" is not in this node's store, and keelson.local is no registry "
                    "to pull from: import it with `keelson image import FILE`",
                    image),
        nullptr};
  }
  return {Reason::NotFound,
          fmt::format("image \"{}\" is not in this node's store, and pulling from {} is not "
                      "supported by keelson yet: import it with `docker save {} | keelson image "
                      "import -`",
                      image, registry, image),
          nullptr};
}

}  // namespace

struct NodeRuntime::Known {
  ContainerLabel label;
  std::string cgroup, attempt_folder, log_path;
};

NodeRuntime::NodeRuntime(SystemLoop& loop, Random& random, isolation::CgroupTree& cgroups,
                         isolation::ImageStore& images, PodNetwork& network, Options options)
    : loop_(loop),
      random_(random),
      cgroups_(cgroups),
      images_(images),
      network_(network),
      options_(std::move(options)) {
  spawner_ = std::make_unique<isolation::SpawnerClient>(
      loop_, options_.spawner_socket, cgroups_,
      isolation::SpawnerClient::Listener{
          .ready = [this] { spawner_ready(); },
          .changed = [this](const ContainerState& state) { container_changed(state); },
          .lost =
              [](const Error& error) {
                log_warn("spawner lost; its containers go on", {{"error", error.message}});
              }});
}

NodeRuntime::~NodeRuntime() = default;

template <typename T>
void NodeRuntime::answer(Done<T> done, Result<T> result) {
  loop_.post([done = std::move(done), result = std::move(result),
              alive = std::weak_ptr(alive_)]() mutable {
    if (!alive.expired()) done(std::move(result));
  });
}

// --- what stands

Result<NodeRuntime::Known> NodeRuntime::known(const ContainerState& state) const {
  auto label = parse_container_label(state.label);
  if (!label) return std::unexpected(label.error());
  Known known{.label = std::move(*label)};
  const ContainerLabel& own = known.label;
  known.cgroup = container_cgroup(own.pod_uid, own.container, own.attempt);
  known.attempt_folder = options_.folders.attempt(own.pod_uid, own.container, own.attempt);
  known.log_path = fmt::format("{}/{}/{}/{}.log", options_.folders.logs,
                               pod_log_folder(own.pod_namespace, own.pod_name, own.pod_uid),
                               own.container, own.attempt);
  return known;
}

Result<NodeRuntime::Running> NodeRuntime::find_container(const std::string& id) const {
  const auto found = spawner_->containers().find(id);
  if (found == spawner_->containers().end()) {
    return fail(Reason::NotFound, "container {} is not here", id);
  }
  const auto label = known(found->second);
  if (!label) return std::unexpected(label.error());
  return Running{
      .cgroup = label->cgroup, .log_path = label->log_path, .is_running = !found->second.exit};
}

std::uint64_t NodeRuntime::when_ended(const std::string& id, Task task) {
  const auto found = spawner_->containers().find(id);
  if (found == spawner_->containers().end() || found->second.exit) {
    loop_.post(std::move(task));
    return 0;
  }
  waits_[++last_wait_] = {id, std::move(task)};
  return last_wait_;
}

void NodeRuntime::forget_wait(std::uint64_t number) {
  waits_.erase(number);
}

void NodeRuntime::spawner_ready() {
  std::vector<std::string> users;
  for (const auto& [id, state] : spawner_->containers()) users.push_back(id);
  if (auto released = images_.release_others(options_.node_name, users); !released) {
    log_warn("release layers", {{"error", released.error().message}});
  }
  for (auto& wait : std::exchange(list_waits_, {})) list(std::move(wait));
}

void NodeRuntime::list(Done<Found> done) {
  if (!spawner_->is_ready()) {
    list_waits_.push_back(std::move(done));
    return;
  }
  Found found;
  for (const auto& [id, sandbox] : spawner_->sandboxes()) {
    const auto label = parse_sandbox_label(sandbox.label);
    if (!label) continue;  // not ours
    if (!label->node_network && !label->ips.empty()) {
      network_.adopt(label->pod_uid, label->ips.front());
    }
    found.sandboxes.push_back({label->pod_uid, label->pod_namespace, label->pod_name, label->ips});
  }
  for (const auto& [id, state] : spawner_->containers()) {
    const auto container = known(state);
    if (!container) continue;
    const ContainerLabel& label = container->label;
    FoundContainer entry{.pod_uid = label.pod_uid,
                         .pod_namespace = label.pod_namespace,
                         .pod_name = label.pod_name,
                         .container = label.container,
                         .id = id,
                         .image_id = label.image_id,
                         .attempt = label.attempt,
                         .started = state.started};
    if (state.exit) {
      told_.insert(id);
      entry.exit = exit_of(state, *container);
    }
    found.containers.push_back(std::move(entry));
  }
  std::sort(found.containers.begin(), found.containers.end(),
            [](const auto& a, const auto& b) { return a.attempt < b.attempt; });
  answer<Found>(std::move(done), std::move(found));
}

void NodeRuntime::on_exit(std::function<void(const ContainerExit&)> exited) {
  exited_ = std::move(exited);
}

ContainerExit NodeRuntime::exit_of(const ContainerState& state, const Known& container) const {
  const auto statistics = cgroups_.statistics(container.cgroup);
  const bool failed = state.exit->exit_code != 0;
  ContainerExit exit{
      .pod_uid = container.label.pod_uid,
      .container = container.label.container,
      .id = state.id,
      .exit_code = state.exit->exit_code,
      .signal = state.exit->signal,
      // The kernel may have killed another process of it, too: it ended by SIGKILL all the same.
      .oom_killed = failed && statistics && statistics->oom_kills > 0,
      .started = state.started,
      .finished = state.finished,
      .message =
          read_termination_message({.file = container.attempt_folder + "/termination-log",
                                    .log_path = container.log_path,
                                    .fall_back_to_log = failed && container.label.message_policy ==
                                                                      "FallbackToLogsOnError"})};
  if (!state.exit->known && exit.message.empty()) {
    exit.message = "its end was not seen: agent and spawner were both away";
  }
  return exit;
}

void NodeRuntime::container_changed(const ContainerState& state) {
  if (!state.exit) return;
  for (auto at = waits_.begin(); at != waits_.end();) {
    if (at->second.id == state.id) loop_.post(std::move(at->second.task));
    at = at->second.id == state.id ? waits_.erase(at) : std::next(at);
  }
  if (auto found = removals_.find(state.sandbox_id); found != removals_.end()) {
    if (auto removal = found->second.lock()) removal->container_ended();
  }
  if (!exited_ || !told_.insert(state.id).second) return;
  const auto container = known(state);
  if (!container) return;
  exited_(exit_of(state, *container));
}

// --- images

void NodeRuntime::ensure_image(const std::string& image, const std::string& policy,
                               Done<ImageInfo> done) {
  const auto name = isolation::normalize_image_name(image);
  if (!name) {
    const Error error =
        name.error().during("Failed to apply default image tag \"{}\"", image).error();
    return answer<ImageInfo>(std::move(done),
                             std::unexpected(Error{Reason::Invalid, error.message, nullptr}));
  }
  const auto found = images_.find(*name);
  if (found)
    return answer<ImageInfo>(std::move(done), ImageInfo{.id = found->id, .reference = *name});
  if (found.error().reason != Reason::NotFound) {
    return answer<ImageInfo>(std::move(done), std::unexpected(found.error()));
  }
  answer<ImageInfo>(std::move(done), std::unexpected(missing_image(*name, policy)));
}

// --- sandboxes

Result<> NodeRuntime::write_pod_files(const core::Pod& pod, const std::vector<std::string>& ips) {
  const std::string folder = options_.folders.pod(pod.metadata().uid());
  DnsSettings dns = options_.dns;
  dns.node_file = read_file("/etc/resolv.conf");
  const std::pair<const char*, std::string> files[] = {
      {"hosts", hosts_file(pod, ips, read_file("/etc/hosts"))},
      {"hostname", hostname_of(pod) + "\n"},
      {"resolv.conf", resolv_file(pod, dns)},
  };
  if (auto made = make_folder(folder); !made) return made;
  for (const auto& [name, text] : files) {
    if (auto written = write_file(folder + "/" + name, text); !written) return written;
  }
  return {};
}

Result<isolation::Sandbox> NodeRuntime::make_sandbox(const core::Pod& pod, SandboxInfo& info) {
  const std::string& uid = pod.metadata().uid();
  isolation::SandboxSpec spec = translate_sandbox(pod);
  spec.folder = options_.folders.sandbox(uid);
  if (auto made = make_folder(spec.folder); !made) return std::unexpected(made.error());
  if (auto made = cgroups_.create(pod_cgroup(uid), pod_resources(pod)); !made) {
    return std::unexpected(made.error());
  }
  auto sandbox = isolation::make_sandbox(spec);
  if (!sandbox) return sandbox;
  if (spec.node_network) {
    info.ips = {options_.node_address};
  } else {
    auto address = network_.connect(uid, sandbox->net_namespace.get());
    if (!address) return std::unexpected(address.error());
    info.ips = {*address};
  }
  if (auto written = write_pod_files(pod, info.ips); !written) {
    return std::unexpected(written.error());
  }
  sandbox->label = to_label(SandboxLabel{.pod_uid = uid,
                                         .pod_namespace = pod.metadata().namespace_(),
                                         .pod_name = pod.metadata().name(),
                                         .ips = info.ips,
                                         .node_network = spec.node_network});
  return sandbox;
}

void NodeRuntime::create_sandbox(std::shared_ptr<const core::Pod> pod, Done<SandboxInfo> done) {
  SandboxInfo info;
  const std::string uid = pod->metadata().uid();
  auto sandbox = make_sandbox(*pod, info);
  if (!sandbox) {
    undo_sandbox(uid);
    return answer<SandboxInfo>(std::move(done), std::unexpected(sandbox.error()));
  }
  spawner_->hold_sandbox(std::move(*sandbox),
                         [this, uid, info, done = std::move(done)](Result<> held) mutable {
                           if (held) return done(info);
                           undo_sandbox(uid);
                           done(std::unexpected(held.error()));
                         });
}

void NodeRuntime::undo_sandbox(const std::string& pod_uid) {
  network_.release(pod_uid);
  auto undone = isolation::remove_sandbox_folder(options_.folders.sandbox(pod_uid));
  if (undone) undone = cgroups_.remove(pod_cgroup(pod_uid));
  if (!undone) log_warn("undo sandbox", {{"pod_uid", pod_uid}, {"error", undone.error().message}});
}

void NodeRuntime::stop_sandbox(const std::string& pod_uid, Done<void> done) {
  take_down(pod_uid, false, std::move(done));
}

void NodeRuntime::remove_pod(const std::string& pod_uid, Done<void> done) {
  take_down(pod_uid, true, std::move(done));
}

void NodeRuntime::take_down(const std::string& pod_uid, bool with_records, Done<void> done) {
  PodRemoval::Plan plan{.pod_uid = pod_uid,
                        .node_name = options_.node_name,
                        .folders = options_.folders,
                        .with_records = with_records};
  auto removal = std::make_shared<PodRemoval>(
      PodRemoval::Hands{loop_, worker_.loop(0), *spawner_, cgroups_, images_}, std::move(plan),
      [this, pod_uid, alive = std::weak_ptr(alive_),
       done = std::move(done)](Result<> removed) mutable {
        if (alive.expired()) return;
        removals_.erase(pod_uid);
        if (removed) network_.release(pod_uid);
        done(std::move(removed));
      });
  removals_[pod_uid] = removal;
  removal->start();
}

// --- containers

Result<isolation::PreparedContainer> NodeRuntime::prepare(const ContainerStart& start,
                                                          const std::string& id) {
  const auto& metadata = start.pod->metadata();
  const std::string& uid = metadata.uid();
  const std::string& name = start.container->name();
  auto image = images_.find(start.image.id);
  if (!image) return std::unexpected(image.error());
  auto layers = images_.hold(*image, options_.node_name, id);
  if (!layers) return std::unexpected(layers.error());

  const std::string folder = options_.folders.attempt(uid, name, start.attempt);
  const std::string files = options_.folders.pod(uid);
  const std::string log_folder =
      pod_log_folder(metadata.namespace_(), metadata.name(), uid) + "/" + name;
  auto made = make_folder(folder + "/root");
  if (made) made = make_folder(options_.folders.logs + "/" + log_folder);
  // Whoever the container runs as may write its last words.
  if (made) made = write_file(folder + "/termination-log", {}, 0666);
  if (!made) return std::unexpected(made.error());

  const ContainerLabel label{.pod_uid = uid,
                             .pod_namespace = metadata.namespace_(),
                             .pod_name = metadata.name(),
                             .container = name,
                             .image_id = start.image.id,
                             .attempt = start.attempt,
                             .stop_signal = parse_stop_signal(image->config.stop_signal),
                             .message_policy = start.container->terminationmessagepolicy()};
  auto translated =
      translate_container(start, {.id = id,
                                  .label = to_label(label),
                                  .cgroup = container_cgroup(uid, name, start.attempt),
                                  .writable_folder = folder + "/root",
                                  .log_path = fmt::format("{}/{}.log", log_folder, start.attempt),
                                  .termination_file = folder + "/termination-log",
                                  .hosts_file = files + "/hosts",
                                  .hostname_file = files + "/hostname",
                                  .resolv_file = files + "/resolv.conf",
                                  .layers = std::move(*layers),
                                  .image = image->config,
                                  .node_memory_bytes = options_.node_memory_bytes});
  if (!translated) return std::unexpected(translated.error());

  std::vector<Fd> opened;  // until they are mounted
  for (const SubPathMount& sub_path : translated->sub_paths) {
    auto fd = open_sub_path(sub_path.volume_folder, sub_path.sub_path);
    if (!fd) return std::unexpected(fd.error());
    translated->spec.mounts[sub_path.mount].source_fd = fd->get();
    opened.push_back(std::move(*fd));
  }
  auto prepared = isolation::prepare_container(translated->spec, cgroups_, seccomp_);
  if (prepared && translated->must_not_be_root && prepared->uid() == 0) {
    return fail(Reason::Invalid,
                "container has runAsNonRoot and image will run as root (pod: \"{}_{}({})\", "
                "container: {})",
                metadata.name(), metadata.namespace_(), uid, name);
  }
  return prepared;
}

void NodeRuntime::start_container(ContainerStart start, Done<ContainerStarted> done) {
  const std::string id = hexadecimal_id(random_);
  auto prepared = prepare(start, id);
  if (!prepared) {
    if (auto released = images_.release(options_.node_name, id); !released) {
      log_warn("release layers", {{"error", released.error().message}});
    }
    return answer<ContainerStarted>(std::move(done), std::unexpected(prepared.error()));
  }
  std::vector<std::string> refused;
  for (const std::string& what : prepared->refused()) {
    refused.push_back(what + " was asked for, and this node cannot give it");
  }
  spawner_->start(
      std::move(*prepared), [this, id, refused = std::move(refused),
                             done = std::move(done)](Result<ContainerState> started) mutable {
        if (started) {
          return done(
              ContainerStarted{.id = id, .at = started->started, .refused = std::move(refused)});
        }
        if (auto released = images_.release(options_.node_name, id); !released) {
          log_warn("release layers", {{"error", released.error().message}});
        }
        done(std::unexpected(started.error()));
      });
}

void NodeRuntime::kill_container(const std::string& id, int signal) {
  if (signal == 0) {
    const auto found = spawner_->containers().find(id);
    if (found == spawner_->containers().end()) return;
    const auto label = parse_container_label(found->second.label);
    signal = label ? label->stop_signal : SIGTERM;
  }
  spawner_->signal(id, signal, [id](Result<> sent) {
    if (!sent && sent.error().reason != Reason::NotFound) {
      log_warn("signal container", {{"container", id}, {"error", sent.error().message}});
    }
  });
}

void NodeRuntime::remove_container(const std::string& id) {
  const auto found = spawner_->containers().find(id);
  if (found == spawner_->containers().end()) return;
  const auto container = known(found->second);
  if (!container) return;
  PodRemoval::remove_container({loop_, worker_.loop(0), *spawner_, cgroups_, images_},
                               {.id = id,
                                .node_name = options_.node_name,
                                .cgroup = container->cgroup,
                                .attempt_folder = container->attempt_folder,
                                .log_path = container->log_path});
  told_.erase(id);
}

}  // namespace keelson
