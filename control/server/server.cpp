// The request path, step by step: a place in work, who asks, what is asked, whether it may be, and
// then the one who answers.
#include "control/server/server.h"

#include "control/server/query.h"
#include "control/server/resource_calls.h"
#include "control/server/routes.h"

namespace keelson {
namespace {

Attributes attributes_of(const ResourceRequest& request) {
  return {.verb = request.verb,
          .group = request.kind->group,
          .resource = request.kind->plural,
          .subresource = request.subresource,
          .name_space = request.name_space,
          .name = request.name};
}

Error too_many_requests() {
  return {Reason::TooManyRequests, "Too many requests, please try again later.",
          std::make_shared<const ErrorDetails>(ErrorDetails{.retry_after_seconds = 1})};
}

Error no_such_path() {
  return {Reason::NotFound, "the server could not find the requested resource",
          std::make_shared<const ErrorDetails>()};
}

// Those that go on as long as their client wants take no place from the others.
bool is_long_running(const ResourceRequest& request) {
  return request.verb == "watch" || request.subresource == "exec" || request.subresource == "log";
}

}  // namespace

Server::Server(SystemLoop& core, Registry& registry, const Limits& limits,
               const ServerOptions& options)
    : limits_(limits),
      authorization_({everybody_authenticated()}),
      documents_(options.version, options.advertised_address),
      health_({{"store", [&registry] { return registry.store().takes_writes(); }}}),
      next_id_(static_cast<std::uint64_t>(core.clock().wall().time_since_epoch().count())),
      io_(options.io_threads, "api"),
      to_nodes_(io_.loop(0), limits),
      nodes_(to_nodes_, options.to_nodes),
      hands_{.core = core,
             .io = io_,
             .registry = registry,
             .limits = limits_,
             .authorization = authorization_,
             .documents = documents_,
             .health = health_,
             .nodes = nodes_},
      http_(std::make_unique<HttpServer>(
          io_, HttpServerOptions{.tls = options.serving, .limits = limits, .refuse = refusal},
          [this](std::unique_ptr<Exchange> exchange) { handle(std::move(exchange)); })) {}

Server::~Server() = default;

Result<std::string> Server::listen(std::string_view address) {
  return http_->listen(address);
}

void Server::listen(Fd listener) {
  http_->listen(std::move(listener));
}

void Server::set_certificates(TlsContextPtr serving) {
  http_->set_tls(std::move(serving));
}

void Server::stop(Duration grace, Task stopped) {
  http_->stop(grace, [this, stopped = std::move(stopped)]() mutable {
    hands_.core.post(std::move(stopped));
  });
}

void Server::handle(std::unique_ptr<Exchange> exchange) {
  auto call = std::make_unique<Call>(std::move(exchange), next_id_++, hands_.core.clock());
  const auto& headers = call->request().headers;
  call->context.field_manager = manager_of_user_agent(headers.get("User-Agent"));
  dispatch(std::move(call));
}

void Server::dispatch(CallPtr call) {
  const HttpTarget& target = call->target();
  auto resource = parse_resource(call->request(), target);
  const bool is_resource = resource && *resource;
  const Route* route = resource && !*resource ? find_route(target.path) : nullptr;

  if (!is_resource || !is_long_running(**resource)) {
    call->token = in_flight_.enter(limits_.requests_in_flight);
    if (!call->token) return call->fail(too_many_requests());
  }
  if (route && route->open) return route->handle(hands_, std::move(call));

  auto identity = authenticate(call->exchange().peer(), call->request().headers);
  if (!identity) return call->fail(identity.error());
  call->identity = std::move(*identity);
  call->context.user = call->identity.user;
  call->context.groups = call->identity.groups;

  const std::string method = method_verb(call->request().method);
  const Attributes attributes =
      is_resource ? attributes_of(**resource) : Attributes{.verb = method, .path = target.path};
  if (auto ok = authorization_.check(call->identity, attributes); !ok) {
    return call->fail(ok.error());
  }
  if (!resource) return call->fail(resource.error());
  if (is_resource) return serve_resource(hands_, std::move(call), std::move(**resource));
  if (!route) return call->fail(no_such_path());
  route->handle(hands_, std::move(call));
}

}  // namespace keelson
