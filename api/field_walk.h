// Finds which of many field paths a message sets, in one walk: the paths are a tree, and only what
// is set is entered.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/field_errors.h"
#include "api/types.h"

namespace keelson {

class FieldWalk {
 public:
  explicit FieldWalk(const google::protobuf::Descriptor& root);
  ~FieldWalk();
  FieldWalk(FieldWalk&&) noexcept;

  // Paths are numbered as they are added. They are written in code: one that is not of the schema
  // is a broken invariant.
  void add(std::string_view path, std::string_view value = {});

  using Visit = std::function<void(std::size_t path, const FieldPath& at)>;
  void visit(const Message& message, const FieldPath& at, const Visit& found) const;

 private:
  struct Node;
  static void enter(const Node& node, const Message& message, const FieldPath& at,
                    const Visit& found);
  static void take(const Node& node, const Message& message, const FieldPath& at,
                   const Visit& found);

  const google::protobuf::Descriptor& root_;
  std::vector<Node> nodes_;
  std::size_t count_ = 0;
};

}  // namespace keelson
