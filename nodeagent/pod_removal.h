// Takes down what a pod has on the node: its processes, its sandbox, and if asked for its records,
// logs and writable layers. Step by step; each step may find nothing and go on.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/system_loop.h"
#include "isolation/image_store.h"
#include "isolation/spawner_client.h"
#include "nodeagent/node_folders.h"

namespace keelson {

class PodRemoval : public std::enable_shared_from_this<PodRemoval> {
 public:
  struct Hands {
    SystemLoop& loop;
    SystemLoop& worker;  // of the thread that may wait for the disk
    isolation::SpawnerClient& spawner;
    isolation::CgroupTree& cgroups;
    isolation::ImageStore& images;
  };
  struct Plan {
    std::string pod_uid, node_name;
    NodeFolders folders;
    bool with_records = false;
  };
  using Done = std::move_only_function<void(Result<>)>;
  // done: on the loop, once.
  PodRemoval(Hands hands, Plan plan, Done done);

  void start();
  void container_ended();  // one of the pod's, says the spawner

  // What one attempt left.
  struct Remains {
    std::string id, node_name, cgroup, attempt_folder, log_path;
  };
  // Forgets an ended container and removes its remains; what fails is logged.
  static void remove_container(Hands hands, Remains remains);

 private:
  void collect();
  void kill();
  void await_ends();
  void forget_next();
  void release();
  void clean();
  void finish(Result<> result);

  Hands hands_;
  Plan plan_;
  Done done_;
  std::vector<Remains> remains_;
  std::vector<std::string> log_folders_;
  std::size_t forgotten_ = 0;
  bool awaiting_ = false;
  Pending timeout_;
};

}  // namespace keelson
