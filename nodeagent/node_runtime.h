// The PodRuntime of a real node: isolation's pieces, put together.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "base/io_threads.h"
#include "base/random.h"
#include "isolation/image_store.h"
#include "isolation/seccomp.h"
#include "isolation/spawner_client.h"
#include "nodeagent/container_spec.h"
#include "nodeagent/labels.h"
#include "nodeagent/node_folders.h"
#include "nodeagent/pod_files.h"
#include "nodeagent/pod_network.h"
#include "nodeagent/pod_removal.h"
#include "nodeagent/pod_runtime.h"

namespace keelson {

// Loop thread only. What takes longer than a few milliseconds runs on a thread of its own.
class NodeRuntime final : public PodRuntime {
 public:
  struct Options {
    std::string node_name;
    std::string node_address;
    std::int64_t node_memory_bytes = 0;
    NodeFolders folders;
    DnsSettings dns;
    std::string spawner_socket;
  };
  NodeRuntime(SystemLoop& loop, Random& random, isolation::CgroupTree& cgroups,
              isolation::ImageStore& images, PodNetwork& network, Options options);
  ~NodeRuntime() override;

  void list(Done<Found> done) override;
  void on_exit(std::function<void(const ContainerExit&)> exited) override;
  void ensure_image(const std::string& image, const std::string& policy,
                    Done<ImageInfo> done) override;
  void create_sandbox(std::shared_ptr<const core::Pod> pod, Done<SandboxInfo> done) override;
  void stop_sandbox(const std::string& pod_uid, Done<void> done) override;
  void remove_pod(const std::string& pod_uid, Done<void> done) override;
  void start_container(ContainerStart start, Done<ContainerStarted> done) override;
  void kill_container(const std::string& id, int signal) override;
  void remove_container(const std::string& id) override;
  Pending exec(const std::string& id, std::vector<std::string> command,
               Done<ExecOutcome> done) override;

  // For streams: kubectl exec, attach and logs.
  isolation::SpawnerClient& spawner() { return *spawner_; }
  bool is_ready() const { return spawner_->is_ready(); }
  struct Running {
    std::string cgroup, log_path;
    bool is_running = false;
  };
  Result<Running> find_container(const std::string& id) const;  // NotFound
  // Runs the task once, when the container has ended and its log is complete; at once (but not
  // inside the call) if it has. The number takes it back.
  std::uint64_t when_ended(const std::string& id, Task task);
  void forget_wait(std::uint64_t number);

 private:
  struct Known;  // a container's label, parsed, and its files
  void spawner_ready();
  void container_changed(const isolation::ContainerState& state);
  ContainerExit exit_of(const isolation::ContainerState& state, const Known& container) const;
  Result<Known> known(const isolation::ContainerState& state) const;
  Result<> write_pod_files(const core::Pod& pod, const std::vector<std::string>& ips);
  Result<isolation::Sandbox> make_sandbox(const core::Pod& pod, SandboxInfo& info);
  Result<isolation::PreparedContainer> prepare(const ContainerStart& start, const std::string& id);
  void take_down(const std::string& pod_uid, bool with_records, Done<void> done);
  void undo_sandbox(const std::string& pod_uid);
  template <typename T>
  void answer(Done<T> done, Result<T> result);

  SystemLoop& loop_;
  Random& random_;
  isolation::CgroupTree& cgroups_;
  isolation::ImageStore& images_;
  PodNetwork& network_;
  Options options_;
  isolation::SeccompCache seccomp_;
  std::function<void(const ContainerExit&)> exited_;
  std::vector<Done<Found>> list_waits_;  // until the spawner is there
  std::set<std::string> told_;           // ids of containers whose end was told
  struct Wait {
    std::string id;
    Task task;
  };
  std::map<std::uint64_t, Wait> waits_;
  std::uint64_t last_wait_ = 0;
  std::map<std::string, std::weak_ptr<PodRemoval>> removals_;  // by pod uid
  IoThreads worker_{1, "remove"};
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::unique_ptr<isolation::SpawnerClient> spawner_;  // last: its callbacks use the rest
};

}  // namespace keelson
