// A walk over the schema that rolls dice at every field.
#include "tests/api/random_document.h"

#include "api/schema.h"

namespace keelson {
namespace {

class Draw {
 public:
  explicit Draw(const RandomDocument& how) : how_(how) {}
  json::object object(const MessageSchema& schema, int depth);

 private:
  bool chance(std::uint64_t per_cent) { return how_.random.below(100) < per_cent; }
  json::value value(const FieldSchema& field, int depth);
  json::value scalar(const FieldSchema& field);
  void list(json::object& parent, const FieldSchema& field, int depth);
  json::object item(const FieldSchema& field, std::size_t number, int depth);
  json::object map(const FieldSchema& field, int depth);
  void order(json::object& parent, const FieldSchema& field, const json::array& items);

  const RandomDocument& how_;
};

json::value Draw::scalar(const FieldSchema& field) {
  const std::string word(1, static_cast<char>('a' + how_.random.below(3)));
  const auto number = static_cast<std::int64_t>(1 + how_.random.below(3));
  switch (field.form) {
    case Form::Int32:
    case Form::Int64:
      return number;
    case Form::Bool:
      return how_.random.below(2) == 1;
    case Form::Quantity:
      return json::string(std::to_string(number) + "Mi");
    case Form::IntOrString:
      if (how_.random.below(2) == 1) return number;
      return json::string(word);
    case Form::Time:
      return json::string("2024-01-0" + std::to_string(number) + "T00:00:00Z");
    case Form::MicroTime:
      return json::string("2024-01-0" + std::to_string(number) + "T00:00:00.000000Z");
    case Form::Duration:
      return json::string(std::to_string(number) + "s");
    case Form::Bytes:
      return json::string("YQ==");
    default:
      return json::string(word);
  }
}

json::value Draw::value(const FieldSchema& field, int depth) {
  if (field.form == Form::Object) return object(*field.message, depth - 1);
  return scalar(field);
}

json::object Draw::map(const FieldSchema& field, int depth) {
  json::object entries;
  for (const char* key : {"a", "b", "c"}) {
    if (!chance(50)) continue;
    if (how_.directives && chance(20)) {
      entries[key] = nullptr;
    } else {
      entries[key] = value(field, depth);
    }
  }
  return entries;
}

// Items 0, 1, 2 … differ in every key that merging or apply may tell them by.
json::object Draw::item(const FieldSchema& field, std::size_t number, int depth) {
  json::object drawn = object(*field.message, depth - 1);
  std::vector<std::string> keys = field.list_keys;
  if (!field.merge_key.empty()) keys.push_back(field.merge_key);
  for (const std::string& key : keys) {
    const FieldSchema* own = field.message->find(key);
    if (key == "protocol") {
      if (chance(50)) drawn[key] = "TCP";
    } else if (own->form == Form::Int32) {
      drawn[key] = 80 + static_cast<int>(number);
    } else {
      drawn[key] = "item-" + std::to_string(number);
    }
  }
  return drawn;
}

void Draw::order(json::object& parent, const FieldSchema& field, const json::array& items) {
  json::array order;
  for (const json::value& item : items) {
    const json::object* object = item.if_object();
    if (object && object->contains("$patch")) continue;
    if (chance(20)) {
      const auto other = 5 + how_.random.below(3);
      const FieldSchema* key = object ? field.message->find(field.merge_key) : nullptr;
      if (key && key->form == Form::String) {
        order.push_back(json::object{{field.merge_key, "item-" + std::to_string(other)}});
      }
    }
    if (object) {
      order.push_back(json::object{{field.merge_key, object->at(field.merge_key)}});
    } else {
      order.push_back(item);
    }
  }
  if (!order.empty()) parent["$setElementOrder/" + field.name] = std::move(order);
}

void Draw::list(json::object& parent, const FieldSchema& field, int depth) {
  json::array items;
  const bool is_object = field.form == Form::Object;
  const bool merged = how_.directives && field.merge;
  if (merged && !is_object && chance(40)) {
    parent["$deleteFromPrimitiveList/" + field.name] = {"item-0", "item-1"};
    return;
  }
  std::vector<std::size_t> numbers;
  for (std::size_t number = 0; number < 7; ++number) {
    if (chance(35))
      numbers.insert(numbers.begin() + static_cast<long>(how_.random.below(numbers.size() + 1)),
                     number);
  }
  for (const std::size_t number : numbers) {
    if (field.form == Form::Int32 || field.form == Form::Int64) {
      items.push_back(static_cast<std::int64_t>(number));
    } else if (!is_object) {
      items.push_back(json::string("item-" + std::to_string(number)));
    } else {
      json::object drawn = item(field, number, depth);
      if (merged && !field.merge_key.empty() && chance(25)) {
        drawn = {{field.merge_key, drawn.at(field.merge_key)}, {"$patch", "delete"}};
      }
      items.push_back(std::move(drawn));
    }
  }
  if (merged && is_object && chance(5)) items.push_back(json::object{{"$patch", "replace"}});
  if (merged && chance(50)) order(parent, field, items);
  parent[field.name] = std::move(items);
}

json::object Draw::object(const MessageSchema& schema, int depth) {
  json::object drawn;
  if (depth <= 0) return drawn;
  for (const NamedField& named : schema.named) {
    const FieldSchema& field = *named.field;
    if (field.form == Form::Raw || field.form == Form::Strings) continue;
    if (depth < how_.depth && !chance(how_.often)) continue;  // at the top, all are there
    if (how_.directives && depth < how_.depth && chance(10)) {
      drawn[field.name] = nullptr;
    } else if (field.cardinality == Cardinality::List) {
      list(drawn, field, depth);
    } else if (field.cardinality == Cardinality::Map) {
      drawn[field.name] = map(field, depth);
    } else {
      drawn[field.name] = value(field, depth);
      if (how_.directives && field.retain_keys && chance(50)) {
        json::array keys;
        for (const auto& [key, inner] : drawn[field.name].get_object()) keys.push_back(key.data());
        drawn[field.name].get_object()["$retainKeys"] = std::move(keys);
      }
    }
  }
  if (how_.directives && chance(3)) drawn["$patch"] = chance(50) ? "replace" : "delete";
  return drawn;
}

}  // namespace

json::object random_document(const Kind& kind, const RandomDocument& how) {
  const MessageSchema& schema = schema_of(*kind.prototype);
  json::object document = Draw(how).object(schema, how.depth);
  document.erase("$patch");
  document.erase("status");
  json::object& metadata = document["metadata"].is_object() ? document["metadata"].get_object()
                                                            : document["metadata"].emplace_object();
  metadata.erase("managedFields");
  metadata.erase("$patch");
  for (const char* text : {"generateName", "namespace", "name", "resourceVersion", "uid",
                           "selfLink", "generation", "creationTimestamp", "deletionTimestamp"}) {
    metadata.erase(text);
  }
  metadata["name"] = "a";
  document["apiVersion"] = kind.api_version();
  document["kind"] = kind.kind;
  return document;
}

}  // namespace keelson
