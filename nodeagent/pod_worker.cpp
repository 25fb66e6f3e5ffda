// The order of a pod's life. Level-triggered: sync() looks at what is and takes the next step, and
// whatever changes calls it again.
#include "nodeagent/pod_worker.h"

#include "api/object.h"
#include "api/proto/core/v1/pod.pb.h"
#include "base/log.h"
#include "nodeagent/pod_status.h"

namespace keelson {
namespace {

using Phase = ContainerRun::Phase;

bool is_terminal(std::string_view phase) {
  return phase == "Succeeded" || phase == "Failed";
}

}  // namespace

PodWorker::PodWorker(const PodHands& hands, PodVolumes& volumes, PodPlace place,
                     std::shared_ptr<const core::Pod> pod, Listener listener)
    : hands_(hands),
      volumes_(volumes),
      place_(std::move(place)),
      pod_(std::move(pod)),
      listener_(std::move(listener)) {
  state_.host_ip = place_.host_ip;
  state_.start_time = hands_.loop.clock().wall();
  if (pod_->status().has_starttime()) state_.start_time = from_time(pod_->status().starttime());
  auto changed = [this] { sync_soon(); };
  for (const auto& container : pod_->spec().initcontainers()) {
    init_[container.name()] =
        std::make_unique<ContainerWorker>(hands_, container.name(), true, changed);
  }
  for (const auto& container : pod_->spec().containers()) {
    main_[container.name()] =
        std::make_unique<ContainerWorker>(hands_, container.name(), false, changed);
  }
  collect();
}

PodWorker::~PodWorker() = default;

// --- what comes from outside

void PodWorker::adopt(const FoundSandbox& sandbox) {
  sandbox_ = Sandbox::Ready;
  state_.network_ready = true;
  state_.ips = sandbox.ips;
  place_.pod_ips = sandbox.ips;
  sync_soon();
}

void PodWorker::adopt(const FoundContainer& container) {
  Workers& workers = init_.contains(container.container) ? init_ : main_;
  const auto found = workers.find(container.container);
  if (found == workers.end()) return;
  found->second->adopt(container, setting());
  sync_soon();
}

void PodWorker::update(std::shared_ptr<const core::Pod> pod) {
  pod_ = std::move(pod);
  for (auto& [name, worker] : init_) worker->update(pod_);
  for (auto& [name, worker] : main_) worker->update(pod_);
  // Counted from when the node hears of it, for clocks of two machines differ.
  if (pod_->metadata().has_deletiontimestamp()) {
    end(std::chrono::seconds(pod_->metadata().deletiongraceperiodseconds()), {});
  }
  sync_soon();
}

void PodWorker::begin() {
  is_finished_ = is_terminal(pod_->status().phase()) && sandbox_ == Sandbox::None;
  for (const auto& status : pod_->status().initcontainerstatuses()) {
    if (auto found = init_.find(status.name()); found != init_.end()) found->second->lost(status);
  }
  for (const auto& status : pod_->status().containerstatuses()) {
    if (auto found = main_.find(status.name()); found != main_.end()) found->second->lost(status);
  }
  update(pod_);
}

void PodWorker::objects_changed() {
  retry_at_ = {};
  for (auto& [name, worker] : init_) worker->retry_now();
  for (auto& [name, worker] : main_) worker->retry_now();
  sync_soon();
}

void PodWorker::end(Duration grace, std::string_view why) {
  const Instant by = hands_.loop.clock().now() + grace;
  if (ending_ && by >= end_by_) return;
  ending_ = true;
  end_by_ = by;
  ending_why_ = why;
  sync_soon();
}

void PodWorker::refuse(std::string reason, std::string message) {
  hands_.events.record(*pod_, {}, "Warning", reason, message);
  state_.failed_reason = std::move(reason);
  state_.failed_message = std::move(message);
  sync_soon();
}

void PodWorker::exited(const ContainerExit& exit) {
  for (Workers* workers : {&init_, &main_}) {
    if (auto found = workers->find(exit.container); found != workers->end()) {
      found->second->exited(exit);
    }
  }
}

// --- the loop of steps

void PodWorker::sync_soon() {
  if (soon_) return;
  soon_ = hands_.loop.after(Duration(0), [this] {
    soon_.reset();
    sync();
  });
}

void PodWorker::sync() {
  if (gone_) return;
  timer_.reset();
  wake_at_ = Instant::max();
  if (ending_ || !state_.failed_reason.empty()) {
    sync_ending();
  } else if (!is_finished_) {
    sync_running();
  }
  collect();
  if (wake_at_ != Instant::max()) {
    timer_ = hands_.loop.after(wake_at_ - hands_.loop.clock().now(), [this] { sync(); });
  }
  listener_.changed();
}

void PodWorker::sync_running() {
  collect();
  const PodPhase phase = phase_of(*pod_, state_);
  if (phase == PodPhase::Succeeded || phase == PodPhase::Failed) {
    // It will never run again: its network goes, its record and its logs stay until it is deleted.
    if (sandbox_ == Sandbox::Ready && all_ended()) clean_up();
    return;
  }
  if (retry_at_ > hands_.loop.clock().now()) return wake_at(retry_at_);
  if (!set_up_volumes() || !ensure_sandbox()) return;
  if (run_init_containers()) run_containers();
}

void PodWorker::wake_at(Instant at) {
  wake_at_ = std::min(wake_at_, at);
}

bool PodWorker::set_up_volumes() {
  auto paths = volumes_.set_up(*pod_, place_, hands_.loop.clock().wall());
  if (!paths) {
    // A volume that stood and now lacks its object keeps what it has: containers go on.
    if (!volume_paths_.empty() || sandbox_ == Sandbox::Ready) return true;
    fail_step("FailedMount", paths.error());
    return false;
  }
  volume_paths_ = std::move(*paths);
  return true;
}

bool PodWorker::ensure_sandbox() {
  if (sandbox_ == Sandbox::Ready) return true;
  if (sandbox_ != Sandbox::None) return false;
  sandbox_ = Sandbox::Making;
  hands_.runtime.create_sandbox(pod_,
                                [this, alive = std::weak_ptr(alive_)](Result<SandboxInfo> made) {
                                  if (!alive.expired()) sandbox_made(std::move(made));
                                });
  return false;
}

void PodWorker::sandbox_made(Result<SandboxInfo> made) {
  if (made) {
    sandbox_ = Sandbox::Ready;
    state_.network_ready = true;
    state_.ips = made->ips;
    place_.pod_ips = made->ips;
    step_back_off_.reset();
    told_failure_.clear();
  } else {
    sandbox_ = Sandbox::None;
    fail_step("FailedCreatePodSandBox",
              made.error().during("Failed to create pod sandbox").error());
  }
  sync();
}

void PodWorker::fail_step(std::string_view reason, const Error& error) {
  if (told_failure_ != error.message) {
    told_failure_ = error.message;
    hands_.events.record(*pod_, {}, "Warning", reason, error.message);
  }
  const Instant now = hands_.loop.clock().now();
  // Missing objects are watched, so waiting longer each time loses nothing.
  const Duration delay = std::max<Duration>(1s, step_back_off_.next(now, 2));
  retry_at_ = now + delay;
  wake_at(retry_at_);
}

// True: all have done their work.
bool PodWorker::run_init_containers() {
  for (const auto& spec : pod_->spec().initcontainers()) {
    ContainerWorker& worker = *init_.at(spec.name());
    const ContainerRun& state = worker.state();
    if (state.phase == Phase::Terminated && state.ended->exit_code == 0) continue;
    start_if_due(worker, true);
    return false;
  }
  return true;
}

void PodWorker::run_containers() {
  for (const auto& spec : pod_->spec().containers()) {
    start_if_due(*main_.at(spec.name()), false);
  }
}

void PodWorker::start_if_due(ContainerWorker& worker, bool is_init) {
  if (worker.is_running() || worker.is_starting()) return;
  if (!wants_restart(*pod_, worker.state(), is_init)) return;
  if (worker.not_before() <= hands_.loop.clock().now()) return worker.start(setting());
  worker.await_restart();
  wake_at(worker.not_before());
}

// --- the way back

void PodWorker::sync_ending() {
  const std::string_view why = ending_why_.empty() ? "Stopping container" : ending_why_;
  stop_all(grace_left(), why);
  if (!all_ended()) return;
  if (sandbox_ == Sandbox::Making || sandbox_ == Sandbox::Removing) return;
  if (retry_at_ > hands_.loop.clock().now()) return wake_at(retry_at_);
  if (ending_ || sandbox_ == Sandbox::Ready) clean_up();
}

void PodWorker::stop_all(Duration grace, std::string_view why) {
  for (Workers* workers : {&init_, &main_}) {
    for (auto& [name, worker] : *workers) {
      if (!worker->is_running() && !worker->is_starting()) continue;
      worker->stop(grace,
                   why == "Stopping container" ? "Stopping container " + name : std::string(why));
    }
  }
}

bool PodWorker::all_ended() const {
  for (const Workers* workers : {&init_, &main_}) {
    for (const auto& [name, worker] : *workers) {
      if (worker->is_running() || worker->is_starting()) return false;
    }
  }
  return true;
}

void PodWorker::clean_up() {
  sandbox_ = Sandbox::Removing;
  removing_ = ending_;
  auto done = [this, alive = std::weak_ptr(alive_)](Result<> removed) {
    if (!alive.expired()) sandbox_removed(std::move(removed));
  };
  const std::string& uid = pod_->metadata().uid();
  if (removing_) {
    hands_.runtime.remove_pod(uid, std::move(done));
  } else {
    hands_.runtime.stop_sandbox(uid, std::move(done));
  }
}

void PodWorker::sandbox_removed(Result<> removed) {
  sandbox_ = Sandbox::None;
  state_.network_ready = false;
  if (removed && removing_) removed = volumes_.tear_down(pod_->metadata().uid());
  if (removed && removing_) {
    gone_ = true;
    listener_.gone();
    return;
  }
  if (!removed) {
    const auto& metadata = pod_->metadata();
    log_warn("clean up pod", {{"pod", key_of(metadata.namespace_(), metadata.name())},
                              {"error", removed.error().message}});
    retry_at_ = hands_.loop.clock().now() + 1s;
  }
  sync_soon();
}

// --- small things

bool PodWorker::is_busy() const {
  if (sandbox_ == Sandbox::Making) return true;
  for (const Workers* workers : {&init_, &main_}) {
    for (const auto& [name, worker] : *workers) {
      if (worker->is_starting()) return true;
    }
  }
  return soon_ && !gone_;
}

void PodWorker::collect() {
  for (const auto& [name, worker] : init_) state_.init[name] = worker->state();
  for (const auto& [name, worker] : main_) state_.main[name] = worker->state();
}

Duration PodWorker::grace_left() const {
  if (!ending_) return Duration(0);
  return std::max(Duration(0), end_by_ - hands_.loop.clock().now());
}

ContainerWorker::Setting PodWorker::setting() const {
  return {.pod = pod_, .place = place_, .volumes = volume_paths_};
}

}  // namespace keelson
