// OpenAPI: whole documents, for half a schema makes kubectl compute wrong patches.
#include "api/openapi.h"

#include <set>

#include <boost/json/value.hpp>

#include "api/json.h"
#include "api/proto/openapi/v2.pb.h"
#include "api/schema_comments.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

TEST_GROUP(OpenApi){};

namespace {

const json::object& at(const json::value& value, std::initializer_list<const char*> path) {
  const json::value* here = &value;
  for (const char* key : path) here = &here->at(key);
  return here->as_object();
}

void collect_references(const json::value& value, std::set<std::string>& references) {
  if (value.is_array()) {
    for (const auto& item : value.get_array()) collect_references(item, references);
  }
  if (!value.is_object()) return;
  for (const auto& [key, child] : value.get_object()) {
    if (key == "$ref") references.insert(std::string(child.as_string()));
    collect_references(child, references);
  }
}

// Everything that is referred to is there.
std::string dangling(const json::value& document, const json::object& schemas,
                     std::string_view prefix) {
  std::set<std::string> references;
  collect_references(document, references);
  CHECK(!references.empty());
  std::string missing;
  for (const std::string& reference : references) {
    CHECK_TEXT(reference.starts_with(prefix), reference.c_str());
    if (!schemas.contains(reference.substr(prefix.size()))) missing += reference + "\n";
  }
  return missing;
}

json::value document(const std::string& path) {
  const auto documents = openapi_v3_documents(all_kinds());
  return parse_json(documents.at(path))->tree;
}

}  // namespace

TEST(OpenApi, has_a_v3_document_for_every_group_and_version) {
  const auto documents = openapi_v3_documents(all_kinds());
  const auto index = parse_json(openapi_v3_index(documents));
  for (const Kind* kind : all_kinds()) {
    const std::string path = (kind->group.empty() ? "api/" : "apis/") + kind->api_version();
    CHECK_TEXT(documents.contains(path), path.c_str());
    const auto url = index->tree.at("paths").at(path).at("serverRelativeURL").as_string();
    CHECK_TEXT(url.starts_with("/openapi/v3/" + path + "?hash="), path.c_str());
  }
  for (const auto& [path, text] : documents) {
    auto parsed = parse_json(text);
    CHECK_TEXT(parsed.has_value(), path.c_str());
    CHECK_TEXT(parsed->duplicates.empty(), path.c_str());
    CHECK_EQUAL_TEXT(std::string(),
                     dangling(parsed->tree, at(parsed->tree, {"components", "schemas"}),
                              "#/components/schemas/"),
                     path.c_str());
  }
}

TEST(OpenApi, lets_kubectl_send_field_validation) {
  const json::value apps = document("apis/apps/v1");
  const json::object& patch =
      at(apps, {"paths", "/apis/apps/v1/namespaces/{namespace}/deployments/{name}", "patch"});
  CHECK(patch.at("x-kubernetes-group-version-kind") ==
        (json::value{{"group", "apps"}, {"kind", "Deployment"}, {"version", "v1"}}));
  bool found = false;
  for (const auto& parameter : patch.at("parameters").as_array()) {
    found |= parameter.at("name") == "fieldValidation" && parameter.at("in") == "query";
  }
  CHECK(found);
  CHECK(at(apps, {"paths"}).contains("/apis/apps/v1/deployments"));
  CHECK(at(apps, {"paths"})
            .contains("/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale"));
  const json::value core = document("api/v1");
  CHECK(at(core, {"paths"}).contains("/api/v1/nodes/{name}"));
}

