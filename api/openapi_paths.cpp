// Paths and operations of a kind and its subresources.
#include "api/openapi_paths.h"

#include <cctype>

#include <boost/json/array.hpp>

#include "api/json.h"
#include "api/proto/meta/v1/options.pb.h"
#include "api/proto/meta/v1/status.pb.h"

namespace keelson {
namespace {

using google::protobuf::Descriptor;

struct Parameter {
  std::string_view name, type;
};
constexpr Parameter list_parameters[] = {{"allowWatchBookmarks", "boolean"},
                                         {"continue", "string"},
                                         {"fieldSelector", "string"},
                                         {"labelSelector", "string"},
                                         {"limit", "integer"},
                                         {"resourceVersion", "string"},
                                         {"resourceVersionMatch", "string"},
                                         {"sendInitialEvents", "boolean"},
                                         {"timeoutSeconds", "integer"},
                                         {"watch", "boolean"}};
constexpr Parameter write_parameters[] = {
    {"dryRun", "string"}, {"fieldManager", "string"}, {"fieldValidation", "string"}};
constexpr Parameter delete_parameters[] = {{"dryRun", "string"},
                                           {"gracePeriodSeconds", "integer"},
                                           {"orphanDependents", "boolean"},
                                           {"propagationPolicy", "string"}};
constexpr Parameter force_parameter[] = {{"force", "boolean"}};

// A verb of the API as a method of HTTP.
struct Verb {
  std::string_view verb;    // of the row
  std::string_view method;  // "get"
  std::string_view action;  // x-kubernetes-action
  std::string_view name;    // the operation's: "list", "read", …
  std::span<const Parameter> parameters;
  enum class Body { None, Object, Patch, DeleteOptions } body;
};
constexpr Verb collection_verbs[] = {
    {"list", "get", "list", "list", list_parameters, Verb::Body::None},
    {"create", "post", "post", "create", write_parameters, Verb::Body::Object},
    {"deletecollection", "delete", "deletecollection", "deleteCollection", delete_parameters,
     Verb::Body::DeleteOptions}};
constexpr Verb object_verbs[] = {
    {"get", "get", "get", "read", {}, Verb::Body::None},
    {"update", "put", "put", "replace", write_parameters, Verb::Body::Object},
    {"patch", "patch", "patch", "patch", write_parameters, Verb::Body::Patch},
    {"create", "post", "post", "create", write_parameters, Verb::Body::Object},
    {"delete", "delete", "delete", "delete", delete_parameters, Verb::Body::DeleteOptions}};

constexpr std::string_view patch_types[] = {
    "application/json-patch+json", "application/merge-patch+json",
    "application/strategic-merge-patch+json", "application/apply-patch+yaml"};
constexpr std::string_view media_types[] = {"application/json", "application/yaml",
                                            "application/vnd.kubernetes.protobuf"};

std::string capital(std::string_view word) {
  std::string text(word);
  if (!text.empty()) text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

json::object parameter(OpenApi version, std::string_view in, const Parameter& parameter) {
  json::object json = {{"in", in}, {"name", parameter.name}};
  if (in == "path") json["required"] = true;
  const json::object type = {{"type", parameter.type}, {"uniqueItems", true}};
  if (version == OpenApi::V3) {
    json["schema"] = type;
  } else {
    json.insert(type.begin(), type.end());
  }
  return json;
}

// One place of the API: a collection, an object or a subresource.
class Path {
 public:
  Path(OpenApi version, const Kind& kind, OpenApiSchemas& schemas)
      : version_(version), kind_(kind), schemas_(schemas) {}

  std::string text;       // "/api/v1/namespaces/{namespace}/pods/{name}"
  std::string id_suffix;  // "NamespacedPod"
  json::object gvk;       // of what is sent and answered
  const Descriptor* object = nullptr;
  const Descriptor* answer = nullptr;  // of "get"; else the object
  json::object item;                   // the OpenAPI path item

  void add(const Verb& verb);
  void add_path_parameters();

 private:
  json::array parameters(const Verb& verb) const;
  void set_body(const Verb& verb, json::object& operation);
  json::object responses(const Descriptor* message);
  json::object reference(const Descriptor* message);
  json::object content(std::span<const std::string_view> types, const json::object& schema) const;

  OpenApi version_;
  const Kind& kind_;
  OpenApiSchemas& schemas_;
};

json::object Path::reference(const Descriptor* message) {
  if (!message) return {{"type", "string"}};
  schemas_.add(*message);
  return openapi_reference(version_, *message);
}

json::object Path::content(std::span<const std::string_view> types,
                           const json::object& schema) const {
  json::object content;
  for (std::string_view type : types) content[type] = json::object{{"schema", schema}};
  return content;
}

json::array Path::parameters(const Verb& verb) const {
  json::array list;
  for (const Parameter& one : verb.parameters) list.push_back(parameter(version_, "query", one));
  if (verb.body == Verb::Body::Patch) {
    list.push_back(parameter(version_, "query", force_parameter[0]));
  }
  return list;
}

void Path::set_body(const Verb& verb, json::object& operation) {
  if (verb.body == Verb::Body::None) return;
  const Descriptor* message = verb.body == Verb::Body::Object  ? object
                              : verb.body == Verb::Body::Patch ? meta::Patch::descriptor()
                                                               : meta::DeleteOptions::descriptor();
  const json::object schema = reference(message);
  const bool required = verb.body != Verb::Body::DeleteOptions;
  const bool patch = verb.body == Verb::Body::Patch;
  if (version_ == OpenApi::V3) {
    constexpr std::string_view any[] = {"*/*"};
    json::object body = {{"content", patch ? content(patch_types, schema) : content(any, schema)}};
    if (required) body["required"] = true;
    operation["requestBody"] = std::move(body);
    return;
  }
  json::array consumes;
  if (patch) {
    for (std::string_view type : patch_types) consumes.emplace_back(type);
  } else {
    consumes.emplace_back("*/*");
  }
  operation["consumes"] = std::move(consumes);
  json::object body = {{"in", "body"}, {"name", "body"}, {"schema", schema}};
  if (required) body["required"] = true;
  operation["parameters"].as_array().push_back(std::move(body));
}

json::object Path::responses(const Descriptor* message) {
  const json::object schema = reference(message);
  json::object ok = {{"description", "OK"}};
  if (version_ == OpenApi::V3) {
    ok["content"] = content(media_types, schema);
  } else {
    ok["schema"] = schema;
  }
  return {{"200", std::move(ok)}, {"401", json::object{{"description", "Unauthorized"}}}};
}

void Path::add(const Verb& verb) {
  const bool whole = verb.method == "delete";
  const std::string group =
      kind_.group.empty() ? "Core" : capital(kind_.group.substr(0, kind_.group.find('.')));
  json::object operation = {
      {"operationId", fmt::format("{}{}{}{}", verb.name, group, capital(kind_.version), id_suffix)},
      {"parameters", parameters(verb)},
      {"responses", responses(whole                            ? meta::Status::descriptor()
                              : verb.method == "get" && answer ? answer
                                                               : object)},
      {"x-kubernetes-action", verb.action},
      {"x-kubernetes-group-version-kind", gvk}};
  set_body(verb, operation);
  if (version_ == OpenApi::V2) {
    json::array produces;
    for (std::string_view type : media_types) produces.emplace_back(type);
    operation["produces"] = std::move(produces);
  }
  item[verb.method] = std::move(operation);
}

void Path::add_path_parameters() {
  json::array list;
  for (std::string_view name : {"name", "namespace"}) {
    if (text.contains(fmt::format("{{{}}}", name))) {
      list.push_back(parameter(version_, "path", {name, "string"}));
    }
  }
  list.push_back(parameter(version_, "query", {"pretty", "string"}));
  item["parameters"] = std::move(list);
}

json::object gvk_json(std::string_view group, std::string_view version, std::string_view kind) {
  return {{"group", group}, {"kind", kind}, {"version", version}};
}

class Writer {
 public:
  Writer(OpenApi version, const Kind& kind, json::object& paths, OpenApiSchemas& schemas)
      : version_(version), kind_(kind), paths_(paths), schemas_(schemas) {}

  void write() {
    const std::string root = (kind_.group.empty() ? "/api/" : "/apis/") + kind_.api_version();
    const std::string collection =
        root + (kind_.namespaced() ? "/namespaces/{namespace}/" : "/") + std::string(kind_.plural);
    const std::string id = (kind_.namespaced() ? "Namespaced" : "") + std::string(kind_.kind);
    collection_path(collection, id);
    if (kind_.namespaced() && kind_.has_verb("list")) {
      Path all = path(root + "/" + std::string(kind_.plural),
                      std::string(kind_.kind) + "ForAllNamespaces");
      all.answer = list_message();
      all.add(collection_verbs[0]);
      put(std::move(all));
    }
    Path object = path(collection + "/{name}", id);
    for (const Verb& verb : object_verbs) {
      if (verb.verb != "create" && kind_.has_verb(verb.verb)) object.add(verb);
    }
    put(std::move(object));
    for (const Subresource& one : kind_.subresources) subresource(collection, id, one);
  }

 private:
  const Descriptor* list_message() const {
    return find_message(kind_.group, kind_.version, fmt::format("{}List", kind_.kind));
  }

  Path path(std::string text, std::string id) {
    Path path(version_, kind_, schemas_);
    path.text = std::move(text);
    path.id_suffix = std::move(id);
    path.gvk = gvk_json(kind_.group, kind_.version, kind_.kind);
    path.object = kind_.prototype->GetDescriptor();
    return path;
  }

  void put(Path path) {
    if (path.item.empty()) return;
    path.add_path_parameters();
    paths_[path.text] = std::move(path.item);
  }

  void collection_path(const std::string& text, const std::string& id) {
    Path collection = path(text, id);
    collection.answer = list_message();
    for (const Verb& verb : collection_verbs) {
      if (kind_.has_verb(verb.verb)) collection.add(verb);
    }
    put(std::move(collection));
  }

  void subresource(const std::string& collection, const std::string& id, const Subresource& one) {
    Path path = this->path(collection + "/{name}/" + std::string(one.name), id + capital(one.name));
    if (!one.version.empty()) {
      path.gvk = gvk_json(one.group, one.version, one.kind);
      path.object = find_message(one.group, one.version, one.kind);
    }
    for (const Verb& verb : object_verbs) {
      if (std::ranges::find(one.verbs, verb.verb) != one.verbs.end()) path.add(verb);
    }
    put(std::move(path));
  }

  OpenApi version_;
  const Kind& kind_;
  json::object& paths_;
  OpenApiSchemas& schemas_;
};

}  // namespace

void add_openapi_paths(OpenApi version, const Kind& kind, json::object& paths,
                       OpenApiSchemas& schemas) {
  Writer(version, kind, paths, schemas).write();
}

}  // namespace keelson
