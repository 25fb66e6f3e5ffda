// Paths, bodies and answers of the verbs.
#include "api/http_client.h"

#include <charconv>
#include <map>
#include <set>
#include <utility>

#include "api/http_watch.h"
#include "api/kinds.h"
#include "api/proto/meta/v1/object_meta.pb.h"
#include "api/proto/meta/v1/options.pb.h"
#include "api/protobuf.h"
#include "api/status.h"
#include "api/wire.h"

namespace keelson {
namespace {

constexpr std::string_view protobuf_type = "application/vnd.kubernetes.protobuf";
constexpr int list_page_items = 500;  // client-go's
// How long a watch is asked to last: long enough to cost nothing, spread so that not all of a
// cluster come back at once. Source: client-go's reflector.
constexpr std::uint64_t watch_seconds_least = 300;
constexpr std::uint64_t watch_seconds_spread = 300;

std::string_view content_type(PatchType type) {
  switch (type) {
    case PatchType::Json:
      return "application/json-patch+json";
    case PatchType::Merge:
      return "application/merge-patch+json";
    case PatchType::StrategicMerge:
      return "application/strategic-merge-patch+json";
    case PatchType::Apply:
      return "application/apply-patch+yaml";
  }
  return {};
}

// "/apis/apps/v1/namespaces/a/deployments"; without a namespace, those of all.
std::string collection_path(const Kind& kind, std::string_view name_space) {
  std::string path = kind.group.empty() ? fmt::format("/api/{}", kind.version)
                                        : fmt::format("/apis/{}/{}", kind.group, kind.version);
  if (!name_space.empty()) path += fmt::format("/namespaces/{}", percent_encode(name_space));
  return path += fmt::format("/{}", kind.plural);
}

std::string object_path(const Kind& kind, std::string_view key, std::string_view subresource = {}) {
  const auto [name_space, name] = split_key(key);
  std::string path = collection_path(kind, name_space) + '/' + percent_encode(name);
  if (!subresource.empty()) path += fmt::format("/{}", subresource);
  return path;
}

void add_parameter(std::string& target, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  target += target.contains('?') ? '&' : '?';
  target += fmt::format("{}={}", name, percent_encode(value));
}

void add_selectors(std::string& target, const ListOptions& options) {
  add_parameter(target, "labelSelector", options.label_selector);
  add_parameter(target, "fieldSelector", options.field_selector);
}

std::string envelope_of(const Kind& kind, const Message& message) {
  return to_envelope(kind.api_version(), kind.kind, canonical_bytes(message));
}

std::string delete_body(const DeleteOptions& options) {
  meta::DeleteOptions message;
  if (options.grace_period_seconds) message.set_graceperiodseconds(*options.grace_period_seconds);
  if (!options.propagation_policy.empty()) {
    message.set_propagationpolicy(options.propagation_policy);
  }
  if (!options.uid.empty()) message.mutable_preconditions()->set_uid(options.uid);
  if (!options.resource_version.empty()) {
    message.mutable_preconditions()->set_resourceversion(options.resource_version);
  }
  return to_envelope("v1", "DeleteOptions", message.SerializeAsString());
}

Result<Envelope> envelope_of(const HttpResponse& response, const std::string& body) {
  if (response.status < 200 || response.status > 299) {
    return std::unexpected(error_of_answer(response.status, body));
  }
  auto envelope = from_envelope(body);
  if (!envelope) return envelope.error().during("the server's answer");
  return envelope;
}

Result<ObjectPtr> object_of(const Kind& kind, const HttpResponse& response) {
  const std::string body = response.text();
  auto envelope = envelope_of(response, body);
  if (!envelope) return std::unexpected(envelope.error());
  if (envelope->kind == "Status") return nullptr;  // of a delete: it is gone
  return parse_object(kind, std::string(envelope->raw));
}

Revision revision_of(const std::string& text) {
  Revision revision = 0;
  std::from_chars(text.data(), text.data() + text.size(), revision);
  return revision;
}

// One page of a list.
struct Page {
  ObjectList list;
  std::string continue_token;
};

// Every List message has its ListMeta in field 1 and its items in field 2.
Result<Page> page_of(const Kind& kind, const HttpResponse& response) {
  const std::string body = response.text();
  auto envelope = envelope_of(response, body);
  if (!envelope) return std::unexpected(envelope.error());
  Page page;
  WireReader reader(envelope->raw);
  for (WireField field; reader.next(field);) {
    if (field.number == 1) {
      meta::ListMeta metadata;
      if (auto parsed = message_from_protobuf(field.bytes, metadata); !parsed) {
        return parsed.error().during("list {}", kind.plural);
      }
      page.continue_token = metadata.continue_();
      page.list.resource_version = revision_of(metadata.resourceversion());
    } else if (field.number == 2) {
      auto object = parse_object(kind, std::string(field.bytes));
      if (!object) return object.error().during("list {}", kind.plural);
      page.list.items.push_back(std::move(*object));
    }
  }
  if (reader.failed()) return fail(Reason::BadRequest, "list {}: it is damaged", kind.plural);
  return page;
}

// A list on its way, page after page; on the owner's loop.
struct Listing {
  const Kind& kind;
  ListOptions options;
  Client::ListDone done;
  ObjectList list = {};
  bool whole = false;  // without pages: the token of one had expired
};

}  // namespace

struct HttpApiClient::Core : std::enable_shared_from_this<HttpApiClient::Core> {
  explicit Core(const Parts& parts)
      : owner(parts.owner),
        http(parts.http),
        random(parts.random),
        request_timeout(parts.request_timeout) {}

