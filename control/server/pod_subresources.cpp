// Which container on which node, then a tunnel.
#include "control/server/pod_subresources.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "api/proto/core/v1/node.pb.h"
#include "api/proto/core/v1/pod.pb.h"
#include "control/registry/errors.h"
#include "control/server/node_agents.h"
#include "control/server/piece_writer.h"

namespace keelson {
namespace {

constexpr std::int32_t kubelet_port = 10250;  // of an agent that does not say another

// A container of a pod, and how to reach the agent that runs it. No address: it is on no node yet.
struct Place {
  std::string name_space, pod, container;
  NodeEndpoint node;
};

std::vector<std::string> names_of(const auto& containers) {
  std::vector<std::string> names;
  for (const auto& container : containers) names.push_back(container.name());
  return names;
}

bool has_container(const core::PodSpec& spec, const std::string& name) {
  const auto is_named = [&](const auto& container) { return container.name() == name; };
  return std::ranges::any_of(spec.containers(), is_named) ||
         std::ranges::any_of(spec.initcontainers(), is_named) ||
         std::ranges::any_of(spec.ephemeralcontainers(), [&](const auto& container) {
           return container.ephemeralcontainercommon().name() == name;
         });
}

// The one that is meant; the only one, if the client does not say.
Result<std::string> choose_container(const core::Pod& pod, const std::string& asked) {
  const core::PodSpec& spec = pod.spec();
  const std::string& name = pod.metadata().name();
  if (!asked.empty()) {
    if (has_container(spec, asked)) return asked;
    return fail(Reason::BadRequest, "container {} is not valid for pod {}", asked, name);
  }
  if (spec.containers_size() == 1) return spec.containers(0).name();
  std::string why = "a container name must be specified for pod " + name;
  if (spec.containers_size() > 1) {
    why += fmt::format(", choose one of: [{}]", fmt::join(names_of(spec.containers()), " "));
    if (spec.initcontainers_size() > 0) {
      why += fmt::format(" or one of the init containers: [{}]",
                         fmt::join(names_of(spec.initcontainers()), " "));
    }
  }
  return fail(Reason::BadRequest, "{}", why);
}

Result<NodeEndpoint> endpoint_of(const View& view, const std::string& node_name) {
  const ObjectPtr object = view.get(kinds::node(), "", node_name);
  if (!object) return not_found(kinds::node(), node_name);
  const auto node = decode<core::Node>(*object);
  std::int32_t port = node.status().daemonendpoints().kubeletendpoint().port();
  if (port <= 0) port = kubelet_port;
  for (const auto& address : node.status().addresses()) {
    if (address.type() != "InternalIP") continue;
    const bool is_v6 = address.address().contains(':');
    return NodeEndpoint{
        node_name, fmt::format(fmt::runtime(is_v6 ? "[{}]:{}" : "{}:{}"), address.address(), port)};
  }
  return fail(Reason::InternalError, "error dialing backend: node {} has no InternalIP address",
              node_name);
}

// On the core.
Result<Place> find_place(const View& view, const ResourceRequest& request,
                         const std::string& container) {
  const ObjectPtr object = view.get(kinds::pod(), request.name_space, request.name);
  if (!object) return not_found(kinds::pod(), request.name);
  const auto pod = decode<core::Pod>(*object);
  auto chosen = choose_container(pod, container);
  if (!chosen) return std::unexpected(chosen.error());
  Place place{.name_space = request.name_space, .pod = request.name, .container = *chosen};
  if (pod.spec().nodename().empty()) return place;
  auto node = endpoint_of(view, pod.spec().nodename());
  if (!node) return std::unexpected(node.error());
  place.node = std::move(*node);
  return place;
}

// "/containerLogs/NS/POD/CONTAINER?tailLines=5": the client's own query, without the container.
std::string agent_target(std::string_view what, const Place& place, const HttpTarget& target) {
  std::string text = fmt::format("/{}/{}/{}/{}", what, percent_encode(place.name_space),
                                 percent_encode(place.pod), percent_encode(place.container));
  char separator = '?';
  for (const auto& [name, value] : target.query) {
    if (name == "container") continue;
    text += std::exchange(separator, '&');
    text += percent_encode(name) + "=" + percent_encode(value);
  }
  return text;
}

// ---- logs

// From the agent's body to the client's, a piece at a time.
class LogRelay : public std::enable_shared_from_this<LogRelay> {
 public:
  LogRelay(SystemLoop& loop, std::unique_ptr<ByteSource> source, std::unique_ptr<ByteSink> sink)
      : source_(std::move(source)), writer_(loop, std::move(sink)) {}
  void start() {
    writer_.sink().on_closed([weak = weak_from_this()] {
      if (auto self = weak.lock()) self->source_.reset();
    });
    go_on();
  }

