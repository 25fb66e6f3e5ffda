// Finding and ordering the items of a merged list. Texts in a table, for a patch may bring 100,000
// items.
#include "api/merge_list.h"

#include "api/patch.h"

namespace keelson {
namespace {

using Ranked = std::vector<std::pair<std::size_t, json::value>>;

// Items that are not in the index stand first.
Ranked ranked_by(const ListIndex& index, json::array items) {
  Ranked ranked;
  ranked.reserve(items.size());
  for (json::value& item : items) {
    const std::size_t rank = index.find(item).value_or(0);
    ranked.emplace_back(rank, std::move(item));
  }
  std::ranges::stable_sort(ranked, {}, [](const auto& item) { return item.first; });
  return ranked;
}

}  // namespace

const json::value* identity(const json::value& item, std::string_view key) {
  if (key.empty()) return &item;
  const json::object* object = item.if_object();
  return object ? object->if_contains(key) : nullptr;
}

std::unexpected<Error> no_merge_key(const json::object& item, std::string_view key) {
  return fail(Reason::Unknown, "map: {} does not contain declared merge key: {}",
              go_value_text(item), key);
}

Result<> check_items(std::initializer_list<const json::array*> lists, std::string_view key) {
  for (const json::array* list : lists) {
    for (const json::value& item : *list) {
      if (item.is_array()) return fail(Reason::Invalid, "lists of lists are not supported");
      if (item.is_object() == key.empty()) {
        return fail(Reason::Unknown, "list element types are not identical: {}",
                    go_value_text(*list));
      }
      if (!identity(item, key)) return no_merge_key(item.get_object(), key);
    }
  }
  return {};
}

ListIndex::ListIndex(const json::array& list, std::string_view key) : key_(key) {
  for (std::size_t i = 0; i < list.size(); ++i) add(list[i], i);
}

std::optional<std::size_t> ListIndex::find(const json::value& item) const {
  const json::value* its = identity(item, key_);
  const auto found = its ? places_.find(to_text(*its)) : places_.end();
  if (found == places_.end()) return std::nullopt;
  return found->second;
}

bool ListIndex::add(const json::value& item, std::size_t at) {
  const json::value* its = identity(item, key_);
  return its && places_.emplace(to_text(*its), at).second;
}

json::array put_in_order(json::array items, const json::array& order, const json::array& before,
                         std::string_view key) {
  const ListIndex named_index(order, key), before_index(before, key);
  json::array named_items, other_items, result;
  for (json::value& item : items) {
    (named_index.contains(item) ? named_items : other_items).push_back(std::move(item));
  }
  Ranked named = ranked_by(named_index, std::move(named_items));
  Ranked others = ranked_by(before_index, std::move(other_items));
  auto other = others.begin();
  for (auto& [rank, item] : named) {
    const auto stood = before_index.find(item);
    for (; other != others.end() && stood && other->first < *stood; ++other) {
      result.push_back(std::move(other->second));
    }
    result.push_back(std::move(item));
  }
  for (; other != others.end(); ++other) result.push_back(std::move(other->second));
  return result;
}

}  // namespace keelson
