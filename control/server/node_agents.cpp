// Dialing agents, in bounded time.
#include "control/server/node_agents.h"

#include "api/status.h"

namespace keelson {
namespace {

constexpr Duration answer_timeout = 30s;  // until the head of the agent's answer

std::unexpected<Error> unreachable(const NodeEndpoint& node, const Error& why) {
  return fail(Reason::InternalError, "error dialing backend: node {} at {}: {}", node.node,
              node.address, why.message);
}

// A call goes on until it is answered: whoever asked is told, however it ends.
template <typename Value>
std::move_only_function<void(Result<Value>)> kept(
    std::shared_ptr<Pending> pending, const NodeEndpoint& node,
    std::move_only_function<void(Result<Value>)> done) {
  return [pending, node, done = std::move(done)](Result<Value> result) mutable {
    if (result) return done(std::move(result));
    done(unreachable(node, result.error()));
  };
}

}  // namespace

HttpCall NodeAgents::call(const NodeEndpoint& node, HttpRequest request) const {
  return {.peer = {.address = node.address, .tls = tls_},
          .request = std::move(request),
          .timeout = answer_timeout};
}

void NodeAgents::stream(const NodeEndpoint& node, HttpRequest request, HttpClient::OnStream done) {
  auto pending = std::make_shared<Pending>();
  *pending = http_.stream(call(node, std::move(request)),
                          kept<HttpClient::Streamed>(pending, node, std::move(done)));
}

void NodeAgents::upgrade(const NodeEndpoint& node, HttpRequest request,
                         HttpClient::OnUpgrade done) {
  auto pending = std::make_shared<Pending>();
  *pending = http_.upgrade(call(node, std::move(request)),
                           kept<HttpClient::Upgraded>(pending, node, std::move(done)));
}

Error error_of_agent(const HttpResponse& response) {
  const std::string body = response.text();
  Error error = error_of_answer(response.status, body);
  const bool is_plain = !response.headers.get("Content-Type").starts_with("application/json");
  if (is_plain && !body.empty()) error.message = body;
  return error;
}

}  // namespace keelson
