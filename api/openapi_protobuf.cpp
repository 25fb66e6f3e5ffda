// OpenAPI v2, tree to gnostic's messages.
#include "api/openapi_protobuf.h"

#include <boost/json/array.hpp>

#include "api/json.h"
#include "api/proto/openapi/v2.pb.h"

namespace keelson {
namespace {

namespace v2 = openapi::v2;

std::string text_of(const json::value& value) {
  return std::string(value.as_string());
}

// JSON is YAML.
void add_extensions(const json::object& json, auto& message) {
  for (const auto& [key, value] : json) {
    if (!key.starts_with("x-")) continue;
    auto& extension = *message.add_vendor_extension();
    extension.set_name(std::string(key));
    extension.mutable_value()->set_yaml(to_text(value));
  }
}

void fill(const json::object& json, v2::Schema& schema);

void fill_properties(const json::object& json, auto& properties) {
  for (const auto& [name, value] : json) {
    auto& property = *properties.add_additional_properties();
    property.set_name(std::string(name));
    fill(value.as_object(), *property.mutable_value());
  }
}

void fill(const json::object& json, v2::Schema& schema) {
  for (const auto& [key, value] : json) {
    if (key == "$ref") schema.set_ref(text_of(value));
    if (key == "format") schema.set_format(text_of(value));
    if (key == "description") schema.set_description(text_of(value));
    if (key == "default") schema.mutable_default_()->set_yaml(to_text(value));
    if (key == "type") schema.mutable_type()->add_value(text_of(value));
    if (key == "items") fill(value.as_object(), *schema.mutable_items()->add_schema());
    if (key == "properties") fill_properties(value.as_object(), *schema.mutable_properties());
    if (key == "additionalProperties") {
      fill(value.as_object(), *schema.mutable_additional_properties()->mutable_schema());
    }
    if (key != "required") continue;
    for (const json::value& name : value.as_array()) schema.add_required(text_of(name));
  }
  add_extensions(json, schema);
}

void fill_named(const json::object& json, auto& parameter) {
  parameter.set_in(text_of(json.at("in")));
  parameter.set_name(text_of(json.at("name")));
}

void fill_parameters(const json::array& list, auto& message) {
  for (const json::value& one : list) {
    const json::object& json = one.as_object();
    v2::Parameter& parameter = *message.add_parameters()->mutable_parameter();
    const std::string in = text_of(json.at("in"));
    if (in == "body") {
      auto& body = *parameter.mutable_body_parameter();
      fill_named(json, body);
      if (json.contains("required")) body.set_required(true);
      fill(json.at("schema").as_object(), *body.mutable_schema());
    } else if (in == "path") {
      auto& path = *parameter.mutable_non_body_parameter()->mutable_path_parameter_sub_schema();
      fill_named(json, path);
      path.set_required(true);
      path.set_type(text_of(json.at("type")));
    } else {
      auto& query = *parameter.mutable_non_body_parameter()->mutable_query_parameter_sub_schema();
      fill_named(json, query);
      query.set_type(text_of(json.at("type")));
    }
  }
}

void fill(const json::object& json, v2::Operation& operation) {
  operation.set_operation_id(text_of(json.at("operationId")));
  for (const json::value& type : json.at("produces").as_array()) {
    operation.add_produces(text_of(type));
  }
  if (json.contains("consumes")) {
    for (const json::value& type : json.at("consumes").as_array()) {
      operation.add_consumes(text_of(type));
    }
  }
  fill_parameters(json.at("parameters").as_array(), operation);
  add_extensions(json, operation);
}

void fill(const json::object& json, v2::PathItem& item) {
  for (const auto& [key, value] : json) {
    if (key == "get") fill(value.as_object(), *item.mutable_get());
    if (key == "put") fill(value.as_object(), *item.mutable_put());
    if (key == "post") fill(value.as_object(), *item.mutable_post());
    if (key == "patch") fill(value.as_object(), *item.mutable_patch());
    if (key == "delete") fill(value.as_object(), *item.mutable_delete_());
    if (key == "parameters") fill_parameters(value.as_array(), item);
  }
}

}  // namespace

std::string openapi_v2_to_protobuf(const json::object& json) {
  v2::Document document;
  document.set_swagger(text_of(json.at("swagger")));
  document.mutable_info()->set_title(text_of(json.at("info").at("title")));
  document.mutable_info()->set_version(text_of(json.at("info").at("version")));
  for (const auto& [path, item] : json.at("paths").as_object()) {
    auto& named = *document.mutable_paths()->add_path();
    named.set_name(std::string(path));
    fill(item.as_object(), *named.mutable_value());
  }
  fill_properties(json.at("definitions").as_object(), *document.mutable_definitions());
  return document.SerializeAsString();
}

}  // namespace keelson
