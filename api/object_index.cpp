// Objects in memory, in the order of their keys.
#include "api/object_index.h"

#include <algorithm>
#include <cassert>

namespace keelson {
namespace {

// "plural.group|path|value"
std::string field_key(const Kind& kind, std::string_view path, std::string_view value) {
  std::string key(kind.plural);
  return key.append(".").append(kind.group).append("|").append(path).append("|").append(value);
}

// The order of `owned_by`: kind by kind, each in the order of keys.
std::pair<std::string, std::string> owned_key(const Object& object) {
  return {std::string(object.kind->plural) + "." + std::string(object.kind->group), key_of(object)};
}

template <typename Map>
std::vector<ObjectPtr> values_of(const Map& objects) {
  std::vector<ObjectPtr> values;
  values.reserve(objects.size());
  for (const auto& [key, object] : objects) values.push_back(object);
  return values;
}

// Calls visit with the key of each indexed field of the object.
void each_indexed_field(const Object& object, auto visit) {
  const auto& fields = object.kind->selectable_fields;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].indexed) visit(field_key(*object.kind, fields[i].path, object.fields[i]));
  }
}

}  // namespace

ObjectPtr ObjectIndex::get(const Kind& kind, std::string_view name_space,
                           std::string_view name) const {
  auto objects = by_kind_.find(&kind);
  if (objects == by_kind_.end()) return nullptr;
  auto object = objects->second.find(key_of(name_space, name));
  return object == objects->second.end() ? nullptr : object->second;
}

std::vector<ObjectPtr> ObjectIndex::list(const Kind& kind, std::string_view name_space) const {
  auto objects = by_kind_.find(&kind);
  if (objects == by_kind_.end()) return {};
  if (name_space.empty()) return values_of(objects->second);
  std::vector<ObjectPtr> found;
  const std::string prefix = key_of(name_space, "");
  for (auto at = objects->second.lower_bound(prefix);
       at != objects->second.end() && at->first.starts_with(prefix); ++at) {
    found.push_back(at->second);
  }
  return found;
}

std::size_t ObjectIndex::count(const Kind& kind) const {
  auto objects = by_kind_.find(&kind);
  return objects == by_kind_.end() ? 0 : objects->second.size();
}

ObjectPtr ObjectIndex::by_uid(std::string_view uid) const {
  auto object = by_uid_.find(std::string(uid));
  return object == by_uid_.end() ? nullptr : object->second;
}

std::vector<ObjectPtr> ObjectIndex::owned_by(std::string_view owner_uid) const {
  auto objects = by_owner_.find(std::string(owner_uid));
  return objects == by_owner_.end() ? std::vector<ObjectPtr>() : values_of(objects->second);
}

std::vector<ObjectPtr> ObjectIndex::with_field(const Kind& kind, std::string_view path,
                                               std::string_view value) const {
  auto field = std::ranges::find(kind.selectable_fields, path, &SelectableField::path);
  assert(field != kind.selectable_fields.end() && field->indexed);
  auto objects = by_field_.find(field_key(kind, path, value));
  return objects == by_field_.end() ? std::vector<ObjectPtr>() : values_of(objects->second);
}

ObjectPtr ObjectIndex::put(ObjectPtr object) {
  const std::string key = key_of(*object);
  ObjectPtr& slot = by_kind_[object->kind][key];
  ObjectPtr before = std::exchange(slot, object);
  if (before) unindex(*before);
  if (!object->uid.empty()) by_uid_[object->uid] = object;
  for (const OwnerReference& owner : object->owners) {
    by_owner_[owner.uid].insert_or_assign(owned_key(*object), object);
  }
  each_indexed_field(*object, [&](const std::string& field) { by_field_[field][key] = object; });
  revision_ = std::max(revision_, object->resource_version);
  return before;
}

ObjectPtr ObjectIndex::erase(const Kind& kind, std::string_view name_space, std::string_view name,
                             Revision revision) {
  revision_ = std::max(revision_, revision);
  auto objects = by_kind_.find(&kind);
  if (objects == by_kind_.end()) return nullptr;
  auto at = objects->second.find(key_of(name_space, name));
  if (at == objects->second.end()) return nullptr;
  ObjectPtr before = std::move(at->second);
  objects->second.erase(at);
  unindex(*before);
  return before;
}

void ObjectIndex::unindex(const Object& object) {
  by_uid_.erase(object.uid);
  const std::string key = key_of(object);
  auto drop = [](auto& index, const std::string& outer, const auto& inner) {
    auto found = index.find(outer);
    if (found == index.end()) return;
    found->second.erase(inner);
    if (found->second.empty()) index.erase(found);
  };
  for (const OwnerReference& owner : object.owners) drop(by_owner_, owner.uid, owned_key(object));
  each_indexed_field(object, [&](const std::string& field) { drop(by_field_, field, key); });
}

}  // namespace keelson
