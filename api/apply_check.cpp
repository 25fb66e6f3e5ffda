// What can be wrong with an applied configuration before it meets anything.
#include <unordered_set>

#include "api/apply_tree.h"
#include "api/go_text.h"
#include "api/schema.h"

namespace keelson {
namespace {

using Shape = TreeType::Shape;

// Errors of one request that are told; a person reads them.
constexpr std::size_t errors_max = 100;

class Checker {
 public:
  explicit Checker(TextPool& pool) : pool_(pool) {}
  void value(const TreeType& type, const json::value& tree, const std::string& path);
  std::vector<std::string> take() { return std::move(errors_); }

 private:
  void scalar(const TreeType& type, const json::value& tree, const std::string& path);
  void object(const TreeType& type, const json::object& object, const std::string& path);
  void list(const TreeType& type, const json::array& list, const std::string& path);
  void keyed_items(const TreeType& type, const json::array& list, const std::string& path);
  const char* why_no_element(const TreeType& type, const json::value& item) const;
  void wrong(const std::string& path, std::string what) {
    if (errors_.size() < errors_max) {
      errors_.push_back(path.empty() ? std::move(what) : path + ": " + what);
    }
  }

  TextPool& pool_;
  std::vector<std::string> errors_;
};

std::string_view go_type(const json::value& value) {
  switch (value.kind()) {
    case json::kind::string:
      return "string";
    case json::kind::bool_:
      return "bool";
    case json::kind::object:
      return "map[string]interface {}";
    case json::kind::array:
      return "[]interface {}";
    case json::kind::double_:
      return "float64";
    default:
      return "int64";
  }
}

std::string shown(const json::value& value) {
  return fmt::format("&value.valueUnstructured{{Value:{}}}", to_text(value));
}

void Checker::scalar(const TreeType& type, const json::value& tree, const std::string& path) {
  const Form form = type.field ? type.field->form : Form::String;
  switch (form) {
    case Form::String:
    case Form::Bytes:
    case Form::Duration:
      if (!tree.is_string()) wrong(path, "expected string, got " + shown(tree));
      return;
    case Form::Int32:
    case Form::Int64:
      if (!tree.is_number()) {
        wrong(path, fmt::format("expected numeric (int or float), got {}", go_type(tree)));
      }
      return;
    case Form::Bool:
      if (!tree.is_bool()) wrong(path, "expected boolean, got " + shown(tree));
      return;
    default:  // quantities, int-or-string, times
      if (tree.is_structured()) wrong(path, "expected any scalar, got " + shown(tree));
  }
}

void Checker::object(const TreeType& type, const json::object& object, const std::string& path) {
  for (const auto& [key, inner] : object) {
    const std::string_view name(key.data(), key.size());
    const std::string below = path + "." + std::string(name);
    if (type.has_child(name)) {
      value(type.child(name), inner, below);
    } else {
      wrong(below, "field not declared in schema");
    }
  }
}

// Null: it has one.
const char* Checker::why_no_element(const TreeType& type, const json::value& item) const {
  if (type.field->list_type == ListType::Set) {
    if (item.is_object()) return "associative list without keys has an element that's a map type";
    if (item.is_array()) return "not supported: associative list with lists as elements";
    if (item.is_null())
      return "associative list without keys has an element that's an explicit null";
    return nullptr;
  }
  if (item.is_null()) return "associative list with keys may not have a null element";
  return item.is_object() ? nullptr : "associative list with keys may not have non-map elements";
}

void Checker::keyed_items(const TreeType& type, const json::array& list, const std::string& path) {
  std::unordered_set<std::string_view> seen;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const json::value& item = list[i];
    if (const char* why = why_no_element(type, item)) {
      return wrong(path, fmt::format("element {}: {}", i, why));
    }
    for (const std::string& key : type.field->list_keys) {
      const bool has_default = !type.field->message->find(key)->default_value.empty();
      if (item.get_object().contains(key) || has_default) continue;
      return wrong(path, fmt::format("element {}: associative list with keys has an element that "
                                     "omits key field {} (and doesn't have default value)",
                                     i, go_quote(key)));
    }
    const FieldElement element = type.element_of(item, pool_);
    const std::string shown_element = path_text(element);
    if (!seen.insert(element.text).second) {
      wrong(path, "duplicate entries for key " + shown_element);
    }
    value(type.item(), item, path + shown_element);
  }
}

void Checker::list(const TreeType& type, const json::array& list, const std::string& path) {
  const bool is_strings = type.field->form == Form::Strings;
  if (!is_strings && type.field->list_type != ListType::Atomic) {
    return keyed_items(type, list, path);
  }
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string below = fmt::format("{}[{}]", path, i);
    if (is_strings) {
      if (!list[i].is_string()) wrong(below, "expected string, got " + shown(list[i]));
    } else {
      value(type.item(), list[i], below);
    }
  }
}

void Checker::value(const TreeType& type, const json::value& tree, const std::string& path) {
  if (tree.is_null() || type.shape == Shape::Any) return;
  if (type.shape == Shape::Scalar) return scalar(type, tree, path);
  if (type.shape == Shape::List) {
    if (const json::array* found = tree.if_array()) return list(type, *found, path);
    return wrong(path, "expected list, got " + shown(tree));
  }
  if (const json::object* found = tree.if_object()) return object(type, *found, path);
  wrong(path, "expected map, got " + shown(tree));
}

}  // namespace

std::vector<std::string> check_tree(const TreeType& type, const json::value& tree, TextPool& pool) {
  Checker checker(pool);
  checker.value(type, tree, "");
  return checker.take();
}

}  // namespace keelson
