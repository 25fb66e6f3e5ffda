// The API server: listeners, the request path, and what it reaches for. The store and the registry
// are the core's; this brings them to the network.
#pragma once

#include <memory>
#include <string>

#include "base/http_client.h"
#include "base/http_server.h"
#include "control/server/authorize.h"
#include "control/server/documents.h"
#include "control/server/hands.h"
#include "control/server/health.h"
#include "control/server/node_agents.h"

namespace keelson {

struct ServerOptions {
  TlsContextPtr serving;   // null: plain HTTP, where nobody is authenticated
  TlsContextPtr to_nodes;  // null: agents are asked by plain HTTP, in tests
  VersionInfo version;
  std::string advertised_address;  // "10.89.0.1:6443", for clients in the cluster
  int io_threads = 2;
};

// On the core's thread: made, listened with, and destroyed there. The registry outlives it.
class Server {
 public:
  Server(SystemLoop& core, Registry& registry, const Limits& limits, const ServerOptions& options);
  ~Server();  // connections are cut
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  Result<std::string> listen(std::string_view address);  // the address with its real port
  void listen(Fd listener);
  void set_certificates(TlsContextPtr serving);  // for connections from now on

  // New requests are refused, those in work are answered within the grace, watches are ended.
  // stopped runs on the core.
  void stop(Duration grace, Task stopped);
  HttpServer::Stats stats() const { return http_->stats(); }

 private:
  void handle(std::unique_ptr<Exchange> exchange);
  void dispatch(CallPtr call);

  const Limits& limits_;
  Authorization authorization_;
  Documents documents_;
  Health health_;
  InFlight in_flight_;
  std::atomic<std::uint64_t> next_id_;
  IoThreads io_;
  HttpClient to_nodes_;
  NodeAgents nodes_;
  Hands hands_;
  std::unique_ptr<HttpServer> http_;
};

}  // namespace keelson
