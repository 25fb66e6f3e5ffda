// Client-side apply's annotation, read and renewed.
#include "api/last_applied.h"

#include <algorithm>

#include "api/apply_tree.h"
#include "api/field_changes.h"
#include "api/go_text.h"
#include "api/kinds.h"
#include "api/proto/meta/v1/object_meta.pb.h"
#include "api/protobuf.h"
#include "api/schema.h"
#include "base/limits.h"

namespace keelson {
namespace {

constexpr const char* annotation = "kubectl.kubernetes.io/last-applied-configuration";

void append_sorted(std::string& out, const json::value& tree);

void append_sorted(std::string& out, const json::object& object) {
  std::vector<json::string_view> keys;
  for (const auto& [key, value] : object) keys.push_back(key);
  std::ranges::sort(keys);
  char before = '{';
  for (const json::string_view key : keys) {
    out += std::exchange(before, ',');
    append_json_string(out, {key.data(), key.size()});
    out += ':';
    append_sorted(out, object.at(key));
  }
  out += keys.empty() ? "{}" : "}";
}

// As Go writes it: the keys of a map sorted.
void append_sorted(std::string& out, const json::value& tree) {
  if (const json::object* object = tree.if_object()) return append_sorted(out, *object);
  const json::array* array = tree.if_array();
  if (!array) return append_json_text(out, tree);
  out += '[';
  for (std::size_t i = 0; i < array->size(); ++i) {
    if (i > 0) out += ',';
    append_sorted(out, (*array)[i]);
  }
  out += ']';
}

void forget_annotation(json::object& configuration) {
  json::value* value = configuration.if_contains("metadata");
  json::object* metadata = value ? value->if_object() : nullptr;
  value = metadata ? metadata->if_contains("annotations") : nullptr;
  if (value && value->is_object()) value->get_object().erase(annotation);
}

}  // namespace

json::value last_applied_of(const Kind& kind, const Message& object) {
  const auto& annotations = metadata_of(object).annotations();
  const auto at = annotations.find(annotation);
  if (at == annotations.end()) return nullptr;
  auto document = parse_json(at->second);
  if (!document || !document->tree.is_object()) return nullptr;
  const json::value* version = document->tree.get_object().if_contains("apiVersion");
  if (!version || *version != json::string(kind.api_version())) return nullptr;
  TextPool pool;
  const TreeType type = TreeType::root(schema_of(object));
  if (!check_tree(type, document->tree, pool).empty()) return nullptr;
  return std::move(document->tree);
}

FieldSet still_as_applied(const Kind& kind, const json::value& last_applied,
                          std::string_view object_bytes, TextPool& pool) {
  if (!last_applied.is_object()) return {};
  auto message = kind.make_message();
  std::vector<std::string> unknown;  // none: it has been checked
  if (!message_from_json(last_applied.get_object(), *message, unknown)) return {};
  const std::string_view bytes = pool.keep(ordered_bytes(*message));
  const FieldChanges since = changes_between(kind, bytes, object_bytes, "", pool);
  const TreeType type = TreeType::root(schema_of(*kind.prototype));
  const FieldSet applied = field_set_of(type, last_applied, pool);
  return subtract(subtract(applied, since.changed), since.removed);
}

void keep_as_last_applied(const json::object& configuration, Message& object) {
  auto& annotations = *mutable_metadata_of(object).mutable_annotations();
  const auto kept = annotations.find(annotation);
  if (kept == annotations.end() || kept->second.empty()) return;
  json::object applied = configuration;
  forget_annotation(applied);
  kept->second.clear();
  append_sorted(kept->second, applied);
  kept->second += '\n';
  std::size_t bytes = 0;
  for (const auto& [key, value] : annotations) bytes += key.size() + value.size();
  if (bytes > Limits{}.annotations_bytes) annotations.erase(annotation);
}

}  // namespace keelson
