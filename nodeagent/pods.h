// The pods of this node: what the API wants here, what runs here, and a worker for each.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "api/client.h"
#include "nodeagent/admit.h"
#include "nodeagent/pod_worker.h"
#include "nodeagent/status_writer.h"

namespace keelson {

// Loop thread only.
class Pods {
 public:
  struct Options {
    PodPlace place;  // without pod_ips
    Allocatable allocatable;
    // The objects a pod refers to are wanted in the view from now on, or no longer.
    std::function<void(const core::Pod& pod, bool wanted)> refer;
  };
  Pods(const PodHands& hands, Client& client, PodVolumes& volumes, Options options);
  ~Pods();

  // What an earlier agent left; then the pods the API wants here, all of them; then their changes.
  // Until both have been told nothing is started or ended.
  void found(Found found);
  void apply(const Change& change);
  void synced();

  void exited(const ContainerExit& exit);
  // A ConfigMap or Secret of this namespace changed.
  void objects_changed(const std::string& name_space);
  void network_ready();  // sandboxes that failed for want of it may be tried again

  // For logs and exec: null if there is no such pod here.
  const PodWorker* find(const std::string& name_space, const std::string& name) const;
  std::size_t size() const { return pods_.size(); }
  // Every pod that holds resources of the node: not yet ended.
  std::vector<const core::Pod*> active() const;

 private:
  struct Entry {
    std::unique_ptr<PodWorker> worker;
    std::unique_ptr<StatusWriter> writer;
    bool in_api = true;  // the API still has the object
  };
  void begin();
  void add(std::shared_ptr<const core::Pod> pod);
  void adopt_found(const std::string& uid, PodWorker& worker);
  void reap_orphans();
  void reap(const std::string& uid);
  void gone(const std::string& uid);
  bool is_begun() const { return found_told_ && synced_; }

  PodHands hands_;
  Client& client_;
  PodVolumes& volumes_;
  Options options_;
  std::map<std::string, Entry> pods_;                               // by uid
  std::map<std::string, std::shared_ptr<const core::Pod>> wanted_;  // by uid, until begun
  Found found_;
  bool found_told_ = false, synced_ = false;
  std::map<std::string, Pending> reaping_;  // by uid: what is tried again
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace keelson
