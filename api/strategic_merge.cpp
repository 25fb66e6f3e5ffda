// Strategic merge patch: a merge patch that knows from the schema which lists are merged, and by
// what key, and that obeys directives ($patch, $retainKeys, $setElementOrder,
// $deleteFromPrimitiveList). API-BEHAVIOUR §5 and §15.
#include <fmt/format.h>

#include <algorithm>

#include "api/kinds.h"
#include "api/merge_list.h"
#include "api/patch.h"
#include "api/schema.h"

namespace keelson {
namespace {

constexpr std::string_view directive = "$patch";
constexpr std::string_view retain_keys = "$retainKeys";
constexpr std::string_view element_order = "$setElementOrder";
constexpr std::string_view delete_from_list = "$deleteFromPrimitiveList";

std::unexpected<Error> bad_format(std::string_view of) {
  return fail(Reason::BadRequest, "invalid patch format of {}", of);
}

std::unexpected<Error> bad_directive(const json::value& value, const json::object& in) {
  return fail(Reason::Unknown, "unknown patch type: {} in map: {}", go_value_text(value),
              go_value_text(in));
}

std::unexpected<Error> not_a_list() {
  return fail(Reason::Unknown, "expected a []interface {{}}, but received a different type");
}

// "$setElementOrder/ports" → "ports".
Result<std::string> list_named_by(std::string_view key, std::string_view prefix,
                                  std::string_view of) {
  const std::string_view rest = key.substr(prefix.size());
  if (rest.starts_with('/')) return std::string(rest.substr(1));
  return bad_format(of);
}

// What is known of a place in the document: a message's fields, or a map's values.
struct Rules {
  const MessageSchema* message = nullptr;
  bool is_map = false;

