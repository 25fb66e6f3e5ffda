// Desired pods come by the watch, actual ones from the runtime; a worker closes the gap for each.
#include "nodeagent/pods.h"

#include "api/proto/core/v1/pod.pb.h"
#include "base/log.h"
#include "nodeagent/pod_status.h"

namespace keelson {

Pods::Pods(const PodHands& hands, Client& client, PodVolumes& volumes, Options options)
    : hands_(hands), client_(client), volumes_(volumes), options_(std::move(options)) {}

Pods::~Pods() = default;

// --- the start

void Pods::found(Found found) {
  found_ = std::move(found);
  found_told_ = true;
  if (is_begun()) begin();
}

void Pods::synced() {
  if (synced_) return;
  synced_ = true;
  if (is_begun()) begin();
}

void Pods::begin() {
  auto wanted = std::move(wanted_);
  wanted_.clear();
  for (auto& [uid, pod] : wanted) add(std::move(pod));
  reap_orphans();
}

void Pods::adopt_found(const std::string& uid, PodWorker& worker) {
  for (const auto& sandbox : found_.sandboxes) {
    if (sandbox.pod_uid == uid) worker.adopt(sandbox);
  }
  for (const auto& container : found_.containers) {
    if (container.pod_uid == uid) worker.adopt(container);
  }
}

// Pods that went from the API while no agent was here.
void Pods::reap_orphans() {
  std::map<std::string, bool> uids;
  for (const auto& sandbox : found_.sandboxes) uids[sandbox.pod_uid];
  for (const auto& container : found_.containers) uids[container.pod_uid];
  found_ = {};
  for (const auto& [uid, unused] : uids) {
    if (!pods_.contains(uid)) reap(uid);
  }
}

void Pods::reap(const std::string& uid) {
  hands_.runtime.remove_pod(uid, [this, uid, alive = std::weak_ptr(alive_)](Result<> removed) {
    if (alive.expired()) return;
    if (removed) removed = volumes_.tear_down(uid);
    reaping_.erase(uid);
    if (removed) return;
    log_warn("end orphaned pod", {{"uid", uid}, {"error", removed.error().message}});
    reaping_[uid] = hands_.loop.after(1s, [this, uid] { reap(uid); });
  });
}

// --- changes

void Pods::apply(const Change& change) {
  const std::string& uid = change.object().uid;
  std::shared_ptr<core::Pod> pod;
  if (change.after) {
    pod = std::make_shared<core::Pod>();
    decode_into(*change.after, *pod);
  }
  if (!is_begun()) {
    wanted_.erase(uid);
    if (pod) wanted_[uid] = std::move(pod);
    return;
  }
  const auto found = pods_.find(uid);
  if (!pod) {
    if (found == pods_.end()) return;
    if (found->second.worker->is_gone()) {
      pods_.erase(found);
      return;
    }
    found->second.in_api = false;
    found->second.worker->end(Duration(0), "The pod was removed from the API");
  } else if (found != pods_.end()) {
    found->second.worker->update(std::move(pod));
  } else {
    add(std::move(pod));
  }
}

void Pods::add(std::shared_ptr<const core::Pod> pod) {
  const std::string uid = pod->metadata().uid();
  options_.refer(*pod, true);
  Entry& entry = pods_[uid];
  entry.worker = std::make_unique<PodWorker>(
      hands_, volumes_, options_.place, pod,
      PodWorker::Listener{.changed =
                              [this, uid] {
                                Entry& mine = pods_.at(uid);
                                if (mine.in_api && !mine.worker->is_finished())
                                  mine.writer->changed();
                              },
                          .gone = [this, uid] { gone(uid); }});
  PodWorker* worker = entry.worker.get();
  entry.writer = std::make_unique<StatusWriter>(
      hands_.loop, client_,
      StatusWriter::Source{.pod = [worker]() -> const core::Pod& { return worker->pod(); },
                           .status =
                               [this, worker] {
                                 if (worker->is_finished()) return worker->pod().status();
                                 return make_pod_status(worker->pod(), worker->state(),
                                                        hands_.loop.clock().wall());
                               },
                           .is_busy = [worker] { return worker->is_busy(); },
                           .written =
                               [worker](ObjectPtr object) {
                                 auto newer = std::make_shared<core::Pod>();
                                 decode_into(*object, *newer);
                                 worker->update(std::move(newer));
                               }});
  adopt_found(uid, *worker);
  const bool runs = worker->state().network_ready;
  const bool over = phase_of(*pod, worker->state()) != PodPhase::Pending;
  if (!runs && !over && !pod->metadata().has_deletiontimestamp()) {
    if (auto refusal = refuse_pod(*pod, active(), options_.allocatable)) {
      worker->refuse(std::move(refusal->reason), std::move(refusal->message));
    }
  }
  worker->begin();
}

void Pods::gone(const std::string& uid) {
  const auto found = pods_.find(uid);
  options_.refer(found->second.worker->pod(), false);
  if (found->second.in_api) {
    // The watch will tell when the object has gone, and the entry goes then.
    found->second.writer->remove();
    return;
  }
  // Not from inside the worker's own call.
  hands_.loop.post([this, uid, alive = std::weak_ptr(alive_)] {
    if (!alive.expired()) pods_.erase(uid);
  });
}

void Pods::exited(const ContainerExit& exit) {
  if (auto found = pods_.find(exit.pod_uid); found != pods_.end()) {
    found->second.worker->exited(exit);
  }
}

void Pods::objects_changed(const std::string& name_space) {
  for (auto& [uid, entry] : pods_) {
    if (entry.worker->pod().metadata().namespace_() == name_space) entry.worker->objects_changed();
  }
}

void Pods::network_ready() {
  for (auto& [uid, entry] : pods_) entry.worker->objects_changed();
}

const PodWorker* Pods::find(const std::string& name_space, const std::string& name) const {
  for (const auto& [uid, entry] : pods_) {
    const auto& metadata = entry.worker->pod().metadata();
    if (metadata.name() == name && metadata.namespace_() == name_space) return entry.worker.get();
  }
  return nullptr;
}

std::vector<const core::Pod*> Pods::active() const {
  std::vector<const core::Pod*> pods;
  for (const auto& [uid, entry] : pods_) {
    const PodPhase phase = phase_of(entry.worker->pod(), entry.worker->state());
    const bool over = phase == PodPhase::Succeeded || phase == PodPhase::Failed;
    if (!over && !entry.worker->is_finished()) pods.push_back(&entry.worker->pod());
  }
  return pods;
}

}  // namespace keelson
