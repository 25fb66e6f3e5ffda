// How probes and lifecycle hooks ask on a real node: a command inside, an HTTP GET, a TCP connect
// from the node.
#pragma once

#include "base/http_client.h"
#include "nodeagent/pod_hands.h"

namespace keelson {

class NodeAsker final : public Asker {
 public:
  // http's loop is the agent's.
  NodeAsker(PodRuntime& runtime, HttpClient& http) : runtime_(runtime), http_(http) {}

  Pending exec(const AskTarget& target, const core::ExecAction& action, Done done) override;
  Pending http_get(const AskTarget& target, const core::HTTPGetAction& action, Done done) override;
  Pending tcp_socket(const AskTarget& target, const core::TCPSocketAction& action,
                     Done done) override;

 private:
  PodRuntime& runtime_;
  HttpClient& http_;
};

}  // namespace keelson