TEST(OpenApi, says_how_lists_and_maps_merge) {
  const json::value core = document("api/v1");
  auto property = [&](const char* message, const char* field) {
    return at(core, {"components", "schemas", message, "properties", field});
  };
  const auto ports = property("io.k8s.api.core.v1.Container", "ports");
  CHECK(ports.at("x-kubernetes-patch-strategy") == "merge");
  CHECK(ports.at("x-kubernetes-patch-merge-key") == "containerPort");
  CHECK(ports.at("x-kubernetes-list-type") == "map");
  CHECK(ports.at("x-kubernetes-list-map-keys") == (json::value{"containerPort", "protocol"}));
  const auto volumes = property("io.k8s.api.core.v1.PodSpec", "volumes");
  CHECK(volumes.at("x-kubernetes-patch-strategy") == "merge,retainKeys");
  CHECK(property("io.k8s.api.core.v1.PodSpec", "nodeSelector").at("x-kubernetes-map-type") ==
        "atomic");
  CHECK(at(core, {"components", "schemas", "io.k8s.api.core.v1.ObjectReference"})
            .at("x-kubernetes-map-type") == "atomic");
  // Inlined: the source of a volume stands beside its name.
  CHECK(property("io.k8s.api.core.v1.Volume", "configMap").contains("allOf"));
}

TEST(OpenApi, writes_types_formats_and_what_must_be_there) {
  const json::value core = document("api/v1");
  auto schema = [&](const char* message) { return at(core, {"components", "schemas", message}); };
  CHECK(schema("io.k8s.api.core.v1.ContainerPort").at("required") ==
        (json::value(json::array{"containerPort"})));
  CHECK(schema("io.k8s.apimachinery.pkg.util.intstr.IntOrString").at("format") == "int-or-string");
  CHECK(schema("io.k8s.apimachinery.pkg.apis.meta.v1.Time").at("format") == "date-time");
  CHECK(schema("io.k8s.apimachinery.pkg.api.resource.Quantity").contains("oneOf"));
  const auto secret = schema("io.k8s.api.core.v1.Secret");
  CHECK(secret.at("properties").at("data").at("additionalProperties").at("format") == "byte");
  CHECK(secret.at("properties").as_object().contains("apiVersion"));
  CHECK(secret.at("x-kubernetes-group-version-kind") ==
        (json::value(
            json::array{json::object{{"group", ""}, {"kind", "Secret"}, {"version", "v1"}}})));
  CHECK(schema("io.k8s.api.core.v1.SecretList").contains("x-kubernetes-group-version-kind"));
}

TEST(OpenApi, has_what_subresources_carry) {
  const json::value apps = document("apis/apps/v1");
  const json::object& scale =
      at(apps, {"paths", "/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale", "put"});
  CHECK(scale.at("requestBody").at("content").at("*/*").at("schema").at("$ref") ==
        "#/components/schemas/io.k8s.api.autoscaling.v1.Scale");
  CHECK(at(apps, {"components", "schemas", "io.k8s.api.autoscaling.v1.Scale"})
            .contains("x-kubernetes-group-version-kind"));
}

TEST(OpenApi, describes_every_kind) {
  for (const Kind* kind : all_kinds()) {
    const std::string name = kind->prototype->GetTypeName();
    CHECK_FALSE_TEXT(schema_comment(name).empty(), name.c_str());
  }
  CHECK_EQUAL(std::string(), std::string(schema_comment("no.such.Message")));
}

TEST(OpenApi, is_the_same_in_v2_as_json_and_as_protobuf) {
  const auto parsed = parse_json(openapi_v2_json(all_kinds()));
  CHECK(parsed.has_value());
  const json::object& definitions = at(parsed->tree, {"definitions"});
  CHECK_EQUAL(std::string(), dangling(parsed->tree, definitions, "#/definitions/"));

  openapi::v2::Document document;
  CHECK(document.ParseFromString(openapi_v2_protobuf(all_kinds())));
  CHECK_EQUAL(std::string("2.0"), document.swagger());
  LONGS_EQUAL(definitions.size(), document.definitions().additional_properties_size());
  LONGS_EQUAL(at(parsed->tree, {"paths"}).size(), document.paths().path_size());
  bool found = false;
  for (const auto& path : document.paths().path()) {
    if (path.name() != "/api/v1/namespaces/{namespace}/configmaps/{name}") continue;
    for (const auto& item : path.value().patch().parameters()) {
      const auto& query = item.parameter().non_body_parameter().query_parameter_sub_schema();
      found |= query.name() == "fieldValidation" && query.in() == "query";
    }
    CHECK_EQUAL(std::string(R"({"group":"","kind":"ConfigMap","version":"v1"})"),
                path.value().patch().vendor_extension(1).value().yaml());
  }
  CHECK(found);
}
