// Lists whose items have an identity, as strategic merge sees them: the value of a merge key, or
// the item itself.
#pragma once

#include <algorithm>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "api/json.h"

namespace keelson {

// What identifies an item: the value under the key; if the key is empty, the item. Null: an item
// without identity.
const json::value* identity(const json::value& item, std::string_view key);

std::unexpected<Error> no_merge_key(const json::object& item, std::string_view key);

// Every item has an identity, and none is a list.
Result<> check_items(std::initializer_list<const json::array*> lists, std::string_view key);

// Finds items by their identity; of several the first. The key must live as long.
class ListIndex {
 public:
  ListIndex(const json::array& list, std::string_view key);
  std::optional<std::size_t> find(const json::value& item) const;
  bool contains(const json::value& item) const { return find(item).has_value(); }
  bool add(const json::value& item, std::size_t at);  // false: it is there already

 private:
  std::string_view key_;
  std::unordered_map<std::string, std::size_t> places_;  // by the identity's text
};

// The items that `order` names, in its order; between them the others, in the order they had in
// `before`, each in front of the first named one that it stood in front of there.
json::array put_in_order(json::array items, const json::array& order, const json::array& before,
                         std::string_view key);

template <typename Predicate>
void drop_if(json::array& list, Predicate predicate) {
  list.erase(std::remove_if(list.begin(), list.end(), predicate), list.end());
}

}  // namespace keelson
