// Kill, wait, forget, release, clean.
#include "nodeagent/pod_removal.h"

#include <algorithm>
#include <filesystem>

#include "base/log.h"
#include "isolation/container.h"
#include "nodeagent/labels.h"

namespace keelson {
namespace {

namespace fs = std::filesystem;

constexpr Duration ends_within = 10s;  // of SIGKILL: longer hangs in the kernel

Result<> remove_folder(const std::string& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) return fail(reason_of_errno(error.value()), "remove {}: {}", path, error.message());
  return {};
}

// Worker thread.
Result<> clean_container(const PodRemoval::Hands& hands, const PodRemoval::Remains& remains) {
  auto cleaned = isolation::remove_container_remains(remains.attempt_folder + "/root",
                                                     remains.cgroup, hands.cgroups);
  if (cleaned) cleaned = hands.images.release(remains.node_name, remains.id);
  if (cleaned) cleaned = remove_folder(remains.attempt_folder);
  return cleaned;
}

void remove_logs(const std::string& log_path) {
  std::error_code error;
  fs::remove(log_path, error);
  for (int n = 1; fs::remove(log_path + "." + std::to_string(n), error); ++n) {
  }
}

}  // namespace

PodRemoval::PodRemoval(Hands hands, Plan plan, Done done)
    : hands_(hands), plan_(std::move(plan)), done_(std::move(done)) {}

void PodRemoval::start() {
  collect();
  kill();
}

// Whatever the spawner knows of the pod.
void PodRemoval::collect() {
  for (const auto& [id, state] : hands_.spawner.containers()) {
    if (state.sandbox_id != plan_.pod_uid) continue;
    const auto label = parse_container_label(state.label);
    if (!label) continue;
    remains_.push_back(
        {.id = id,
         .node_name = plan_.node_name,
         .cgroup = container_cgroup(plan_.pod_uid, label->container, label->attempt),
         .attempt_folder = plan_.folders.attempt(plan_.pod_uid, label->container, label->attempt)});
  }
  const auto sandbox = hands_.spawner.sandboxes().find(plan_.pod_uid);
  if (sandbox == hands_.spawner.sandboxes().end()) return;
  if (const auto label = parse_sandbox_label(sandbox->second.label)) {
    log_folders_.push_back(plan_.folders.logs + "/" +
                           pod_log_folder(label->pod_namespace, label->pod_name, label->pod_uid));
  }
}

void PodRemoval::kill() {
  hands_.worker.post([self = shared_from_this()] {
    auto killed = self->hands_.cgroups.kill_all(pod_cgroup(self->plan_.pod_uid));
    self->hands_.loop.post([self, killed = std::move(killed)]() mutable {
      if (!killed) return self->finish(std::move(killed));
      self->timeout_ = self->hands_.loop.after(ends_within, [self = self.get()] {
        self->finish(fail(Reason::Timeout, "processes of pod {} did not end within {} s of SIGKILL",
                          self->plan_.pod_uid, ends_within / 1s));
      });
      self->await_ends();
    });
  });
}

void PodRemoval::await_ends() {
  const auto& containers = hands_.spawner.containers();
  awaiting_ = std::any_of(containers.begin(), containers.end(), [this](const auto& entry) {
    return entry.second.sandbox_id == plan_.pod_uid && !entry.second.exit;
  });
  if (awaiting_) return;
  timeout_.reset();
  plan_.with_records ? forget_next() : release();
}

void PodRemoval::container_ended() {
  if (awaiting_) await_ends();
}

void PodRemoval::forget_next() {
  if (forgotten_ == remains_.size()) return release();
  hands_.spawner.forget(remains_[forgotten_].id, [self = shared_from_this()](Result<> forgotten) {
    if (!forgotten && forgotten.error().reason != Reason::NotFound) {
      return self->finish(std::move(forgotten));
    }
    ++self->forgotten_;
    self->forget_next();
  });
}

void PodRemoval::release() {
  hands_.spawner.release_sandbox(plan_.pod_uid, [self = shared_from_this()](Result<> released) {
    if (!released) return self->finish(std::move(released));
    self->clean();
  });
}

void PodRemoval::clean() {
  hands_.worker.post([self = shared_from_this()] {
    const Plan& plan = self->plan_;
    auto cleaned = isolation::remove_sandbox_folder(plan.folders.sandbox(plan.pod_uid));
    if (plan.with_records) {
      for (const Remains& remains : self->remains_) {
        if (cleaned) cleaned = clean_container(self->hands_, remains);
      }
      for (const std::string& folder : self->log_folders_) {
        if (cleaned) cleaned = remove_folder(folder);
      }
      if (cleaned) cleaned = self->hands_.cgroups.remove(pod_cgroup(plan.pod_uid));
    }
    self->hands_.loop.post(
        [self, cleaned = std::move(cleaned)]() mutable { self->finish(std::move(cleaned)); });
  });
}

void PodRemoval::finish(Result<> result) {
  timeout_.reset();
  awaiting_ = false;
  if (!done_) return;
  auto done = std::exchange(done_, {});
  done(std::move(result));
}

void PodRemoval::remove_container(Hands hands, Remains remains) {
  const std::string id = remains.id;
  hands.spawner.forget(id, [hands, remains = std::move(remains)](Result<> forgotten) {
    if (!forgotten && forgotten.error().reason != Reason::NotFound) {
      log_warn("forget container",
               {{"container", remains.id}, {"error", forgotten.error().message}});
      return;
    }
    hands.worker.post([hands, remains] {
      remove_logs(remains.log_path);
      if (auto cleaned = clean_container(hands, remains); !cleaned) {
        log_warn("remove container",
                 {{"container", remains.id}, {"error", cleaned.error().message}});
      }
    });
  });
}

}  // namespace keelson
