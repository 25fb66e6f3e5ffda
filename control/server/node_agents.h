// The way to the nodes: their agents' HTTPS endpoints, as kubelet's, reached with the API server's
// own certificate.
#pragma once

#include <string>

#include "base/http_client.h"

namespace keelson {

struct NodeEndpoint {
  std::string node;     // for messages
  std::string address;  // "10.89.0.11:10250"
};

// Any thread.
class NodeAgents {
 public:
  NodeAgents(HttpClient& http, TlsContextPtr tls) : http_(http), tls_(std::move(tls)) {}

  // Both call done once, on the HTTP client's loop. Errors say that the node could not be reached,
  // or what its agent refused. The request's target is the agent's path with its query.
  void stream(const NodeEndpoint& node, HttpRequest request, HttpClient::OnStream done);
  void upgrade(const NodeEndpoint& node, HttpRequest request, HttpClient::OnUpgrade done);
  SystemLoop& loop() { return http_.loop(); }

 private:
  HttpCall call(const NodeEndpoint& node, HttpRequest request) const;

  HttpClient& http_;
  const TlsContextPtr tls_;
};

// What an agent's answer that is no success says, as ours.
Error error_of_agent(const HttpResponse& response);

}  // namespace keelson
