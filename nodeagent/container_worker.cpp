// A container's life, attempt by attempt.
#include "nodeagent/container_worker.h"

#include <cassert>
#include <csignal>

#include "api/object.h"
#include "api/proto/core/v1/pod.pb.h"

namespace keelson {
namespace {

using Phase = ContainerRun::Phase;

// A preStop hook that used up the grace still leaves the process this long (kubelet's minimum).
constexpr Duration grace_after_hook = 2s;
// How long a failure is told as itself before its state names the back-off.
constexpr Duration told_for = 1s;

const core::Container* find(const core::Pod& pod, const std::string& name, bool is_init) {
  const auto& list = is_init ? pod.spec().initcontainers() : pod.spec().containers();
  for (const auto& container : list) {
    if (container.name() == name) return &container;
  }
  return nullptr;
}

const char* pull_reason(const Error& error) {
  switch (error.reason) {
    case Reason::Invalid:
      return "InvalidImageName";
    case Reason::Forbidden:
      return "ErrImageNeverPull";
    default:
      return "ErrImagePull";
  }
}

}  // namespace

ContainerWorker::ContainerWorker(const PodHands& hands, std::string name, bool is_init,
                                 std::function<void()> changed)
    : hands_(hands), name_(std::move(name)), is_init_(is_init), changed_(std::move(changed)) {}

ContainerWorker::~ContainerWorker() = default;

const core::Container& ContainerWorker::spec() const {
  const core::Container* found = find(*setting_.pod, name_, is_init_);
  assert(found);  // containers of a pod can be neither added nor taken away
  return *found;
}

void ContainerWorker::record(std::string_view type, std::string_view reason,
                             std::string_view message) {
  hands_.events.record(*setting_.pod, name_, type, reason, message);
}

void ContainerWorker::update(std::shared_ptr<const core::Pod> pod) {
  setting_.pod = std::move(pod);
}

// --- start

void ContainerWorker::start(Setting setting) {
  setting_ = std::move(setting);
  back_off_timer_.reset();
  set_aside_end();
  state_.phase = Phase::Starting;
  hands_.runtime.ensure_image(spec().image(), spec().imagepullpolicy(),
                              [this, alive = std::weak_ptr(alive_)](Result<ImageInfo> image) {
                                if (!alive.expired()) image_ready(std::move(image));
                              });
}

void ContainerWorker::image_ready(Result<ImageInfo> image) {
  if (image) {
    pulls_.reset();
    record("Normal", "Pulled",
           fmt::format("Container image \"{}\" already present on machine", spec().image()));
    create(std::move(*image));
    return;
  }
  const char* reason = pull_reason(image.error());
  const Duration delay = pulls_.next(hands_.loop.clock().now(), 0);
  back_off_timer_ = hands_.loop.after(told_for, [this] { say_back_off(); });
  record("Warning", "Failed",
         fmt::format("Failed to pull image \"{}\": {}", spec().image(), image.error().message));
  record("Warning", "Failed", fmt::format("Error: {}", reason));
  wait(reason, image.error().message, delay);
}

void ContainerWorker::create(ImageInfo image) {
  auto environment = make_environment(*setting_.pod, spec(), setting_.place, hands_.view);
  if (!environment) {
    record("Warning", "Failed", "Error: " + environment.error().message);
    wait("CreateContainerConfigError", environment.error().message, 10s);
    return;
  }
  for (const std::string& skipped : environment->skipped) {
    record("Warning", "InvalidEnvironmentVariableNames", skipped);
  }
  state_.image = image.reference;
  state_.image_id = image.id;
  state_.restart_count = attempts_++;
  ContainerStart start{.pod = setting_.pod,
                       .container = &spec(),
                       .attempt = state_.restart_count,
                       .image = std::move(image),
                       .environment = std::move(*environment),
                       .volumes = setting_.volumes};
  hands_.runtime.start_container(
      std::move(start), [this, alive = std::weak_ptr(alive_)](Result<ContainerStarted> result) {
        if (!alive.expired()) started(std::move(result));
      });
}

void ContainerWorker::started(Result<ContainerStarted> result) {
  if (!result) return failed_to_start(result.error());
  state_.phase = Phase::Running;
  state_.waiting_reason.clear();
  state_.waiting_message.clear();
  succeed(result->id);
  state_.started_at = result->at;
  state_.started = !spec().has_startupprobe();
  state_.ready = !is_init_ && !spec().has_readinessprobe() && state_.started;
  record("Normal", "Created", "Created container: " + name_);
  record("Normal", "Started", "Started container " + name_);
  for (const std::string& refused : result->refused) record("Warning", "NotGiven", refused);
  if (stop_deadline_) {
    send_stop_signal();  // it was told to stop while it started
  } else {
    run_post_start();
  }
  changed_();
}

// A new attempt: the one before it is kept for its log, what was before that goes.
void ContainerWorker::succeed(const std::string& id) {
  if (!previous_id_.empty()) hands_.runtime.remove_container(previous_id_);
  previous_id_ = std::exchange(state_.id, id);
}

void ContainerWorker::failed_to_start(const Error& error) {
  record("Warning", "Failed", "Error: " + error.message);
  if (error.reason == Reason::Invalid) {
    state_.restart_count = std::max(0, --attempts_ - 1);  // it never came to be
    return wait("CreateContainerConfigError", error.message, 10s);
  }
  const WallTime now = hands_.loop.clock().wall();
  // 128: what runtimes report for a process that never came to be.
  settle_exit({.exit_code = 128,
               .reason = "StartError",
               .message = error.message,
               .started = WallTime{},
               .finished = now});
}

void ContainerWorker::wait(std::string reason, std::string message, Duration delay) {
  state_.phase = Phase::Waiting;
  state_.waiting_reason = std::move(reason);
  state_.waiting_message = std::move(message);
  delay_ = delay;
  not_before_ = hands_.loop.clock().now() + delay;
  changed_();
}

void ContainerWorker::await_restart() {
  if (state_.phase != Phase::Terminated || back_off_timer_) return;
  back_off_timer_ = hands_.loop.after(told_for, [this] { say_back_off(); });
}

void ContainerWorker::say_back_off() {
  back_off_timer_.reset();
  const auto& metadata = setting_.pod->metadata();
  if (state_.phase == Phase::Waiting) {
    record("Normal", "BackOff", fmt::format("Back-off pulling image \"{}\"", spec().image()));
    state_.waiting_message = fmt::format("Back-off pulling image \"{}\": {}: {}", spec().image(),
                                         state_.waiting_reason, state_.waiting_message);
    state_.waiting_reason = "ImagePullBackOff";
  } else {
    set_aside_end();
    state_.phase = Phase::Waiting;
    state_.waiting_reason = "CrashLoopBackOff";
    const std::string pod =
        fmt::format("{}_{}({})", metadata.name(), metadata.namespace_(), metadata.uid());
    state_.waiting_message =
        fmt::format("back-off {}s restarting failed container={} pod={}", delay_ / 1s, name_, pod);
    record("Warning", "BackOff",
           fmt::format("Back-off restarting failed container {} in pod {}", name_, pod));
  }
  changed_();
}

void ContainerWorker::set_aside_end() {
  if (!state_.ended) return;
  state_.last = std::move(state_.ended);
  state_.ended.reset();
}

void ContainerWorker::adopt(const FoundContainer& found, Setting setting) {
  setting_ = std::move(setting);
  set_aside_end();
  state_.restart_count = found.attempt;
  attempts_ = found.attempt + 1;
  succeed(found.id);
  state_.image = spec().image();
  state_.image_id = found.image_id;
  state_.started_at = found.started;
  state_.phase = Phase::Running;
  // What the API last heard of it stands until the probes have asked again.
  const auto& statuses = is_init_ ? setting_.pod->status().initcontainerstatuses()
                                  : setting_.pod->status().containerstatuses();
  state_.started = !spec().has_startupprobe();
  state_.ready = !is_init_ && !spec().has_readinessprobe() && state_.started;
  for (const auto& status : statuses) {
    if (status.name() != name_ || status.containerid() != "keelson://" + found.id) continue;
    state_.started = status.started();
    state_.ready = status.ready();
  }
  if (found.exit) {
    exited(*found.exit);
  } else {
    state_.started ? probe_running() : probe_startup();
  }
}

void ContainerWorker::lost(const core::ContainerStatus& status) {
  if (attempts_ > 0 || status.containerid().empty()) return;
  attempts_ = status.restartcount() + 1;
  state_.restart_count = status.restartcount();
  if (!status.state().has_running()) return;
  state_.last = Termination{
      .exit_code = 137,
      .reason = "ContainerStatusUnknown",
      .message = "The container could not be located when the node came back: its end is not known",
      .started = from_time(status.state().running().startedat()),
      .finished = hands_.loop.clock().wall(),
      .container_id = status.containerid().substr(std::string_view("keelson://").size())};
}

void ContainerWorker::retry_now() {
  if (state_.phase == Phase::Waiting && state_.waiting_reason == "CreateContainerConfigError") {
    not_before_ = {};
  }
}

// --- hooks and probes

AskTarget ContainerWorker::target(Duration timeout) const {
  return {.container_id = state_.id,
          .pod_ip = setting_.place.pod_ips.empty() ? std::string() : setting_.place.pod_ips.front(),
          .container = &spec(),
          .timeout = timeout};
}

template <typename Handler>
Pending ContainerWorker::ask(const Handler& handler, Duration timeout, Asker::Done done) {
  if (handler.has_exec()) {
    return hands_.asker.exec(target(timeout), handler.exec(), std::move(done));
  }
  if (handler.has_httpget()) {
    return hands_.asker.http_get(target(timeout), handler.httpget(), std::move(done));
  }
  return hands_.asker.tcp_socket(target(timeout), handler.tcpsocket(), std::move(done));
}

void ContainerWorker::run_post_start() {
  if (!spec().lifecycle().has_poststart()) return probe_startup();
  const auto& hook = spec().lifecycle().poststart();
  if (hook.has_sleep()) {
    hook_ = hands_.loop.after(std::chrono::seconds(hook.sleep().seconds()),
                              [this] { probe_startup(); });
    return;
  }
  hook_ = ask(hook, Duration::max(), [this](ProbeAnswer answer) {
    if (answer.ok) return probe_startup();
    record("Warning", "FailedPostStartHook", "PostStartHook failed: " + answer.text);
    stop(std::chrono::seconds(setting_.pod->spec().terminationgraceperiodseconds()),
         "FailedPostStartHook");
  });
}

void ContainerWorker::probe_startup() {
  if (is_init_ || stop_deadline_) return;
  if (!spec().has_startupprobe() || state_.started) return probe_running();
  startup_ = make_probe("Startup", {.failed = {}, .decided = [this](bool healthy) {
                                      if (!healthy) return unhealthy("startup");
                                      startup_.reset();
                                      state_.started = true;
                                      state_.ready = !spec().has_readinessprobe();
                                      probe_running();
                                      changed_();
                                    }});
}

void ContainerWorker::probe_running() {
  if (is_init_) return;
  if (spec().has_livenessprobe()) {
    liveness_ = make_probe("Liveness", {.failed = {}, .decided = [this](bool healthy) {
                                          if (!healthy) unhealthy("liveness");
                                        }});
  }
  if (spec().has_readinessprobe()) {
    readiness_ = make_probe("Readiness", {.failed = {}, .decided = [this](bool healthy) {
                                            if (state_.ready == healthy) return;
                                            state_.ready = healthy;
                                            changed_();
                                          }});
  }
}

std::unique_ptr<ProbeWorker> ContainerWorker::make_probe(const char* word,
                                                         ProbeWorker::Listener listener) {
  const std::string_view which(word);
  auto probe = [this, which]() -> const core::Probe& {
    return which == "Startup"    ? spec().startupprobe()
           : which == "Liveness" ? spec().livenessprobe()
                                 : spec().readinessprobe();
  };
  const ProbeTimes times = times_of(probe());
  listener.failed = [this, word](const std::string& why) {
    record("Warning", "Unhealthy", fmt::format("{} probe failed: {}", word, why));
  };
  return std::make_unique<ProbeWorker>(
      hands_.loop, times,
      [this, probe, times](ProbeWorker::Done done) {
        return ask(probe().handler(), times.timeout, std::move(done));
      },
      std::move(listener));
}

void ContainerWorker::unhealthy(const char* word) {
  if (stop_deadline_) return;
  const bool is_startup = std::string_view(word) == "startup";
  const auto& probe = is_startup ? spec().startupprobe() : spec().livenessprobe();
  const std::int64_t grace_seconds = probe.has_terminationgraceperiodseconds()
                                         ? probe.terminationgraceperiodseconds()
                                         : setting_.pod->spec().terminationgraceperiodseconds();
  stop(std::chrono::seconds(grace_seconds),
       fmt::format("Container {} failed {} probe, will be restarted", name_, word));
}

// --- stop

void ContainerWorker::stop(Duration grace, std::string_view why) {
  const Instant deadline = hands_.loop.clock().now() + grace;
  if (stop_deadline_) {
    if (deadline >= *stop_deadline_) return;
  } else if (is_running()) {
    record("Normal", "Killing", why);
  }
  const bool first = !stop_deadline_;
  stop_deadline_ = deadline;
  startup_.reset();
  liveness_.reset();
  readiness_.reset();
  if (!is_running()) return;
  // What is ending takes no more work.
  stop_timer_ = hands_.loop.after(grace, [this] { kill_now(); });
  if (!first) return;
  if (!spec().lifecycle().has_prestop() || grace <= Duration(0)) return send_stop_signal();
  const auto& hook = spec().lifecycle().prestop();
  if (hook.has_sleep()) {
    hook_ = hands_.loop.after(std::chrono::seconds(hook.sleep().seconds()),
                              [this] { send_stop_signal(); });
    return;
  }
  hook_ = ask(hook, grace, [this](ProbeAnswer answer) {
    if (!answer.ok) record("Warning", "FailedPreStopHook", "PreStopHook failed: " + answer.text);
    send_stop_signal();
  });
}

void ContainerWorker::send_stop_signal() {
  hook_.reset();
  stop_signalled_ = true;
  if (is_running()) hands_.runtime.kill_container(state_.id, 0);
}

void ContainerWorker::kill_now() {
  if (!is_running()) return;
  if (!stop_signalled_) {
    send_stop_signal();
    stop_timer_ = hands_.loop.after(grace_after_hook, [this] { kill_now(); });
    return;
  }
  hands_.runtime.kill_container(state_.id, SIGKILL);
}

// --- end

void ContainerWorker::exited(const ContainerExit& exit) {
  if (exit.id != state_.id || !is_running()) return;
  const char* reason = exit.oom_killed ? "OOMKilled" : exit.exit_code == 0 ? "Completed" : "Error";
  settle_exit({.exit_code = exit.exit_code,
               .signal = exit.signal,
               .reason = reason,
               .message = exit.message,
               .started = exit.started,
               .finished = exit.finished,
               .container_id = exit.id});
}

void ContainerWorker::settle_exit(Termination end) {
  startup_.reset();
  liveness_.reset();
  readiness_.reset();
  hook_.reset();
  stop_timer_.reset();
  stop_deadline_.reset();
  stop_signalled_ = false;
  const bool ran_long = end.finished - end.started > 600s && end.started != WallTime{};
  if (ran_long) restarts_.reset();
  state_.phase = Phase::Terminated;
  state_.ready = false;
  state_.started = false;
  state_.ended = std::move(end);
  // The first restart is at once; after that the next waits from this end on.
  const Instant now = hands_.loop.clock().now();
  delay_ = restarts_.next(now, 1);
  not_before_ = now + delay_;
  changed_();
}

}  // namespace keelson
