// Paths by JSON names, walked by reflection.
#include "api/field_walk.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <cassert>
#include <optional>

#include "api/schema.h"

namespace keelson {

using google::protobuf::FieldDescriptor;

// One field below its parent; what ends here, and what goes on.
struct FieldWalk::Node {
  const FieldDescriptor* field;
  bool inlined;            // its name is not part of the path
  std::string key_prefix;  // of a map
  struct End {
    std::size_t path;
    std::string value;  // empty: any
  };
  std::vector<End> ends;
  std::vector<Node> children;
};

namespace {

struct Segment {
  std::string_view name;
  std::string_view key_prefix;  // of [prefix*]; [*] has none
};

Segment take_segment(std::string_view& path) {
  Segment segment;
  const auto dot = [&] {
    const auto open = path.find('[');
    const auto first_dot = path.find('.');
    if (open == std::string_view::npos || first_dot < open) return first_dot;
    return path.find('.', path.find(']'));
  }();
  std::string_view text = path.substr(0, dot);
  path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  const auto open = text.find('[');
  segment.name = text.substr(0, open);
  if (open != std::string_view::npos) {
    segment.key_prefix = text.substr(open + 1, text.size() - open - 3);  // without "*]"
  }
  return segment;
}

// A scalar as the tables write it.
std::string text_of(const Message& message, const FieldDescriptor& field) {
  const auto& reflection = *message.GetReflection();
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_BOOL) {
    return reflection.GetBool(message, &field) ? "true" : "false";
  }
  return reflection.GetString(message, &field);
}

}  // namespace

FieldWalk::FieldWalk(const google::protobuf::Descriptor& root) : root_(root) {}
FieldWalk::~FieldWalk() = default;
FieldWalk::FieldWalk(FieldWalk&&) noexcept = default;

void FieldWalk::add(std::string_view path, std::string_view value) {
  const google::protobuf::Descriptor* descriptor = &root_;
  std::vector<Node>* nodes = &nodes_;
  Node* node = nullptr;
  const auto step = [&](const FieldDescriptor& field, bool inlined, std::string_view key_prefix) {
    auto at = std::ranges::find_if(*nodes, [&](const Node& one) {
      return one.field == &field && one.key_prefix == key_prefix;
    });
    if (at == nodes->end()) {
      nodes->push_back({&field, inlined, std::string(key_prefix), {}, {}});
      at = nodes->end() - 1;
    }
    node = &*at;
    nodes = &node->children;
    descriptor = field.message_type();
  };
  while (!path.empty()) {
    const Segment segment = take_segment(path);
    const NamedField* named = schema_of(*descriptor).lookup(segment.name);
    assert(named);
    for (const FieldSchema* through : named->through) step(*through->field, true, {});
    step(*named->field->field, false, segment.key_prefix);
  }
  assert(node);
  node->ends.push_back({count_++, std::string(value)});
}

void FieldWalk::visit(const Message& message, const FieldPath& at, const Visit& found) const {
  for (const Node& node : nodes_) enter(node, message, at, found);
}

void FieldWalk::enter(const Node& node, const Message& message, const FieldPath& at,
                      const Visit& found) {
  const auto& reflection = *message.GetReflection();
  const FieldDescriptor& field = *node.field;
  if (!field.is_repeated()) {
    if (reflection.HasField(message, &field)) take(node, message, at, found);
    return;
  }
  const int size = reflection.FieldSize(message, &field);
  if (size == 0) return;
  const FieldPath path = at / field.name();
  if (field.is_map()) {
    const FieldDescriptor& key_field = *field.message_type()->map_key();
    for (int i = 0; i < size; ++i) {
      const Message& entry = reflection.GetRepeatedMessage(message, &field, i);
      const std::string key = entry.GetReflection()->GetString(entry, &key_field);
      if (!key.starts_with(node.key_prefix)) continue;
      for (const auto& end : node.ends) found(end.path, path.key(key));
    }
    return;
  }
  for (const auto& end : node.ends) found(end.path, path);
  for (int i = 0; i < size && !node.children.empty(); ++i) {
    const Message& item = reflection.GetRepeatedMessage(message, &field, i);
    for (const Node& child : node.children) {
      enter(child, item, path[static_cast<std::size_t>(i)], found);
    }
  }
}

void FieldWalk::take(const Node& node, const Message& message, const FieldPath& at,
                     const Visit& found) {
  const FieldDescriptor& field = *node.field;
  const FieldPath path = node.inlined ? at : at / field.name();
  for (const auto& end : node.ends) {
    if (end.value.empty() || text_of(message, field) == end.value) found(end.path, path);
  }
  if (node.children.empty()) return;
  const Message& below = message.GetReflection()->GetMessage(message, &field);
  for (const Node& child : node.children) enter(child, below, path, found);
}

}  // namespace keelson
