// OpenAPI documents: v3 by group and version, v2 for all at once.
#include "api/openapi.h"

#include <vector>

#include <openssl/sha.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "api/json.h"
#include "api/openapi_paths.h"
#include "api/openapi_protobuf.h"
#include "api/openapi_schema.h"
#include "api/proto/meta/v1/discovery.pb.h"

namespace keelson {
namespace {

json::object info() {
  return {{"title", "Kubernetes"}, {"version", "v1.32.0"}};
}

std::string path_of(const Kind& kind) {
  return (kind.group.empty() ? "api/" : "apis/") + kind.api_version();
}

std::string document_v3(Kinds all, const std::vector<const Kind*>& kinds) {
  OpenApiSchemas schemas(OpenApi::V3, all);
  json::object paths;
  for (const Kind* kind : kinds) add_openapi_paths(OpenApi::V3, *kind, paths, schemas);
  return to_text(json::object{{"openapi", "3.0.0"},
                              {"info", info()},
                              {"paths", std::move(paths)},
                              {"components", json::object{{"schemas", schemas.write()}}}});
}

json::object document_v2(Kinds kinds) {
  OpenApiSchemas schemas(OpenApi::V2, kinds);
  json::object paths;
  for (const Kind* kind : kinds) add_openapi_paths(OpenApi::V2, *kind, paths, schemas);
  return {{"swagger", "2.0"},
          {"info", info()},
          {"paths", std::move(paths)},
          {"definitions", schemas.write()}};
}

// Changes when the document does; what else it is does not matter.
std::string fingerprint(const std::string& document) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(document.data()), document.size(), digest);
  std::string text;
  for (unsigned char byte : digest) text += fmt::format("{:02X}", byte);
  return text;
}

}  // namespace

std::map<std::string, std::string> openapi_v3_documents(Kinds kinds) {
  std::map<std::string, std::vector<const Kind*>> by_path;
  for (const Kind* kind : kinds) by_path[path_of(*kind)].push_back(kind);
  std::map<std::string, std::string> documents;
  for (const auto& [path, of_path] : by_path) documents[path] = document_v3(kinds, of_path);
  return documents;
}

std::string openapi_v3_index(const std::map<std::string, std::string>& documents) {
  json::object paths;
  for (const auto& [path, document] : documents) {
    paths[path] = json::object{
        {"serverRelativeURL", fmt::format("/openapi/v3/{}?hash={}", path, fingerprint(document))}};
  }
  return to_text(json::object{{"paths", std::move(paths)}});
}

std::string openapi_v2_json(Kinds kinds) {
  return to_text(document_v2(kinds));
}

std::string openapi_v2_protobuf(Kinds kinds) {
  return openapi_v2_to_protobuf(document_v2(kinds));
}

}  // namespace keelson
