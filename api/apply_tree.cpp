// Types of the values in a tree, and the sets of fields they have.
#include "api/apply_tree.h"

#include <algorithm>
#include <unordered_set>

#include "api/schema.h"

namespace keelson {
namespace {

using Shape = TreeType::Shape;

ScalarValue scalar_of(const json::value* value) {
  if (!value) return std::string_view();
  if (const auto* number = value->if_int64()) return *number;
  if (const auto* flag = value->if_bool()) return *flag;
  const json::string* text = value->if_string();
  return text ? std::string_view(text->data(), text->size()) : std::string_view();
}

// Of a key that an item lacks.
ScalarValue default_of(const FieldSchema& field) {
  if (field.form == Form::Int32 || field.form == Form::Int64) return std::int64_t{0};
  const std::string_view text = field.default_value;
  return text.size() < 2 ? std::string_view() : text.substr(1, text.size() - 2);
}

class SetWalk {
 public:
  explicit SetWalk(TextPool& pool) : pool_(pool) {}
  void children(const TreeType& type, const json::value& tree);
  FieldSet take() { return out_.take(); }

 private:
  void value(const TreeType& type, const json::value& tree);
  void object(const TreeType& type, const json::object& object);
  void list(const TreeType& type, const json::array& list);

  TextPool& pool_;
  FieldSetBuilder out_;
};

void SetWalk::value(const TreeType& type, const json::value& tree) {
  const bool is_leaf = type.atomic || type.shape == Shape::Any || type.shape == Shape::Scalar;
  const bool is_nothing = tree.is_null() || (tree.is_object() && tree.get_object().empty());
  if (is_leaf || is_nothing) {
    out_.mark();
  } else {
    children(type, tree);
  }
}

void SetWalk::children(const TreeType& type, const json::value& tree) {
  if (const json::object* found = tree.if_object()) object(type, *found);
  if (const json::array* found = tree.if_array()) list(type, *found);
}

struct Child {
  FieldElement element;
  TreeType type;
  const json::value* value;
  bool is_named;  // a struct's field, not an entry or an item
};

void sort(std::vector<Child>& children) {
  std::ranges::stable_sort(
      children, [](const Child& a, const Child& b) { return compare(a.element, b.element) < 0; });
}

void SetWalk::object(const TreeType& type, const json::object& object) {
  std::vector<Child> children;
  for (const auto& [key, inner] : object) {
    const std::string_view name(key.data(), key.size());
    children.push_back({field_element(name, pool_), type.child(name), &inner, type.declares(name)});
  }
  sort(children);
  for (const Child& child : children) {
    out_.open(child.element);
    value(child.type, *child.value);
    if (!child.is_named) out_.mark();
    out_.close();
  }
}

void SetWalk::list(const TreeType& type, const json::array& list) {
  std::vector<Child> children;
  for (const json::value& item : list) {
    children.push_back({type.element_of(item, pool_), type.item(), &item, false});
  }
  sort(children);
  for (auto child = children.begin(); child != children.end();) {
    const auto end = std::find_if(child, children.end(), [&](const Child& other) {
      return !(other.element == child->element);
    });
    out_.open(child->element);
    if (end - child == 1) value(child->type, *child->value);
    out_.mark();
    out_.close();
    child = end;
  }
}

void add_named_fields(const TreeType& type, const FieldSet::Node* begin, const FieldSet::Node* end,
                      FieldSetBuilder& out) {
  for (const FieldSet::Node* node = begin; node != end; node += node->size) {
    out.open(node->element);
    const bool is_named = node->element.type == 'f' && type.declares(node->element.text);
    if (node->member || is_named) out.mark();
    add_named_fields(type.below(node->element), node + 1, node + node->size, out);
    out.close();
  }
}

}  // namespace

TreeType TreeType::root(const MessageSchema& message) {
  return {.shape = Shape::Struct, .message = &message};
}

TreeType TreeType::of(const FieldSchema& field) {
  TreeType type{.atomic = field.atomic, .field = &field};
  if (field.cardinality == Cardinality::Map) {
    type.shape = Shape::Map;
  } else if (field.cardinality == Cardinality::List) {
    type.shape = Shape::List;
  } else if (field.form == Form::Strings) {
    type.shape = Shape::List;
    type.atomic = true;
  } else if (field.form == Form::Object) {
    type.shape = Shape::Struct;
    type.message = field.message;
  } else {
    type.shape = field.form == Form::Raw ? Shape::Any : Shape::Scalar;
  }
  return type;
}

TreeType TreeType::item() const {
  if (!field || field->form == Form::Raw || (shape == Shape::Map && field->form == Form::Strings)) {
    return {};
  }
  if (field->form != Form::Object) return {.shape = Shape::Scalar, .field = field};
  return {.shape = Shape::Struct,
          .atomic = field->message->atomic,
          .message = field->message,
          .field = field};
}

bool TreeType::declares(std::string_view name) const {
  if (shape != Shape::Struct) return false;
  if (message->has_type_meta && (name == "apiVersion" || name == "kind")) return true;
  return message->find(name) != nullptr;
}

bool TreeType::has_child(std::string_view name) const {
  return shape == Shape::Map || shape == Shape::Any || declares(name);
}

TreeType TreeType::child(std::string_view name) const {
  if (shape == Shape::Map) return item();
  const FieldSchema* found = shape == Shape::Struct ? message->find(name) : nullptr;
  if (found) return of(*found);
  if (declares(name)) return {.shape = Shape::Scalar};  // apiVersion, kind
  return {};
}

TreeType TreeType::below(const FieldElement& element) const {
  if (element.type == 'f') return child(element.text);
  return shape == Shape::List ? item() : TreeType{};
}

FieldElement TreeType::element_of(const json::value& item, TextPool& pool) const {
  if (field->list_type == ListType::Set) return value_element(scalar_of(&item), pool);
  const json::object* object = item.if_object();
  std::vector<std::pair<std::string_view, ScalarValue>> keys;
  for (const std::string& name : field->list_keys) {
    const json::value* value = object ? object->if_contains(name) : nullptr;
    keys.emplace_back(name, value ? scalar_of(value) : default_of(*field->message->find(name)));
  }
  std::ranges::sort(keys, {}, [](const auto& key) { return key.first; });
  return key_element(keys, pool);
}

FieldSet field_set_of(const TreeType& type, const json::value& tree, TextPool& pool) {
  SetWalk walk(pool);
  walk.children(type, tree);
  return walk.take();
}

FieldSet with_named_fields(const TreeType& type, const FieldSet& set) {
  FieldSetBuilder out(set.nodes().size());
  const auto* begin = set.nodes().data();
  add_named_fields(type, begin, begin + set.nodes().size(), out);
  return out.take();
}

}  // namespace keelson
