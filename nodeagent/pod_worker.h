// One pod's life on this node: volumes, sandbox, init containers, containers, and the way back.
// Sequences steps; each is done elsewhere.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "nodeagent/container_worker.h"
#include "nodeagent/pod_hands.h"
#include "nodeagent/pod_state.h"
#include "nodeagent/volumes.h"

namespace keelson {

// Loop thread only.
class PodWorker {
 public:
  struct Listener {
    std::function<void()> changed;  // state() may differ: report it
    std::function<void()> gone;     // ended and cleaned up: nothing of it is left on the node
  };
  PodWorker(const PodHands& hands, PodVolumes& volumes, PodPlace place,
            std::shared_ptr<const core::Pod> pod, Listener listener);
  ~PodWorker();

  const PodState& state() const { return state_; }
  const core::Pod& pod() const { return *pod_; }
  // True while a step is under way that will change the state in a moment.
  bool is_busy() const;

  // What an earlier agent left. Before the first sync.
  void adopt(const FoundSandbox& sandbox);
  void adopt(const FoundContainer& container);
  // That was all there is on the node; now it may be synced.
  void begin();

  void update(std::shared_ptr<const core::Pod> pod);
  // The API no longer knows it, or wants it gone at once: end it within the grace.
  void end(Duration grace, std::string_view why);
  // The node refuses it: it fails as a whole and never starts.
  void refuse(std::string reason, std::string message);
  void exited(const ContainerExit& exit);
  void objects_changed();  // ConfigMaps and Secrets it refers to
  // The API already has it as Succeeded or Failed, and nothing of it runs here: its status stands.
  bool is_finished() const { return is_finished_; }
  bool is_gone() const { return gone_; }  // Listener::gone has been called

 private:
  using Workers = std::map<std::string, std::unique_ptr<ContainerWorker>>;
  void sync_soon();
  void sync();
  void sync_running();
  void sync_ending();
  bool set_up_volumes();
  bool ensure_sandbox();
  void sandbox_made(Result<SandboxInfo> made);
  bool run_init_containers();
  void run_containers();
  void start_if_due(ContainerWorker& worker, bool is_init);
  void wake_at(Instant at);
  void stop_all(Duration grace, std::string_view why);
  bool all_ended() const;
  void clean_up();
  void sandbox_removed(Result<> removed);
  void collect();
  void fail_step(std::string_view reason, const Error& error);
  Duration grace_left() const;
  ContainerWorker::Setting setting() const;

  PodHands hands_;
  PodVolumes& volumes_;
  PodPlace place_;
  std::shared_ptr<const core::Pod> pod_;
  Listener listener_;
  PodState state_;
  Workers init_, main_;
  std::map<std::string, std::string> volume_paths_;

  enum class Sandbox { None, Making, Ready, Removing };
  Sandbox sandbox_ = Sandbox::None;
  RestartBackOff step_back_off_;
  Instant retry_at_{};        // a failed step is tried again then
  Instant wake_at_{};         // the soonest that this sync asked for
  std::string told_failure_;  // the last one, so that an event tells a new one only
  bool ending_ = false;       // on its way out
  bool removing_ = false;     // the clean-up under way is the last
  bool gone_ = false;
  bool is_finished_ = false;
  Instant end_by_{};  // when its grace is over
  std::string ending_why_;
  Pending timer_, soon_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace keelson
