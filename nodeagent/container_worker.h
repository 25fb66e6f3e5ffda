// One container of a pod over all its attempts: image, start, hooks, probes, end, back-off.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "nodeagent/back_off.h"
#include "nodeagent/pod_hands.h"
#include "nodeagent/pod_state.h"

namespace keelson {

// Loop thread only. `changed` is called whenever state() may have changed; it may call back in.
class ContainerWorker {
 public:
  ContainerWorker(const PodHands& hands, std::string name, bool is_init,
                  std::function<void()> changed);
  ~ContainerWorker();

  const ContainerRun& state() const { return state_; }
  bool is_running() const { return state_.phase == ContainerRun::Phase::Running; }
  bool is_starting() const { return state_.phase == ContainerRun::Phase::Starting; }
  // When the next attempt may start; now or earlier: at once.
  Instant not_before() const { return not_before_; }

  // What an attempt needs beside the container's own spec.
  struct Setting {
    std::shared_ptr<const core::Pod> pod;
    PodPlace place;
    std::map<std::string, std::string> volumes;
  };
  void start(Setting setting);  // from Waiting, or Terminated
  // It ended, is wanted again, and its time has not come: soon its state says CrashLoopBackOff.
  void await_restart();
  // Takes over what an earlier agent started. Oldest attempt first.
  void adopt(const FoundContainer& found, Setting setting);
  // The API knows it from before, the node does not: a restart of the machine took it. Without
  // effect on what was adopted.
  void lost(const core::ContainerStatus& status);
  void exited(const ContainerExit& exit);
  void retry_now();  // what it lacked may be there

  // preStop, the stop signal, and after the grace SIGKILL. A second call may shorten the grace.
  void stop(Duration grace, std::string_view why);
  // The pod's newest version: probes and hooks read it.
  void update(std::shared_ptr<const core::Pod> pod);

 private:
  const core::Container& spec() const;
  void image_ready(Result<ImageInfo> image);
  void create(ImageInfo image);
  void started(Result<ContainerStarted> result);
  void run_post_start();
  void probe_startup();
  void probe_running();
  std::unique_ptr<ProbeWorker> make_probe(const char* word, ProbeWorker::Listener listener);
  void unhealthy(const char* word);
  void wait(std::string reason, std::string message, Duration delay);
  void say_back_off();
  void set_aside_end();
  void succeed(const std::string& id);
  void failed_to_start(const Error& error);
  void settle_exit(Termination end);
  void send_stop_signal();
  void kill_now();
  void record(std::string_view type, std::string_view reason, std::string_view message);
  AskTarget target(Duration timeout) const;
  template <typename Handler>
  Pending ask(const Handler& handler, Duration timeout, Asker::Done done);

  PodHands hands_;
  std::string name_;
  bool is_init_;
  std::function<void()> changed_;
  ContainerRun state_;
  Setting setting_;
  int attempts_ = 0;         // that came to be
  std::string previous_id_;  // of the attempt before: its log is what `logs --previous` shows
  Instant not_before_{};
  Duration delay_{0};  // how long not_before_ was set ahead
  RestartBackOff restarts_, pulls_;
  std::unique_ptr<ProbeWorker> startup_, liveness_, readiness_;
  Pending hook_, stop_timer_, back_off_timer_;
  std::optional<Instant> stop_deadline_;
  bool stop_signalled_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace keelson
