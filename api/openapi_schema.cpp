// Schemas by descriptor: types and formats, defaults, what must be there, and how lists and maps
// merge.
#include "api/openapi_schema.h"

#include <array>

#include <google/protobuf/descriptor.h>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include "api/json.h"
#include "api/proto/authentication/v1.pb.h"
#include "api/proto/autoscaling/v1.pb.h"
#include "api/proto/core/v1/pod_options.pb.h"
#include "api/proto/meta/v1/options.pb.h"
#include "api/proto/meta/v1/status.pb.h"
#include "api/proto/policy/v1.pb.h"
#include "api/schema_comments.h"

namespace keelson {
namespace {

using google::protobuf::Descriptor;

// What a field's value is made of, if it is a message.
const Descriptor& message_of(const FieldSchema& field) {
  const auto& value =
      field.field->is_map() ? *field.field->message_type()->map_value() : *field.field;
  return *value.message_type();
}

bool refers(const FieldSchema& field) {
  return field.form >= Form::Object && field.form != Form::Strings;
}

json::object typed(std::string_view type, std::string_view format = {}) {
  json::object schema = {{"type", type}};
  if (!format.empty()) schema["format"] = format;
  return schema;
}

json::object one_of(std::string_view first, std::string_view second) {
  return {{"oneOf", json::array{typed(first), typed(second)}}};
}

// Messages that stand for one value.
json::object value_schema(Form form, OpenApi version) {
  switch (form) {
    case Form::Quantity:
      return version == OpenApi::V2 ? typed("string") : one_of("string", "number");
    case Form::IntOrString: {
      if (version == OpenApi::V2) return typed("string", "int-or-string");
      json::object schema = one_of("integer", "string");
      schema["format"] = "int-or-string";
      return schema;
    }
    case Form::Time:
    case Form::MicroTime:
      return typed("string", "date-time");
    case Form::Duration:
      return typed("string");
    default:  // Form::Raw
      return typed("object");
  }
}

// A message whose form is told by the fields that use it.
Form form_of(const Descriptor& message) {
  const std::string& name = message.full_name();
  if (name.ends_with("resource.Quantity")) return Form::Quantity;
  if (name.ends_with("intstr.IntOrString")) return Form::IntOrString;
  if (name.ends_with("meta.v1.MicroTime")) return Form::MicroTime;
  if (name.ends_with("meta.v1.Time")) return Form::Time;
  if (name.ends_with("meta.v1.Duration")) return Form::Duration;
  if (name.ends_with(".FieldsV1") || name.ends_with(".RawExtension")) return Form::Raw;
  return Form::Object;
}

json::object strings_schema() {
  return {{"type", "array"}, {"items", typed("string")}};
}

void describe(json::object& schema, const std::string& full_name) {
  const std::string_view comment = schema_comment(full_name);
  if (!comment.empty()) schema["description"] = comment;
}

void set_list_rules(const FieldSchema& field, json::object& schema) {
  switch (field.list_type) {
    case ListType::Atomic:
      schema["x-kubernetes-list-type"] = "atomic";
      break;
    case ListType::Set:
      schema["x-kubernetes-list-type"] = "set";
      break;
    case ListType::Map: {
      json::array keys;
      for (const std::string& key : field.list_keys) keys.emplace_back(key);
      schema["x-kubernetes-list-map-keys"] = std::move(keys);
      schema["x-kubernetes-list-type"] = "map";
      break;
    }
  }
}

void set_merge_rules(const FieldSchema& field, json::object& schema) {
  if (field.cardinality == Cardinality::List) set_list_rules(field, schema);
  if (field.cardinality == Cardinality::Map && field.atomic) {
    schema["x-kubernetes-map-type"] = "atomic";
  }
  // Where the field disagrees with its message.
  if (field.cardinality == Cardinality::Single && field.message &&
      field.atomic != field.message->atomic) {
    schema["x-kubernetes-map-type"] = field.atomic ? "atomic" : "granular";
  }
  if (!field.merge_key.empty()) schema["x-kubernetes-patch-merge-key"] = field.merge_key;
  std::string strategy = field.replace ? "replace" : field.merge ? "merge" : "";
  if (field.retain_keys) strategy += strategy.empty() ? "retainKeys" : ",retainKeys";
  if (!strategy.empty()) schema["x-kubernetes-patch-strategy"] = strategy;
}

// What a Go struct has when nothing is set.
json::value zero_of(const FieldSchema& field) {
  switch (field.form) {
    case Form::Int32:
    case Form::Int64:
      return 0;
    case Form::Bool:
      return false;
    case Form::String:
      return "";
    default:
      return json::object();
  }
}

}  // namespace

std::string openapi_name(const Descriptor& message) {
  constexpr std::string_view prefix = "k8s.io.";
  std::string_view name = message.full_name();
  if (!name.starts_with(prefix)) return std::string(name);
  return "io.k8s." + std::string(name.substr(prefix.size()));
}

json::object openapi_reference(OpenApi version, const Descriptor& message) {
  const std::string_view where =
      version == OpenApi::V2 ? "#/definitions/" : "#/components/schemas/";
  return {{"$ref", std::string(where) + openapi_name(message)}};
}

const Descriptor* find_message(std::string_view group, std::string_view version,
                               std::string_view kind) {
  // What subresources carry may be referred to by nobody else, and the linker would leave it out.
  static const std::array carried = {autoscaling::Scale::descriptor(), core::Binding::descriptor(),
                                     policy::Eviction::descriptor(),
                                     authentication::TokenRequest::descriptor()};
  (void)carried;
  // "rbac.authorization.k8s.io" is in k8s.io.api.rbac
  const std::string_view package = group.empty() ? "core" : group.substr(0, group.find('.'));
  return google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(
      fmt::format("k8s.io.api.{}.{}.{}", package, version, kind));
}

OpenApiSchemas::OpenApiSchemas(OpenApi version, Kinds kinds) : version_(version) {
  for (const Kind* kind : kinds) {
    know(kind->group, kind->version, kind->kind);
    know(kind->group, kind->version, fmt::format("{}List", kind->kind));
    for (const Subresource& subresource : kind->subresources) {
      if (!subresource.version.empty()) {
        know(subresource.group, subresource.version, subresource.kind);
      }
    }
    // DeleteOptions may be sent as of any group.
    auto& options = kinds_[openapi_name(*meta::DeleteOptions::descriptor())];
    const GroupVersionKind gvk{std::string(kind->group), std::string(kind->version),
                               "DeleteOptions"};
    if (options.empty() || options.back().group != gvk.group) options.push_back(gvk);
  }
  kinds_[openapi_name(*meta::Status::descriptor())] = {{"", "v1", "Status"}};
}

void OpenApiSchemas::know(std::string_view group, std::string_view version, std::string_view kind) {
  const Descriptor* message = find_message(group, version, kind);
  if (!message) return;
  auto& known = kinds_[openapi_name(*message)];
  if (known.empty()) known.push_back({std::string(group), std::string(version), std::string(kind)});
}

void OpenApiSchemas::add(const Descriptor& message) {
  if (!messages_.emplace(openapi_name(message), &message).second) return;
  if (form_of(message) != Form::Object) return;
  for (const NamedField& named : schema_of(message).named) {
    if (refers(*named.field)) add(message_of(*named.field));
  }
}

json::object OpenApiSchemas::write() const {
  json::object schemas;
  for (const auto& [name, message] : messages_) {
    const Form form = form_of(*message);
    json::object schema =
        form == Form::Object ? this->message(schema_of(*message)) : value_schema(form, version_);
    describe(schema, message->full_name());
    schemas[name] = std::move(schema);
  }
  return schemas;
}

json::object OpenApiSchemas::message(const MessageSchema& schema) const {
  json::object properties;
  json::array required;
  if (schema.has_type_meta) {
    properties["apiVersion"] = {{"type", "string"},
                                {"description", "Group and version of this form of the object."}};
    properties["kind"] = {{"type", "string"}, {"description", "What kind of object this is."}};
  }
  for (const NamedField& named : schema.named) {
    properties[named.field->name] = property(*named.field);
    if (named.field->required) required.emplace_back(named.field->name);
  }
  json::object json = typed("object");
  if (!properties.empty()) json["properties"] = std::move(properties);
  if (!required.empty()) json["required"] = std::move(required);
  if (schema.atomic) json["x-kubernetes-map-type"] = "atomic";
  set_kinds(schema, json);
  return json;
}

void OpenApiSchemas::set_kinds(const MessageSchema& schema, json::object& json) const {
  auto known = kinds_.find(openapi_name(*schema.descriptor));
  if (known == kinds_.end()) return;
  json::array list;
  for (const GroupVersionKind& gvk : known->second) {
    list.push_back(
        json::object{{"group", gvk.group}, {"kind", gvk.kind}, {"version", gvk.version}});
  }
  json["x-kubernetes-group-version-kind"] = std::move(list);
}

json::object OpenApiSchemas::property(const FieldSchema& field) const {
  json::object schema;
  switch (field.cardinality) {
    case Cardinality::Single:
      schema = value(field, !field.pointer);
      break;
    case Cardinality::List:
      schema = {{"type", "array"}, {"items", value(field, true)}};
      break;
    case Cardinality::Map:
      schema = {{"type", "object"}, {"additionalProperties", value(field, true)}};
      break;
  }
  describe(schema, field.field->full_name());
  set_merge_rules(field, schema);
  if (!field.default_value.empty()) {
    schema["default"] = json::parse(field.default_value);
  } else if (field.cardinality == Cardinality::Single && field.required && !field.pointer &&
             !refers(field) && field.form != Form::Bytes) {
    schema["default"] = zero_of(field);
  }
  return schema;
}

// of_struct: the value is a struct in Go, not a pointer to one, and so never absent.
json::object OpenApiSchemas::value(const FieldSchema& field, bool of_struct) const {
  switch (field.form) {
    case Form::String:
      return typed("string");
    case Form::Int32:
      return typed("integer", "int32");
    case Form::Int64:
      return typed("integer", "int64");
    case Form::Bool:
      return typed("boolean");
    case Form::Bytes:
      return typed("string", "byte");
    case Form::Strings:
      return strings_schema();
    default:
      break;
  }
  const json::object reference = openapi_reference(version_, message_of(field));
  if (version_ == OpenApi::V2) return reference;
  // What stands beside a $ref is not read in v3.
  json::object schema = {{"allOf", json::array{reference}}};
  if (of_struct && field.form == Form::Object) schema["default"] = json::object();
  return schema;
}

}  // namespace keelson
