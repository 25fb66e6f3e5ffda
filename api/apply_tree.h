// JSON trees as apply sees them: which fields they have, how two become one, and what is left when
// fields are taken away. By the schema, and as upstream's structured-merge-diff does it.
#pragma once

#include <string>
#include <vector>

#include "api/field_set.h"
#include "api/json.h"

namespace keelson {

struct FieldSchema;

// What a value in a tree is, by the schema.
struct TreeType {
  enum class Shape { Any, Scalar, Struct, Map, List };
  Shape shape = Shape::Any;
  bool atomic = false;                     // one value, whatever is inside
  const MessageSchema* message = nullptr;  // of a struct
  const FieldSchema* field = nullptr;      // of all but a root: whose value, item or entry it is

  static TreeType root(const MessageSchema& message);
  static TreeType of(const FieldSchema& field);
  TreeType item() const;                              // of a list or map
  bool declares(std::string_view name) const;         // a struct's field
  bool has_child(std::string_view name) const;        // a struct's field or a map's entry
  TreeType child(std::string_view name) const;        // Any if it has none
  TreeType below(const FieldElement& element) const;  // child or item
  FieldElement element_of(const json::value& item, TextPool& pool) const;  // of this list
};

// All that is wrong with a configuration, as upstream says it: `.spec.foo: field not declared in
// schema`.
std::vector<std::string> check_tree(const TreeType& type, const json::value& tree, TextPool& pool);

// Of a tree that is right (but for items of the same keys, which count as one value). The set
// points to the tree's keys.
FieldSet field_set_of(const TreeType& type, const json::value& tree, TextPool& pool);
FieldSet field_set_of(const TreeType& type, json::value&& tree, TextPool& pool) = delete;

// The tree that is live with what a configuration says put into it.
json::value merge_trees(const TreeType& type, const json::value& live,
                        const json::value& configuration, TextPool& pool);

// What loses all it has becomes null.
json::value remove_fields(const TreeType& type, const json::value& tree, const FieldSet& fields,
                          TextPool& pool);

// The set with those fields of structs added that have members below.
FieldSet with_named_fields(const TreeType& type, const FieldSet& set);

}  // namespace keelson
