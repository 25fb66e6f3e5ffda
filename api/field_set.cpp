// Sets as sorted flat trees: every operation is one walk over two of them.
#include "api/field_set.h"

#include <algorithm>
#include <cstring>
#include <span>

namespace keelson {
namespace {

using Node = FieldSet::Node;
using Siblings = std::span<const Node>;

const Node* end_of(Siblings nodes) {
  return nodes.data() + nodes.size();
}

Siblings children(const Node* node) {
  return {node + 1, node->size - 1};
}

// What becomes of a node that is in a alone, in b alone, and of members of both.
struct Operation {
  bool keep_a, keep_b;
  bool (*member)(bool in_a, bool in_b);
};

void combine(Siblings a, Siblings b, const Operation& operation, FieldSetBuilder& out) {
  const Node* left = a.data();
  const Node* right = b.data();
  while (left != end_of(a) || right != end_of(b)) {
    const int order = right == end_of(b)  ? -1
                      : left == end_of(a) ? 1
                                          : compare(left->element, right->element);
    if (order < 0) {
      if (operation.keep_a) out.copy(left);
      left += left->size;
    } else if (order > 0) {
      if (operation.keep_b) out.copy(right);
      right += right->size;
    } else {
      out.open(left->element);
      if (operation.member(left->member, right->member)) out.mark();
      combine(children(left), children(right), operation, out);
      out.close();
      left += left->size;
      right += right->size;
    }
  }
}

FieldSet combine(const FieldSet& a, const FieldSet& b, const Operation& operation) {
  FieldSetBuilder out(a.nodes().size() + (operation.keep_b ? b.nodes().size() : 0));
  combine(a.nodes(), b.nodes(), operation, out);
  return out.take();
}

bool intersects(Siblings a, Siblings b) {
  const Node* left = a.data();
  const Node* right = b.data();
  while (left != end_of(a) && right != end_of(b)) {
    const int order = compare(left->element, right->element);
    if (order == 0 &&
        ((left->member && right->member) || intersects(children(left), children(right)))) {
      return true;
    }
    if (order <= 0) left += left->size;
    if (order >= 0) right += right->size;
  }
  return false;
}

bool includes(Siblings a, Siblings b) {
  const Node* left = a.data();
  for (const Node* right = b.data(); right != end_of(b); right += right->size) {
    while (left != end_of(a) && compare(left->element, right->element) < 0) left += left->size;
    if (left == end_of(a) || left->element != right->element) return false;
    if (right->member && !left->member) return false;
    if (!includes(children(left), children(right))) return false;
  }
  return true;
}

}  // namespace

std::string_view TextPool::keep(std::string_view text) {
  if (text.empty()) return {};
  char* kept = static_cast<char*>(memory_.allocate(text.size(), 1));
  std::memcpy(kept, text.data(), text.size());
  return {kept, text.size()};
}

bool FieldSet::operator==(const FieldSet& other) const {
  return std::ranges::equal(nodes_, other.nodes_, [](const Node& a, const Node& b) {
    return a.size == b.size && a.member == b.member && a.element == b.element;
  });
}

void FieldSetBuilder::open(const FieldElement& element) {
  open_.push_back(set_.nodes_.size());
  set_.nodes_.push_back({.element = element});
}

void FieldSetBuilder::close() {
  Node& node = set_.nodes_[open_.back()];
  node.size = static_cast<std::uint32_t>(set_.nodes_.size() - open_.back());
  if (node.size == 1 && !node.member) set_.nodes_.pop_back();
  open_.pop_back();
}

FieldSet unite(const FieldSet& a, const FieldSet& b) {
  return combine(a, b, {true, true, [](bool in_a, bool in_b) { return in_a || in_b; }});
}

FieldSet intersect(const FieldSet& a, const FieldSet& b) {
  return combine(a, b, {false, false, [](bool in_a, bool in_b) { return in_a && in_b; }});
}

FieldSet subtract(const FieldSet& a, const FieldSet& b) {
  return combine(a, b, {true, false, [](bool in_a, bool in_b) { return in_a && !in_b; }});
}

bool intersects(const FieldSet& a, const FieldSet& b) {
  return intersects(Siblings(a.nodes()), Siblings(b.nodes()));
}

bool includes(const FieldSet& a, const FieldSet& b) {
  return includes(Siblings(a.nodes()), Siblings(b.nodes()));
}

}  // namespace keelson
