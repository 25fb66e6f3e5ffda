// Discovery and OpenAPI from the table of kinds; clients hold them for hours.
#include "control/server/documents.h"

#include <boost/json/value.hpp>

#include "api/discovery.h"
#include "api/json.h"
#include "api/openapi.h"
#include "control/server/encode.h"

namespace keelson {
namespace {

constexpr std::string_view json_type = "application/json";
constexpr std::string_view openapi_v2_accepted =
    "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";

Error no_such_path() {
  return {Reason::NotFound, "the server could not find the requested resource",
          std::make_shared<const ErrorDetails>()};
}

bool is_get(const Call& call) {
  return call.request().method == "GET" || call.request().method == "HEAD";
}

void only_get(Call& call) {
  call.fail({Reason::MethodNotAllowed,
             "the server does not allow this method on the requested resource", nullptr});
}

// Clients tell aggregated discovery by the media type of the answer.
void serve_discovery(Hands& hands, Call& call, DiscoveryRoot root,
                     const std::function<std::string()>& plain) {
  const std::string_view accept = call.request().headers.get("Accept");
  const std::string name = root == DiscoveryRoot::Core ? "/api" : "/apis";
  for (const std::string_view version : {"v2", "v2beta1"}) {
    const std::string type = aggregated_discovery_media_type(version);
    if (!accepts(accept, type)) continue;
    return call.respond_document(type, hands.documents.get(name + " " + std::string(version), [&] {
      return aggregated_discovery(all_kinds(), root, version);
    }));
  }
  call.respond_document(json_type, hands.documents.get(name, plain));
}

}  // namespace

Bytes Documents::get(const std::string& name, const std::function<std::string()>& make) {
  const std::lock_guard lock(mutex_);
  Bytes& document = documents_[name];
  if (!document) document = make_bytes(make());
  return document;
}

void Documents::make_openapi_v3() {
  if (openapi_v3_index_) return;
  auto documents = openapi_v3_documents(all_kinds());
  openapi_v3_index_ = make_bytes(keelson::openapi_v3_index(documents));
  for (auto& [path, text] : documents) openapi_v3_.emplace(path, make_bytes(std::move(text)));
}

Bytes Documents::openapi_v3_index() {
  const std::lock_guard lock(mutex_);
  make_openapi_v3();
  return openapi_v3_index_;
}

Bytes Documents::openapi_v3(const std::string& path) {
  const std::lock_guard lock(mutex_);
  make_openapi_v3();
  const auto found = openapi_v3_.find(path);
  return found == openapi_v3_.end() ? nullptr : found->second;
}

void serve_index(Hands& hands, CallPtr call) {
  if (!is_get(*call)) return only_get(*call);
  call->respond_document(json_type, hands.documents.get("/", [] {
    return std::string(R"({"paths":["/api","/api/v1","/apis","/healthz","/livez","/openapi/v2",)"
                       R"("/openapi/v3","/readyz","/version"]})");
  }));
}

void serve_core_versions(Hands& hands, CallPtr call) {
  if (!is_get(*call)) return only_get(*call);
  serve_discovery(hands, *call, DiscoveryRoot::Core,
                  [&] { return api_versions(hands.documents.server_address()); });
}

void serve_groups(Hands& hands, CallPtr call) {
  if (!is_get(*call)) return only_get(*call);
  serve_discovery(hands, *call, DiscoveryRoot::Groups, [] { return api_group_list(all_kinds()); });
}

void serve_resources(Hands&, CallPtr call) {
  if (!is_get(*call)) return only_get(*call);
  const auto& segments = call->target().segments;
  const bool core = segments[0] == "api";
  std::optional<std::string> text;
  if (core || segments.size() == 3) {
    text = api_resource_list(all_kinds(), core ? "" : segments[1], segments.back());
  } else if (segments.size() == 2) {
    text = api_group(all_kinds(), segments[1]);
  }
  if (!text) return call->fail(no_such_path());
  call->respond_document(json_type, make_bytes(std::move(*text)));
}

void serve_openapi_v2(Hands& hands, CallPtr call) {
  if (!is_get(*call)) return only_get(*call);
  if (accepts(call->request().headers.get("Accept"), openapi_v2_accepted)) {
    return call->respond_document(
        openapi_v2_protobuf_media_type,
        hands.documents.get("v2 protobuf", [] { return openapi_v2_protobuf(all_kinds()); }));
  }
  call->respond_document(json_type,
                         hands.documents.get("v2", [] { return openapi_v2_json(all_kinds()); }));
}

void serve_openapi_v3(Hands& hands, CallPtr call) {
  if (!is_get(*call)) return only_get(*call);
  std::string path;
  for (std::size_t i = 2; i < call->target().segments.size(); ++i) {
    path += (path.empty() ? "" : "/") + call->target().segments[i];
  }
  Bytes document =
      path.empty() ? hands.documents.openapi_v3_index() : hands.documents.openapi_v3(path);
  if (!document) return call->fail(no_such_path());
  call->respond_document(json_type, std::move(document));
}

void serve_version(Hands& hands, CallPtr call) {
  if (!is_get(*call)) return only_get(*call);
  const VersionInfo& version = hands.documents.version();
  const json::object info{{"major", "1"},
                          {"minor", "32"},
                          {"gitVersion", version.git_version},
                          {"gitCommit", version.git_commit},
                          {"gitTreeState", "clean"},
                          {"buildDate", ""},
                          {"goVersion", ""},
                          {"compiler", "g++"},
                          {"platform", "linux/amd64"}};
  call->respond_document(json_type, make_bytes(indented_json(to_text(info)) + "\n"));
}

}  // namespace keelson
