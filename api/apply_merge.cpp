// Putting a configuration into a live tree, and taking fields out of one.
#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "api/apply_tree.h"
#include "api/schema.h"

namespace keelson {
namespace {

using Shape = TreeType::Shape;

bool is_nothing(const json::value* value) {
  if (!value || value->is_null()) return true;
  if (const json::object* object = value->if_object()) return object->empty();
  const json::array* array = value->if_array();
  return array && array->empty();
}

class Merger {
 public:
  explicit Merger(TextPool& pool) : pool_(pool) {}
  // Either may be null (not there); nothing: neither leaves a value.
  std::optional<json::value> value(const TreeType& type, const json::value* live,
                                   const json::value* configuration);

 private:
  std::optional<json::value> object(const TreeType& type, const json::object* live,
                                    const json::object* configuration);
  std::optional<json::value> list(const TreeType& type, const json::array* live,
                                  const json::array* configuration);

  TextPool& pool_;
};

std::optional<json::value> Merger::value(const TreeType& type, const json::value* live,
                                         const json::value* configuration) {
  const bool is_leaf = type.atomic || type.shape == Shape::Any || type.shape == Shape::Scalar;
  if (is_leaf || (is_nothing(live) && is_nothing(configuration))) {
    return configuration ? *configuration : *live;
  }
  if (type.shape == Shape::List) {
    return list(type, live ? live->if_array() : nullptr,
                configuration ? configuration->if_array() : nullptr);
  }
  return object(type, live ? live->if_object() : nullptr,
                configuration ? configuration->if_object() : nullptr);
}

std::optional<json::value> Merger::object(const TreeType& type, const json::object* live,
                                          const json::object* configuration) {
  json::object merged;
  const auto put = [&](json::string_view key, const json::value* a, const json::value* b) {
    if (auto both = value(type.child({key.data(), key.size()}), a, b)) {
      merged.emplace(key, std::move(*both));
    }
  };
  if (live) {
    for (const auto& [key, inner] : *live) {
      put(key, &inner, configuration ? configuration->if_contains(key) : nullptr);
    }
  }
  if (configuration) {
    for (const auto& [key, inner] : *configuration) {
      if (!live || !live->contains(key)) put(key, nullptr, &inner);
    }
  }
  if (merged.empty()) return std::nullopt;
  return merged;
}

// A list with its items' elements, and where each is found.
struct Indexed {
  std::vector<std::string_view> elements;
  std::unordered_map<std::string_view, const json::value*> found;  // of several: null

  Indexed(const TreeType& type, const json::array* list, TextPool& pool) {
    if (!list) return;
    for (const json::value& item : *list) {
      const std::string_view text = type.element_of(item, pool).text;
      elements.push_back(text);
      const auto [at, is_new] = found.emplace(text, &item);
      if (!is_new) at->second = nullptr;
    }
  }
  bool has(std::string_view element) const { return found.contains(element); }
  const json::value* get(std::string_view element) const {
    const auto at = found.find(element);
    return at == found.end() ? nullptr : at->second;
  }
};

// The configuration's order counts; items of the live list alone keep their places between those
// of both. (The configuration has no two items of the same keys; a live list may.)
std::optional<json::value> Merger::list(const TreeType& type, const json::array* live,
                                        const json::array* configuration) {
  const Indexed ours(type, configuration, pool_), theirs(type, live, pool_);
  std::vector<std::string_view> shared;
  for (const std::string_view element : ours.elements) {
    if (theirs.has(element)) shared.push_back(element);
  }
  json::array merged;
  std::unordered_set<std::string_view> done;
  const auto put = [&](const json::value* a, const json::value* b) {
    if (auto both = value(type.item(), a, b)) merged.push_back(std::move(*both));
  };
  std::size_t l = 0, r = 0, next_shared = 0;
  const auto take_ours = [&] {
    const std::string_view element = ours.elements[r++];
    done.insert(element);
    put(theirs.get(element), ours.get(element));
    if (next_shared < shared.size() && shared[next_shared] == element) ++next_shared;
  };
  while (l < theirs.elements.size() || r < ours.elements.size()) {
    if (l < theirs.elements.size() && r < ours.elements.size()) {
      if (theirs.elements[l] == ours.elements[r]) {
        ++l;
        take_ours();
        continue;
      }
      const std::string_view element = theirs.elements[l];
      const bool in_turn = next_shared < shared.size() && shared[next_shared] == element;
      if (ours.has(element) && next_shared < shared.size() && !in_turn) {
        ++l;  // shared, and it comes later
        continue;
      }
    }
    if (l < theirs.elements.size()) {
      const std::string_view element = theirs.elements[l];
      if (!ours.has(element)) {
        put(&(*live)[l++], nullptr);
        continue;
      }
      if (done.contains(element)) ++l;
    }
    if (r < ours.elements.size()) take_ours();
  }
  if (merged.empty()) return std::nullopt;
  return merged;
}

// ---- taking away

using Node = FieldSet::Node;

// The children of a node by their elements.
class Children {
 public:
  Children(const Node* begin, const Node* end) {
    for (const Node* node = begin; node != end; node += node->size) {
      found_.emplace(key(node->element), node);
    }
  }
  const Node* find(const FieldElement& element) const {
    const auto at = found_.find(key(element));
    return at == found_.end() ? nullptr : at->second;
  }

 private:
  // An element's text with its type told by the first character: names have no quote or bracket
  // there.
  static std::string key(const FieldElement& element) {
    return element.type + std::string(element.text);
  }
  std::unordered_map<std::string, const Node*> found_;
};

json::value remove(const TreeType& type, const json::value& tree, const Children& gone,
                   TextPool& pool);

// Null: all of it goes.
std::optional<json::value> left_of(const TreeType& type, const json::value& tree, const Node* node,
                                   TextPool& pool) {
  if (!node) return tree;
  if (node->member) return std::nullopt;
  return remove(type, tree, Children(node + 1, node + node->size), pool);
}

json::value remove(const TreeType& type, const json::value& tree, const Children& gone,
                   TextPool& pool) {
  if (type.atomic || type.shape == Shape::Any || type.shape == Shape::Scalar) return tree;
  if (const json::object* object = tree.if_object()) {
    json::object left;
    for (const auto& [key, inner] : *object) {
      const std::string_view name(key.data(), key.size());
      const Node* node = gone.find(field_element(name, pool));
      if (auto rest = left_of(type.child(name), inner, node, pool)) {
        left.emplace(key, std::move(*rest));
      }
    }
    if (left.empty()) return nullptr;
    return left;
  }
  if (const json::array* list = tree.if_array()) {
    json::array left;
    for (const json::value& item : *list) {
      const Node* node = gone.find(type.element_of(item, pool));
      if (auto rest = left_of(type.item(), item, node, pool)) left.push_back(std::move(*rest));
    }
    if (left.empty()) return nullptr;
    return left;
  }
  return tree;
}

}  // namespace

json::value merge_trees(const TreeType& type, const json::value& live,
                        const json::value& configuration, TextPool& pool) {
  return Merger(pool).value(type, &live, &configuration).value_or(json::object());
}

json::value remove_fields(const TreeType& type, const json::value& tree, const FieldSet& fields,
                          TextPool& pool) {
  const Node* begin = fields.nodes().data();
  return remove(type, tree, Children(begin, begin + fields.nodes().size()), pool);
}

}  // namespace keelson