 private:
  void go_on();

  std::unique_ptr<ByteSource> source_;  // null: the client is gone
  PieceWriter writer_;
};

void LogRelay::go_on() {
  auto self = shared_from_this();
  if (!source_) return;
  if (!writer_.flush()) return writer_.when_room([self] { self->go_on(); });
  source_->read([self](Result<std::string> bytes) {
    if (!bytes) return;  // lost: dropped unfinished, so that the client can tell
    if (bytes->empty()) return self->writer_.sink().finish();
    self->writer_.push(make_bytes(std::move(*bytes)));
    self->go_on();
  });
}

// An agent's refusal, once its body is here; it is short.
class Refusal : public std::enable_shared_from_this<Refusal> {
 public:
  Refusal(CallPtr call, HttpClient::Streamed answer)
      : call_(std::move(call)), answer_(std::move(answer)) {}
  void read_on() {
    answer_.body->read([self = shared_from_this()](Result<std::string> bytes) {
      const bool more = bytes && !bytes->empty() && self->text_.size() < refusal_bytes_max;
      if (bytes) self->text_ += *bytes;
      if (more) return self->read_on();
      self->answer_.head.body = {make_bytes(std::move(self->text_))};
      self->call_->fail(error_of_agent(self->answer_.head));
    });
  }

 private:
  static constexpr std::size_t refusal_bytes_max = 64 * 1024;
  CallPtr call_;
  HttpClient::Streamed answer_;
  std::string text_;
};

void relay_log(Hands& hands, CallPtr call, const Place& place) {
  if (place.node.address.empty()) return call->respond_text(200, "");  // nothing was ever said
  HttpRequest request{.target = agent_target("containerLogs", place, call->target())};
  hands.nodes.stream(
      place.node, std::move(request),
      [&hands, call = std::move(call)](Result<HttpClient::Streamed> answer) mutable {
        if (!answer) return call->fail(answer.error());
        if (answer->head.status != 200) {
          return std::make_shared<Refusal>(std::move(call), std::move(*answer))->read_on();
        }
        auto sink = call->stream({.headers = {{"Content-Type", "text/plain"}}});
        std::make_shared<LogRelay>(hands.nodes.loop(), std::move(answer->body), std::move(sink))
            ->start();
      });
}

// ---- exec

// What the two ends agree on between themselves: the upgrade and its protocol.
HttpHeaders upgrade_headers(const HttpHeaders& from) {
  HttpHeaders headers;
  for (const auto& [name, value] : from) {
    std::string lower = name;
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const bool is_ours =
        lower == "upgrade" || lower == "connection" || lower.starts_with("sec-websocket-") ||
        lower == "x-stream-protocol-version" || lower == "x-accepted-stream-protocol-versions";
    if (is_ours) headers.add(name, value);
  }
  return headers;
}

void tunnel(Hands& hands, CallPtr call, const Place& place) {
  if (place.node.address.empty()) {
    return call->fail(
        {Reason::BadRequest, "pod " + place.pod + " does not have a host assigned", nullptr});
  }
  const HttpRequest& asked = call->request();
  if (!asked.headers.has_token("Connection", "upgrade")) {
    return call->fail({Reason::BadRequest, "Upgrade request required", nullptr});
  }
  HttpRequest request{.method = asked.method,
                      .target = agent_target("exec", place, call->target()),
                      .headers = upgrade_headers(asked.headers)};
  hands.nodes.upgrade(place.node, std::move(request),
                      [call = std::move(call)](Result<HttpClient::Upgraded> answer) {
                        if (!answer) return call->fail(answer.error());
                        if (!answer->stream) return call->fail(error_of_agent(answer->response));
                        auto client = call->upgrade(
                            {.status = 101, .headers = upgrade_headers(answer->response.headers)});
                        splice(std::move(client), std::move(answer->stream), [] {});
                      });
}

}  // namespace

void serve_from_node(Hands& hands, CallPtr call, const ResourceRequest& request) {
  const std::string* container = call->target().parameter("container");
  hands.core.post([&hands, request, container = container ? *container : std::string(),
                   call = std::move(call)]() mutable {
    auto place = find_place(hands.registry.view(), request, container);
    hands.any_io_loop().post(
        [&hands, request, place = std::move(place), call = std::move(call)]() mutable {
          if (!place) return call->fail(place.error());
          if (request.subresource == "log") return relay_log(hands, std::move(call), *place);
          tunnel(hands, std::move(call), *place);
        });
  });
}

}  // namespace keelson
