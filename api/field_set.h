// A set of fields of an object: who owns what is told in such sets, and metadata.managedFields
// writes them as fieldsV1.
#pragma once

#include <cstdint>
#include <memory_resource>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"

namespace keelson {

// Keeps texts alive that elements of sets point to.
class TextPool {
 public:
  TextPool() : memory_(first_, sizeof(first_)) {}
  TextPool(const TextPool&) = delete;
  TextPool& operator=(const TextPool&) = delete;
  std::string_view keep(std::string_view text);

 private:
  char first_[2048];
  std::pmr::monotonic_buffer_resource memory_;
};

// One step of a path: a field or a map's key (f:image), a list's item by its keys
// (k:{"name":"web"}) or by its value (v:"x"), or by its index (i:0).
struct FieldElement {
  char type = 'f';
  std::string_view text;  // behind the colon, escaped as in a JSON string: k:{\"name\":\"web\"}
};
bool operator==(const FieldElement& a, const FieldElement& b);
// As upstream sorts them: fields, keys, values, indexes; numbers by value, texts by bytes.
int compare(const FieldElement& a, const FieldElement& b);

using ScalarValue = std::variant<std::string_view, std::int64_t, bool>;
FieldElement field_element(std::string_view name, TextPool& pool);
// The keys sorted by name.
FieldElement key_element(const std::vector<std::pair<std::string_view, ScalarValue>>& keys,
                         TextPool& pool);
FieldElement value_element(const ScalarValue& value, TextPool& pool);

std::string path_text(const FieldElement& element);  // for people: `.image`, `[name="web"]`

// The set does not own its texts: it must not outlive the schema's names, the pool, and the text it
// was parsed from.
class FieldSet {
 public:
  // A tree, flat: each node is followed by its children, which are sorted. A node that is no member
  // has children.
  struct Node {
    FieldElement element;
    std::uint32_t size = 1;  // of the subtree, with the node itself
    bool member = false;
  };

  bool empty() const { return nodes_.empty(); }
  const std::vector<Node>& nodes() const { return nodes_; }
  bool operator==(const FieldSet& other) const;

  // BadRequest: not fieldsV1. Elements of kinds that are not known are passed over.
  static Result<FieldSet> parse(std::string_view fields_v1, TextPool& pool);
  std::string to_fields_v1() const;
  // `.spec.containers[name="web"].image`, in upstream's order: members first, then what is below.
  std::vector<std::string> paths() const;

 private:
  friend class FieldSetBuilder;
  std::vector<Node> nodes_;
};

// Builds a set from the top down, siblings in order. What has neither children nor is a member
// leaves no trace.
class FieldSetBuilder {
 public:
  explicit FieldSetBuilder(std::size_t nodes_expected = 0) {
    set_.nodes_.reserve(nodes_expected);
    open_.reserve(16);
  }
  void open(const FieldElement& element);
  void mark() { set_.nodes_[open_.back()].member = true; }  // the open element is a member
  void close();
  void insert(const FieldElement& element) {  // a leaf
    set_.nodes_.push_back({.element = element, .member = true});
  }
  // A whole subtree of another set.
  void copy(const FieldSet::Node* subtree) {
    set_.nodes_.insert(set_.nodes_.end(), subtree, subtree + subtree->size);
  }
  FieldSet take() { return std::move(set_); }

 private:
  FieldSet set_;
  std::vector<std::size_t> open_;  // indexes of nodes
};

FieldSet unite(const FieldSet& a, const FieldSet& b);
FieldSet intersect(const FieldSet& a, const FieldSet& b);
FieldSet subtract(const FieldSet& a, const FieldSet& b);  // what a has and b has not
bool intersects(const FieldSet& a, const FieldSet& b);
bool includes(const FieldSet& a, const FieldSet& b);  // a has all that b has

}  // namespace keelson
