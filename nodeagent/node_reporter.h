// Registers this node with the API and keeps its status there true.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "api/client.h"
#include "base/loop.h"
#include "nodeagent/node_object.h"

namespace k8s::io::api::core::v1 {
class Node;
class NodeStatus;
}  // namespace k8s::io::api::core::v1

namespace keelson {

// Loop thread only.
class NodeReporter {
 public:
  struct Sources {
    std::function<Result<Pressure>()> pressure;
    std::function<std::vector<NodeImage>()> images;
    std::function<std::vector<NodeCheck>()> checks;
    std::function<void(const core::Node&)> registered;  // once: it has a uid now
  };
  NodeReporter(Loop& loop, Client& client, NodeIdentity identity, Machine machine, Sources sources);
  ~NodeReporter();

  void start();
  // The node's object as the watch sees it: labels, taints and conditions of others.
  void apply(const Object& node);
  void changed();  // a source says something else now

 private:
  void fetch();
  void create();
  void seen(const Object& node);
  void look();  // is there anything to tell?
  void write(const core::Node& node, const std::string& subresource);
  void retry_later(const Error& error);
  core::NodeStatus status() const;

  Loop& loop_;
  Client& client_;
  NodeIdentity identity_;
  Machine machine_;
  Sources sources_;
  std::unique_ptr<core::Node> node_;        // newest version heard of; null before it is registered
  std::unique_ptr<core::NodeStatus> sent_;  // the status as last written
  Instant sent_at_{};
  bool in_flight_ = false;
  Duration retry_{0};  // the last wait
  bool backing_off_ = false;
  Pending timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace keelson
