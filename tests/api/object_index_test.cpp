// The index: found by key, uid, owner and field, also after changes.
#include "api/object_index.h"

#include "api/proto/core/v1/config_map.pb.h"
#include "api/proto/core/v1/pod.pb.h"
#include "tests/api/rows.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

TEST_GROUP(ObjectIndex) {
  ObjectIndex index;
  Revision revision = 0;

  ObjectPtr put(const char* name_space, const char* name, const char* node, const char* owner) {
    core::Pod pod;
    pod.mutable_metadata()->set_namespace_(name_space);
    pod.mutable_metadata()->set_name(name);
    pod.mutable_metadata()->set_uid(key_of(name_space, name));
    pod.mutable_metadata()->set_resourceversion(std::to_string(++revision));
    pod.mutable_spec()->set_nodename(node);
    if (*owner) pod.mutable_metadata()->add_ownerreferences()->set_uid(owner);
    return index.put(make_object(test_pod(), pod));
  }
  static std::string names(const std::vector<ObjectPtr>& objects) {
    std::string text;
    for (const auto& object : objects) text += (text.empty() ? "" : " ") + key_of(*object);
    return text;
  }
};

TEST(ObjectIndex, lists_in_the_order_of_keys_and_by_namespace) {
  put("b", "x", "", "");
  put("a", "y", "", "");
  put("a-b", "z", "", "");
  put("a", "w", "", "");
  CHECK_EQUAL(std::string("a-b/z a/w a/y b/x"), names(index.list(test_pod())));
  CHECK_EQUAL(std::string("a/w a/y"), names(index.list(test_pod(), "a")));
  CHECK_EQUAL(std::string(), names(index.list(test_pod(), "none")));
  CHECK_EQUAL(std::string(), names(index.list(test_config_map())));
  LONGS_EQUAL(4, index.count(test_pod()));
  LONGS_EQUAL(4, index.revision());
  std::string after;
  index.each_after(test_pod(), "a/w", [&](const ObjectPtr& object) {
    after += object->name;
    return true;
  });
  CHECK_EQUAL(std::string("yx"), after);
}

TEST(ObjectIndex, finds_by_uid_owner_and_field) {
  put("a", "1", "n1", "rs");
  put("a", "2", "n1", "rs");
  put("a", "3", "n2", "");
  CHECK_EQUAL(std::string("2"), index.by_uid("a/2")->name);
  CHECK_EQUAL(std::string("a/1 a/2"), names(index.owned_by("rs")));
  CHECK_EQUAL(std::string("a/1 a/2"), names(index.with_field(test_pod(), "spec.nodeName", "n1")));
  CHECK(index.by_uid("none") == nullptr);
  CHECK_EQUAL(std::string("3"), index.get(test_pod(), "a", "3")->name);
  CHECK(index.get(test_pod(), "a", "4") == nullptr);
}

TEST(ObjectIndex, forgets_what_was_before) {
  put("a", "1", "n1", "rs");
  const ObjectPtr before = put("a", "1", "n2", "");
  CHECK_EQUAL(std::string("n1"), before->fields.at(0));
  CHECK(index.owned_by("rs").empty());
  CHECK(index.with_field(test_pod(), "spec.nodeName", "n1").empty());
  CHECK_EQUAL(std::string("a/1"), names(index.with_field(test_pod(), "spec.nodeName", "n2")));

  CHECK_EQUAL(std::string("n2"), index.erase(test_pod(), "a", "1", 9)->fields.at(0));
  LONGS_EQUAL(9, index.revision());
  CHECK(index.by_uid("a/1") == nullptr);
  CHECK(index.with_field(test_pod(), "spec.nodeName", "n2").empty());
  LONGS_EQUAL(0, index.count(test_pod()));
  CHECK(index.erase(test_pod(), "a", "1", 10) == nullptr);
}
