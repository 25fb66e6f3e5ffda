// Whatever is applied, by whom, in whatever order: ownership adds up.
#include "api/apply.h"
#include "api/apply_tree.h"
#include "api/kinds.h"
#include "api/managed_fields.h"
#include "api/proto/meta/v1/object_meta.pb.h"
#include "api/schema.h"
#include "tests/api/random_document.h"
#include "tests/api/rows.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

namespace {

// Of a struct that loses its last field nothing is left, be it {} or null.
bool drop_empty(json::value& value) {
  if (json::object* object = value.if_object()) {
    for (auto at = object->begin(); at != object->end();) {
      at = drop_empty(at->value()) ? object->erase(at) : at + 1;
    }
    return object->empty();
  }
  if (json::array* array = value.if_array()) {
    for (json::value& item : *array) drop_empty(item);
    return array->empty();
  }
  return value.is_null();
}

}  // namespace

TEST_GROUP(ApplyProperty) {
  const Kind* kind = &test_deployment();
  int second = 0;

  WallTime now() {
    return WallTime(std::chrono::seconds(1'700'000'000 + ++second));
  }
  TreeType type() const {
    return TreeType::root(schema_of(*kind->prototype));
  }

  json::object draw(Random & random) {
    json::value document = random_document(*kind, {.random = random, .depth = 6});
    drop_empty(document);
    return std::move(document.get_object());
  }
  ObjectPtr apply(const ObjectPtr& before, std::string_view manager, const json::object& tree,
                  bool force) {
    auto applied =
        apply_configuration(*kind, before.get(), tree, {std::string(manager)}, force, now());
    if (!applied) FAIL(fmt::format("{}: {}", applied.error().message, to_text(tree)).c_str());
    return make_object(*kind, **applied);
  }
  json::object nothing() const {
    return {{"apiVersion", "apps/v1"}, {"kind", "Deployment"}, {"metadata", {{"name", "a"}}}};
  }
  // What a manager owns, as text; empty: nothing.
  std::string owned(const ObjectPtr& object, std::string_view manager) {
    auto managed = ManagedFields::read(*kind, managed_fields_bytes(object->bytes));
    const ManagedEntry* entry =
        managed->find({.manager = manager, .api_version = "apps/v1", .applied = true});
    return entry ? std::string(entry->fields_v1) : std::string();
  }
  json::value tree_of(const ObjectPtr& object) {
    auto message = kind->make_message();
    decode_into(*object, *message);
    mutable_metadata_of(*message).clear_managedfields();
    json::value tree = object_to_json(*kind, *message);
    drop_empty(tree);
    return tree;
  }
  // What a configuration makes its manager own.
  std::string wanted(const json::object& configuration) {
    json::value own = configuration;
    own.get_object().erase("apiVersion");
    own.get_object().erase("kind");
    own.at("metadata").get_object().erase("name");
    TextPool pool;
    const FieldSet all = field_set_of(type(), own, pool);
    FieldSetBuilder without_empty_metadata;
    const auto* end = all.nodes().data() + all.nodes().size();
    for (const auto* node = all.nodes().data(); node != end; node += node->size) {
      const bool is_metadata = node->element.text == "metadata" && node->size == 1;
      if (!is_metadata) without_empty_metadata.copy(node);
    }
    const FieldSet owned = without_empty_metadata.take();
    return owned.empty() ? "" : owned.to_fields_v1();
  }
};

TEST(ApplyProperty, owners_and_values_add_up) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SeededRandom random(seed);
    const std::string from = fmt::format("seed {}", seed);
    const json::object first = draw(random), second_one = draw(random), third = draw(random);

    // An owner's set covers exactly what it applied.
    ObjectPtr object = apply(nullptr, "a", first, false);
    CHECK_EQUAL_TEXT(wanted(first), owned(object, "a"), from.c_str());

    // Applying again changes nothing, byte for byte.
    CHECK_TEXT(apply(object, "a", first, false)->bytes == object->bytes, from.c_str());

    // Force takes over, and what it takes the other has no more.
    object = apply(object, "b", second_one, true);
    CHECK_EQUAL_TEXT(wanted(second_one), owned(object, "b"), from.c_str());
    CHECK_TEXT(apply(object, "b", second_one, false)->bytes == object->bytes, from.c_str());
    const ObjectPtr as_alone = apply(nullptr, "b", second_one, false);

    // The last owner lets go of all: only what the other applied is left.
    object = apply(object, "a", nothing(), false);
    CHECK_EQUAL_TEXT("", owned(object, "a"), from.c_str());
    CHECK_TEXT(tree_of(object) == tree_of(as_alone),
               fmt::format("{}\n{}\n{}", from, to_text(tree_of(object)), to_text(tree_of(as_alone)))
                   .c_str());

    // One after another by one manager is as the last one alone.
    object =
        apply(apply(apply(nullptr, "a", first, true), "a", second_one, true), "a", third, true);
    const json::value expected = tree_of(apply(nullptr, "a", third, false));
    CHECK_TEXT(
        tree_of(object) == expected,
        fmt::format("{}\n{}\n{}", from, to_text(tree_of(object)), to_text(expected)).c_str());
  }
}
