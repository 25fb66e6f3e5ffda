// The registry's steps, in its order.
#include "tests/api/manifest.h"

#include <map>

#include "api/json.h"
#include "api/names.h"
#include "api/proto/meta/v1/object_meta.pb.h"

#include <CppUTest/TestHarness.h>

namespace keelson {
namespace {

void take(const FieldErrors& errors, Manifest& manifest) {
  for (const Cause& cause : errors.causes()) {
    manifest.findings.push_back(cause.field + ": " + cause.message);
    manifest.reasons.push_back(cause.reason);
  }
}

void append_yaml(std::string& out, const json::value& value, std::size_t indent);

bool is_nested(const json::value& value) {
  return (value.is_object() && !value.get_object().empty()) ||
         (value.is_array() && !value.get_array().empty());
}

void append_object(std::string& out, const json::object& object, std::size_t indent) {
  std::map<std::string_view, const json::value*> sorted_fields;
  for (const auto& [key, value] : object) sorted_fields[key] = &value;
  for (const auto& [key, value] : sorted_fields) {
    out += std::string(indent, ' ') + std::string(key) + ":";
    if (is_nested(*value)) {
      out += "\n";
      append_yaml(out, *value, value->is_array() ? indent : indent + 2);
    } else {
      out += " " + to_text(*value) + "\n";
    }
  }
}

void append_yaml(std::string& out, const json::value& value, std::size_t indent) {
  if (const auto* object = value.if_object()) return append_object(out, *object, indent);
  for (const auto& item : value.get_array()) {
    std::string text = std::string(indent + 2, ' ') + to_text(item) + "\n";
    if (is_nested(item)) {
      text.clear();
      append_yaml(text, item, indent + 2);
    }
    text[indent] = '-';
    out += text;
  }
}

}  // namespace

std::string Manifest::yaml() const {
  std::string text;
  append_yaml(text, object_to_json(*kind, *message), 0);
  return text;
}

Manifest read_manifest(std::string_view yaml) {
  const std::string text(yaml);
  auto document = parse_yaml(text);
  CHECK_TEXT(document.has_value(),
             document ? "" : (document.error().message + "\n" + text).c_str());
  const json::object& tree = document->tree.as_object();
  Manifest manifest;
  manifest.kind = find_kind(tree.at("apiVersion").as_string(), tree.at("kind").as_string());
  CHECK_TEXT(manifest.kind != nullptr, text.c_str());
  manifest.message = manifest.kind->make_message();
  std::vector<std::string> unknown;
  auto filled = message_from_json(tree, *manifest.message, unknown);
  CHECK_TEXT(filled.has_value(), filled ? "" : (filled.error().message + "\n" + text).c_str());
  CHECK_TEXT(unknown.empty(), (lines(unknown) + text).c_str());
  return manifest;
}

Manifest create(std::string_view yaml) {
  Manifest manifest = read_manifest(yaml);
  const Kind& kind = *manifest.kind;
  Message& message = *manifest.message;
  meta::ObjectMeta& metadata = mutable_metadata_of(message);
  if (kind.namespaced() && metadata.namespace_().empty()) metadata.set_namespace_("default");
  if (kind.set_defaults) kind.set_defaults(message);
  if (kind.prepare_create) kind.prepare_create(message);
  FieldErrors errors;
  check_metadata(kind, metadata, errors);
  if (kind.validate) kind.validate(message, errors);
  take(errors, manifest);
  if (kind.warn) kind.warn(message, manifest.warnings);
  return manifest;
}

Manifest update(const Message& before, std::string_view yaml) {
  Manifest manifest = read_manifest(yaml);
  const Kind& kind = *manifest.kind;
  Message& after = *manifest.message;
  meta::ObjectMeta& metadata = mutable_metadata_of(after);
  if (metadata.namespace_().empty()) metadata.set_namespace_(metadata_of(before).namespace_());
  if (kind.set_defaults) kind.set_defaults(after);
  if (kind.prepare_update) kind.prepare_update(before, after);
  FieldErrors errors;
  check_metadata_update(metadata_of(before), metadata, errors);
  if (kind.validate) kind.validate(after, errors);
  if (kind.validate_update) kind.validate_update(before, after, errors);
  take(errors, manifest);
  return manifest;
}

Manifest update_status(const Message& before, std::string_view yaml) {
  Manifest manifest = read_manifest(yaml);
  const Kind& kind = *manifest.kind;
  Message& after = *manifest.message;
  if (kind.set_defaults) kind.set_defaults(after);
  if (kind.prepare_status_update) kind.prepare_status_update(before, after);
  FieldErrors errors;
  if (kind.validate_status_update) kind.validate_status_update(before, after, errors);
  take(errors, manifest);
  return manifest;
}

std::string pod_with(std::string_view spec) {
  std::string text = R"(
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers: [{name: web, image: "web:1"}]
)";
  return text + "  " + std::string(spec) + "\n";
}

std::string pod_with_container(std::string_view container) {
  std::string text = R"(
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  volumes: [{name: data, emptyDir: {}}]
  containers:
  - name: web
    image: web:1
)";
  return text + "    " + std::string(container) + "\n";
}

std::string lines(const std::vector<std::string>& texts) {
  std::string all;
  for (const auto& text : texts) all += text + "\n";
  return all;
}

}  // namespace keelson