  // Of a field; for a map, of any value. No rules at all: the place is not in the schema.
  Result<const FieldSchema*> lookup(std::string_view key) const {
    if (const FieldSchema* field = message && !is_map ? message->find(key) : nullptr) return field;
    if (is_map) return nullptr;
    return fail(Reason::Unknown, "unable to find api field in struct {} for the json field \"{}\"",
                message ? message->go_name : "", key);
  }
};

// Of what stands under a field. A map's values have no rules but those of their message.
Rules rules_under(const Rules& rules, const FieldSchema* field) {
  if (!field) return {.message = rules.message};
  return {.message = field->message, .is_map = field->cardinality == Cardinality::Map};
}

struct ListRules {
  bool merge = false;
  std::string_view key;  // empty: the items are values
  Rules items;
};

Result<ListRules> list_rules(const Rules& rules, std::string_view name) {
  auto field = rules.lookup(name);
  if (!field) return std::unexpected(field.error());
  if (!*field) return ListRules{};
  if ((*field)->cardinality != Cardinality::List) return not_a_list();
  return ListRules{
      .merge = (*field)->merge, .key = (*field)->merge_key, .items = rules_under(rules, *field)};
}

Result<> merge_objects(json::object& target, json::object patch, const Rules& rules);
Result<json::array> merge_lists(json::array target, json::array patch, const ListRules& rules);

// What is only to be said of something that is there already: it is left out where it is not.
// False: so is the value itself.
bool strip_directives(json::value& value) {
  if (json::object* object = value.if_object()) {
    if (object->contains(directive)) return false;
    for (auto at = object->begin(); at != object->end();) {
      if (strip_directives(at->value())) {
        ++at;
      } else {
        at = object->erase(at);
      }
    }
  } else if (json::array* array = value.if_array()) {
    drop_if(*array, [](json::value& item) { return !strip_directives(item); });
  }
  return true;
}

void drop_nulls(json::value& value) {
  if (json::object* object = value.if_object()) {
    for (auto at = object->begin(); at != object->end();) {
      if (at->value().is_null()) {
        at = object->erase(at);
      } else {
        drop_nulls(at++->value());
      }
    }
  } else if (json::array* array = value.if_array()) {
    for (json::value& item : *array) drop_nulls(item);
  }
}

void set(json::object& target, std::string_view key, json::value value) {
  drop_nulls(value);
  if (strip_directives(value)) {
    target.insert_or_assign(key, std::move(value));
  } else {
    target.erase(key);
  }
}

// ---- lists

// Takes {$patch: …} items out of the patch and obeys them.
Result<> obey_item_directives(json::array& target, json::array& patch, std::string_view key) {
  bool replace = false;
  json::array plain, gone;
  for (json::value& item : patch) {
    const json::object& object = item.get_object();
    const json::value* what = object.if_contains(directive);
    if (!what) {
      plain.push_back(std::move(item));
    } else if (*what == "delete") {
      if (!object.contains(key)) return no_merge_key(object, key);
      gone.push_back(std::move(item));
    } else if (*what == "replace") {
      replace = true;
    } else if (*what == "merge") {
      return fail(Reason::Unknown, "merging lists cannot yet be specified in the patch");
    } else {
      return bad_directive(*what, object);
    }
  }
  const ListIndex is_gone(gone, key);
  drop_if(target, [&](json::value& item) { return is_gone.contains(item); });
  patch = std::move(plain);
  if (replace) {
    target = std::move(patch);
    patch.clear();
  }
  return {};
}

Result<json::array> merge_objects_of_list(json::array target, json::array patch,
                                          const ListRules& rules) {
  const std::string_view key = rules.key;
  for (const json::array* list : {&target, &patch}) {
    for (const json::value& item : *list) {
      if (item.is_object()) continue;
      return fail(Reason::Unknown, "list element types are not identical: {}",
                  go_value_text(*list));
    }
  }
  if (auto ok = obey_item_directives(target, patch, key); !ok) return std::unexpected(ok.error());
  json::array merged = target;
  ListIndex index(merged, key);
  for (const json::value& item : patch) {
    if (!identity(item, key)) return no_merge_key(item.get_object(), key);
    const auto at = index.find(item);
    if (!at) {
      index.add(item, merged.size());
      merged.push_back(item);
    } else if (auto ok = merge_objects(merged[*at].get_object(), item.get_object(), rules.items);
               !ok) {
      return std::unexpected(ok.error());
    }
  }
  if (auto ok = check_items({&merged, &target}, key); !ok) return std::unexpected(ok.error());
  return put_in_order(std::move(merged), patch, target, key);
}

Result<json::array> merge_lists(json::array target, json::array patch, const ListRules& rules) {
  if (!rules.merge) return patch;
  if (target.empty() && patch.empty()) return target;
  const json::value& first = target.empty() ? patch.front() : target.front();
  if (first.is_object()) {
    if (!rules.key.empty())
      return merge_objects_of_list(std::move(target), std::move(patch), rules);
    return fail(Reason::Unknown, "cannot merge lists without merge key for struct");
  }
  if (auto ok = check_items({&target, &patch}, ""); !ok) return std::unexpected(ok.error());
  json::array merged;
  ListIndex index(merged, "");
  for (const json::array* list : {&target, &patch}) {
    for (const json::value& item : *list) {
      if (index.add(item, merged.size())) merged.push_back(item);
    }
  }
  return put_in_order(std::move(merged), patch, target, "");
}

// ---- directives of an object

// $retainKeys: what it does not name goes, and the patch may speak of nothing else.
Result<> obey_retain_keys(json::object& target, json::object& patch) {
  const json::value* value = patch.if_contains(retain_keys);
  if (!value) return {};
  if (!value->is_array()) return bad_format("retainKeys");
  const json::array retained = value->get_array();
  patch.erase(retain_keys);
  const auto is_retained = [&](json::string_view key) {
    return std::ranges::any_of(retained, [&](const json::value& name) {
      return name.is_string() && name.get_string() == key;
    });
  };
  for (const auto& [key, change] : patch) {
    if (change.is_null() || key.starts_with(delete_from_list) || key.starts_with(element_order))
      continue;
    if (!is_retained(key)) return bad_format("retainKeys");
  }
  for (auto at = target.begin(); at != target.end();) {
    at = is_retained(at->key()) ? at + 1 : target.erase(at);
  }
  return {};
}

// The patch's items must stand in the order that is asked for, and be named in it.
Result<> check_order(const json::array& patch, const json::array& order, std::string_view key) {
  if (order.empty()) return {};
  if (auto ok = check_items({&order}, key); !ok) return ok;
  std::size_t next = 0;
  for (const json::value& item : patch) {
    const json::object* object = item.if_object();
    const json::value* what = object ? object->if_contains(directive) : nullptr;
    if (what && (*what == "delete" || next < order.size())) continue;
    const json::value* wanted = identity(item, key);
    if (!wanted && !what) return no_merge_key(object ? *object : json::object(), key);
    while (!what && next < order.size() && *identity(order[next], key) != *wanted) ++next;
    if (next == order.size()) {
      return fail(Reason::Unknown, "The order in patch list:\n{}\n doesn't match {} list:\n{}\n",
                  go_value_text(patch), element_order, go_value_text(order));
    }
    ++next;
  }
  return {};
}

// What counts as the old order: without the items that the patch deletes, and upstream's slices,
// which share memory, then have the first new ones in their place.
json::array old_order(const json::array& old, const json::array& patch, std::string_view key) {
  if (key.empty()) return old;
  json::array gone, fresh;
  bool replace = false;
  const ListIndex is_old(old, key);
  for (const json::value& item : patch) {
    const json::object* object = item.if_object();
    const json::value* what = object ? object->if_contains(directive) : nullptr;
    if (!what && !is_old.contains(item)) fresh.push_back(item);
    if (what && *what == "delete") gone.push_back(item);
    if (what && *what == "replace") replace = true;
  }
  json::array order = old;
  const ListIndex is_gone(gone, key);
  drop_if(order, [&](json::value& item) { return is_gone.contains(item); });
  if (replace) return order;
  for (json::value& item : fresh) {
    if (order.size() == old.size()) break;
    order.push_back(std::move(item));
  }
  return order;
}

// $setElementOrder/name: merges that list at once, in the order that is asked for.
Result<> obey_element_order(json::object& target, json::object& patch, std::string_view name,
                            const json::value& asked, const Rules& rules) {
  const json::array* order = asked.if_array();
  if (!order) return not_a_list();
  const json::value* before = target.if_contains(name);
  const json::value* change = patch.if_contains(name);
  if ((before && !before->is_array()) || (change && !change->is_array())) return not_a_list();
  auto list = list_rules(rules, name);
  if (!list) return std::unexpected(list.error());
  if (change) {
    if (auto ok = check_order(change->get_array(), *order, list->key); !ok) return ok;
  }
  if (!before && !change) return {};

  json::array merged;
  if (!before) {
    json::value added = *change;
    strip_directives(added);
    merged = std::move(added.get_array());
  } else if (!change) {
    merged = before->get_array();
  } else {
    auto both = merge_lists(before->get_array(), change->get_array(), *list);
    if (!both) return std::unexpected(both.error());
    merged = std::move(*both);
  }
  if (auto ok = check_items({&merged}, list->key); !ok) return ok;
  json::array old = before ? before->get_array() : json::array();
  if (change) old = old_order(old, change->get_array(), list->key);
  json::array ordered = put_in_order(std::move(merged), *order, old, list->key);
  patch.erase(name);
  target.insert_or_assign(name, std::move(ordered));
  return {};
}

Result<> obey_element_orders(json::object& target, json::object& patch, const Rules& rules) {
  std::vector<std::pair<std::string, json::value>> orders;
  for (const auto& [key, value] : patch) {
    if (key.starts_with(element_order)) orders.emplace_back(std::string(key), value);
  }
  for (const auto& [key, order] : orders) {
    patch.erase(key);
    auto name = list_named_by(key, element_order, "setElementOrder list");
    if (!name) return std::unexpected(name.error());
    if (auto ok = obey_element_order(target, patch, *name, order, rules); !ok) return ok;
  }
  return {};
}

// $deleteFromPrimitiveList/name
Result<> delete_from(json::object& target, std::string_view key, const json::value& gone) {
  auto name = list_named_by(key, delete_from_list, "primitive list");
  if (!name) return std::unexpected(name.error());
  if (gone.is_null()) {
    target.erase(*name);
    return {};
  }
  json::value* list = target.if_contains(*name);
  if (!list || !list->is_array() || !gone.is_array()) return {};
  if (auto ok = check_items({&list->get_array(), &gone.get_array()}, ""); !ok) return ok;
  const ListIndex is_gone(gone.get_array(), "");
  drop_if(list->get_array(), [&](json::value& item) { return is_gone.contains(item); });
  return {};
}

// ---- objects

Result<> merge_value(json::object& target, std::string_view key, json::value change,
                     const Rules& rules) {
  json::value* value = target.if_contains(key);
  if (change.is_null()) {
    target.erase(key);
    return {};
  }
  if (value && value->is_object() && change.is_object()) {
    auto field = rules.lookup(key);
    if (!field) return std::unexpected(field.error());
    return merge_objects(value->get_object(), std::move(change.get_object()),
                         rules_under(rules, *field));
  }
  if (value && value->is_array() && change.is_array()) {
    auto list = list_rules(rules, key);
    if (!list) return std::unexpected(list.error());
    auto merged = merge_lists(std::move(value->get_array()), std::move(change.get_array()), *list);
    if (!merged) return std::unexpected(merged.error());
    *value = std::move(*merged);
    return {};
  }
  set(target, key, std::move(change));
  return {};
}

Result<> merge_objects(json::object& target, json::object patch, const Rules& rules) {
  if (const json::value* what = patch.if_contains(directive)) {
    if (*what == "delete") {
      target.clear();
    } else if (*what == "replace") {
      patch.erase(directive);
      target = std::move(patch);
    } else {
      return bad_directive(*what, patch);
    }
    return {};
  }
  if (auto ok = obey_retain_keys(target, patch); !ok) return ok;
  if (auto ok = obey_element_orders(target, patch, rules); !ok) return ok;
  for (auto& [key, change] : patch) {
    auto ok = key.starts_with(delete_from_list)
                  ? delete_from(target, key, change)
                  : merge_value(target, key, std::move(change), rules);
    if (!ok) return ok;
  }
  return {};
}

}  // namespace

Result<json::value> strategic_merge_patch(const Kind& kind, const json::value& document,
                                          const json::value& patch) {
  const json::object* object = document.if_object();
  const json::object* changes = patch.if_object();
  if (!object || !changes) return fail(Reason::BadRequest, "invalid JSON document");
  json::object patched = *object;
  const Rules rules{.message = &schema_of(*kind.prototype)};
  if (auto ok = merge_objects(patched, *changes, rules); !ok) return std::unexpected(ok.error());
  return patched;
}

}  // namespace keelson
