// Objects: what is extracted, and that equal objects have equal bytes.
#include "api/object.h"

#include <limits>

#include "api/proto/core/v1/pod.pb.h"
#include "api/protobuf.h"
#include "tests/api/rows.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

TEST_GROUP(Object){};

namespace {

core::Pod pod_with_labels(std::initializer_list<const char*> keys) {
  core::Pod pod;
  pod.mutable_metadata()->set_name("web");
  pod.mutable_metadata()->set_namespace_("default");
  for (const char* key : keys) (*pod.mutable_metadata()->mutable_labels())[key] = "x";
  return pod;
}

}  // namespace

TEST(Object, extracts_what_indexes_and_selectors_ask_for) {
  core::Pod pod = pod_with_labels({"b", "a"});
  auto& metadata = *pod.mutable_metadata();
  metadata.set_uid("u-1");
  metadata.set_resourceversion("42");
  metadata.set_generation(3);
  set_time(*metadata.mutable_creationtimestamp(), WallTime(1'700'000'000'500ms));
  set_time(*metadata.mutable_deletiontimestamp(), WallTime(1'700'000'030s));
  metadata.add_finalizers("f/1");
  metadata.add_ownerreferences()->set_uid("o-1");
  metadata.add_ownerreferences()->set_uid("o-2");
  metadata.mutable_ownerreferences(1)->set_controller(true);
  pod.mutable_spec()->set_nodename("node-1");

  const ObjectPtr object = make_object(test_pod(), pod);
  CHECK_EQUAL(std::string("default/web"), key_of(*object));
  CHECK_EQUAL(std::string("u-1"), object->uid);
  LONGS_EQUAL(42, object->resource_version);
  LONGS_EQUAL(3, object->generation);
  CHECK(object->creation_time == WallTime(1'700'000'000s));
  CHECK(object->deletion_time == WallTime(1'700'000'030s));
  LONGS_EQUAL(2, object->labels.size());
  CHECK_EQUAL(std::string("a"), object->labels.begin()->first);
  CHECK(object->labels.contains("b"));
  CHECK_FALSE(object->labels.contains("c"));
  CHECK_EQUAL(std::string("f/1"), object->finalizers.at(0));
  CHECK_EQUAL(std::string("o-2"), object->controller()->uid);
  CHECK_EQUAL(std::string("node-1"), object->fields.at(0));
  CHECK_EQUAL(std::string(), object->fields.at(1));
  CHECK_EQUAL(std::string("node-1"), decode<core::Pod>(*object).spec().nodename());
}

TEST(Object, has_equal_bytes_when_it_is_equal) {
  core::Pod one = pod_with_labels({"a", "b", "c", "d", "e", "f"});
  core::Pod other = pod_with_labels({"f", "e", "d", "c", "b", "a"});
  // What a Go client sends of a struct that was never filled.
  other.mutable_metadata()->set_uid("");
  other.mutable_metadata()->set_generation(0);
  other.mutable_metadata()->mutable_creationtimestamp();
  other.mutable_spec()->set_hostnetwork(false);
  other.mutable_status();
  CHECK_EQUAL(make_object(test_pod(), one)->bytes, make_object(test_pod(), other)->bytes);
}

TEST(Object, comes_back_from_its_bytes) {
  const ObjectPtr object = make_object(test_pod(), pod_with_labels({"a"}));
  auto parsed = parse_object(test_pod(), object->bytes);
  CHECK(parsed.has_value());
  CHECK_EQUAL(object->bytes, (*parsed)->bytes);
  CHECK_EQUAL(object->name, (*parsed)->name);
}

TEST(Object, is_not_made_from_what_is_no_message) {
  auto parsed = parse_object(test_pod(), "\xff\xff\xff");
  CHECK_FALSE(parsed.has_value());
  CHECK(parsed.error().reason == Reason::BadRequest);
}

TEST(Object, is_named_by_a_key) {
  CHECK_EQUAL(std::string("a/b"), key_of("a", "b"));
  CHECK_EQUAL(std::string("b"), key_of("", "b"));
  CHECK((split_key("a/b") == std::pair<std::string_view, std::string_view>("a", "b")));
  CHECK((split_key("b") == std::pair<std::string_view, std::string_view>("", "b")));
}

TEST(Object, keeps_times_that_no_clock_can_show) {
  meta::Time time;
  time.set_seconds(253'402'300'799);  // year 9999; a WallTime ends in 2262
  CHECK(from_time(time) > WallTime(9'000'000'000s));
  time.set_seconds(std::numeric_limits<std::int64_t>::min());
  CHECK(from_time(time) < WallTime(-9'000'000'000s));
}
