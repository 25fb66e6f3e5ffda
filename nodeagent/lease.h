// The node's heartbeat: a Lease in kube-node-lease, renewed four times in its life.
#pragma once

#include <memory>
#include <string>

#include "api/client.h"
#include "base/loop.h"

namespace k8s::io::api::coordination::v1 {
class Lease;
}

namespace keelson {

// Loop thread only.
class LeaseKeeper {
 public:
  struct Options {
    std::string node_name, node_uid;
    Duration duration = 40s;  // kubelet's default; whole seconds
  };
  LeaseKeeper(Loop& loop, Client& client, Options options);  // renews until it is destroyed
  ~LeaseKeeper();

 private:
  void renew();
  void fetch();
  void create();
  void answered(Result<ObjectPtr> answer);
  void again_after(Duration delay);

  Loop& loop_;
  Client& client_;
  Options options_;
  std::unique_ptr<coordination::Lease> lease_;  // as the API has it; null: not known
  Pending timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace keelson
