// The node's HTTPS endpoint, as kubelet's: logs and commands of its containers, for the API server
// alone.
#pragma once

#include <memory>
#include <string>

#include "base/http_server.h"
#include "nodeagent/node_runtime.h"
#include "nodeagent/pods.h"

namespace keelson {

// Requests come on I/O threads, are looked up on the agent's loop, and stream on `stream_loop`.
class NodeServer {
 public:
  struct Hands {
    SystemLoop& loop;         // the agent's
    SystemLoop& stream_loop;  // of an I/O thread
    NodeRuntime& runtime;
    Pods& pods;
  };
  NodeServer(IoThreads& threads, TlsContextPtr tls, Hands hands, const Limits& limits);
  ~NodeServer();

  Result<std::string> listen(const std::string& address);

 private:
  struct State;
  std::shared_ptr<State> state_;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace keelson