  HttpCall call(std::string method, std::string target, std::string body = {}) const;
  template <typename T>
  using Answered = std::move_only_function<void(Result<T>)>;
  template <typename T, typename Decode>
  void ask(HttpCall call, Decode decode, Answered<T> answered);
  void ask_object(const Kind& kind, HttpCall call, Done done);
  void list_page(std::shared_ptr<Listing> listing, std::string_view token);
  void take_page(std::shared_ptr<Listing> listing, Result<Page> page);

  Loop& owner;
  HttpClient& http;
  Random& random;
  const Duration request_timeout;
  HttpPeer peer;
  std::string path;
  std::string user_agent;

  // The owner's loop:
  struct Request {
    Pending call;
    std::shared_ptr<void> answered;
  };
  std::map<std::uint64_t, Request> requests;
  std::uint64_t next_request = 0;
  std::set<std::weak_ptr<HttpWatch>, std::owner_less<>> watches;
  bool gone = false;
};

HttpCall HttpApiClient::Core::call(std::string method, std::string target, std::string body) const {
  HttpCall made{.peer = peer, .request = {}, .timeout = request_timeout};
  made.request = {.method = std::move(method),
                  .target = path + target,
                  .headers = {{"Accept", std::string(protobuf_type)}, {"User-Agent", user_agent}},
                  .body = std::move(body)};
  if (!made.request.body.empty()) {
    made.request.headers.add("Content-Type", std::string(protobuf_type));
  }
  return made;
}

// decode runs on the I/O loop; answered stays on the owner's, where it is called and destroyed.
template <typename T, typename Decode>
void HttpApiClient::Core::ask(HttpCall call, Decode decode, Answered<T> answered) {
  auto waiting = std::make_shared<Answered<T>>(std::move(answered));
  const std::uint64_t id = next_request++;
  auto take = [self = weak_from_this(), id, weak = std::weak_ptr(waiting)](Result<T> result) {
    auto core = self.lock();
    auto still = weak.lock();
    if (core == nullptr || still == nullptr) return;
    core->requests.erase(id);
    (*still)(std::move(result));
  };
  auto on_response = [&loop = owner, take = std::move(take),
                      decode = std::move(decode)](Result<HttpResponse> response) mutable {
    Result<T> result = response ? decode(*response) : std::unexpected(response.error());
    loop.post([take = std::move(take), result = std::move(result)]() mutable {
      take(std::move(result));
    });
  };
  requests.emplace(id, Request{http.fetch(std::move(call), std::move(on_response)), waiting});
}

void HttpApiClient::Core::ask_object(const Kind& kind, HttpCall call, Done done) {
  ask<ObjectPtr>(
      std::move(call), [&kind](const HttpResponse& response) { return object_of(kind, response); },
      std::move(done));
}

void HttpApiClient::Core::list_page(std::shared_ptr<Listing> listing, std::string_view token) {
  std::string target = collection_path(listing->kind, listing->options.name_space);
  add_selectors(target, listing->options);
  if (!listing->whole) add_parameter(target, "limit", std::to_string(list_page_items));
  add_parameter(target, "continue", token);
  ask<Page>(
      call("GET", std::move(target)),
      [&kind = listing->kind](const HttpResponse& response) { return page_of(kind, response); },
      [self = shared_from_this(), listing](Result<Page> page) {
        self->take_page(listing, std::move(page));
      });
}

void HttpApiClient::Core::take_page(std::shared_ptr<Listing> listing, Result<Page> page) {
  if (!page) {
    // The pages took longer than the server remembers: all at once, as client-go does.
    const bool token_expired =
        page.error().reason == Reason::Expired && !listing->list.items.empty();
    if (!token_expired || std::exchange(listing->whole, true)) {
      return listing->done(std::unexpected(page.error()));
    }
    listing->list = {};
    return list_page(std::move(listing), {});
  }
  listing->list.resource_version = page->list.resource_version;
  auto& items = listing->list.items;
  items.insert(items.end(), std::make_move_iterator(page->list.items.begin()),
               std::make_move_iterator(page->list.items.end()));
  if (page->continue_token.empty()) return listing->done(std::move(listing->list));
  list_page(std::move(listing), page->continue_token);
}

HttpApiClient::HttpApiClient(std::shared_ptr<Core> core) : core_(std::move(core)) {}

HttpApiClient::~HttpApiClient() {
  core_->gone = true;
  core_->requests.clear();
  for (const auto& weak : core_->watches) {
    if (auto watch = weak.lock()) watch->stop();
  }
}

Result<std::unique_ptr<HttpApiClient>> HttpApiClient::make(const ApiServer& server, Parts parts) {
  auto url = parse_url(server.url);
  if (!url) return url.error().during("API server");
  auto core = std::make_shared<Core>(parts);
  core->peer.address = url->address;
  core->path = url->path;
  core->user_agent = server.user_agent;
  if (url->tls) {
    auto tls = make_tls_context(server.tls);
    if (!tls) return tls.error().during("API server {}", server.url);
    core->peer.tls = std::move(*tls);
  }
  return std::unique_ptr<HttpApiClient>(new HttpApiClient(std::move(core)));
}

void HttpApiClient::get(const Kind& kind, std::string_view key, Done done) {
  core_->ask_object(kind, core_->call("GET", object_path(kind, key)), std::move(done));
}

void HttpApiClient::create(const Kind& kind, const Message& message, Done done) {
  const std::string& name_space = metadata_of(message).namespace_();
  core_->ask_object(
      kind, core_->call("POST", collection_path(kind, name_space), envelope_of(kind, message)),
      std::move(done));
}

void HttpApiClient::update(const Kind& kind, const Message& message, std::string_view subresource,
                           Done done) {
  const meta::ObjectMeta& metadata = metadata_of(message);
  const std::string key = key_of(metadata.namespace_(), metadata.name());
  core_->ask_object(
      kind, core_->call("PUT", object_path(kind, key, subresource), envelope_of(kind, message)),
      std::move(done));
}

void HttpApiClient::patch(const Kind& kind, std::string_view key, Patch patch, Done done) {
  std::string target = object_path(kind, key, patch.subresource);
  if (patch.type == PatchType::Apply) {
    const std::string& agent = core_->user_agent;
    add_parameter(target, "fieldManager", agent.substr(0, agent.find('/')));
    add_parameter(target, "force", "true");  // what we apply is ours
  }
  HttpCall call = core_->call("PATCH", std::move(target), std::move(patch.body));
  call.request.headers.set("Content-Type", std::string(content_type(patch.type)));
  core_->ask_object(kind, std::move(call), std::move(done));
}

void HttpApiClient::remove(const Kind& kind, std::string_view key, DeleteOptions options,
                           Done done) {
  core_->ask_object(kind, core_->call("DELETE", object_path(kind, key), delete_body(options)),
                    std::move(done));
}

void HttpApiClient::list(const Kind& kind, ListOptions options, ListDone done) {
  core_->list_page(std::make_shared<Listing>(Listing{kind, std::move(options), std::move(done)}),
                   {});
}

Pending HttpApiClient::watch(const Kind& kind, WatchFrom from, OnEvent on_event, OnEnd on_end) {
  struct Cancel final : Pending::Cancel {
    Cancel(std::shared_ptr<Core> c, std::shared_ptr<HttpWatch> w)
        : core(std::move(c)), watch(std::move(w)) {}
    ~Cancel() override {
      core->watches.erase(watch);
      if (!core->gone) watch->stop();
    }
    std::shared_ptr<Core> core;
    std::shared_ptr<HttpWatch> watch;
  };
  const std::uint64_t seconds = watch_seconds_least + core_->random.below(watch_seconds_spread + 1);
  std::string target = collection_path(kind, from.which.name_space);
  add_parameter(target, "watch", "true");
  add_parameter(target, "allowWatchBookmarks", "true");
  add_parameter(target, "resourceVersion", std::to_string(from.resource_version));
  add_parameter(target, "timeoutSeconds", std::to_string(seconds));
  add_selectors(target, from.which);
  auto watch = std::make_shared<HttpWatch>(
      HttpWatch::Parts{core_->owner, core_->http, kind, std::move(on_event), std::move(on_end)},
      std::chrono::seconds(seconds));
  watch->start(core_->call("GET", std::move(target)));
  core_->watches.insert(watch);
  return Pending(std::make_unique<Cancel>(core_, std::move(watch)));
}

}  // namespace keelson
