// Lists made from stored bytes are the lists that messages would give.
#include "api/list.h"

#include "api/json.h"
#include "api/proto/core/v1/pod.pb.h"
#include "api/protobuf.h"
#include "tests/api/rows.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

TEST_GROUP(List) {
  std::vector<ObjectPtr> objects;
  core::PodList expected;

  void add(const char* name) {
    core::Pod& pod = *expected.add_items();
    pod.mutable_metadata()->set_name(name);
    objects.push_back(make_object(test_pod(), pod));
  }
};

TEST(List, is_written_in_json) {
  CHECK_EQUAL(std::string(R"({"kind":"PodList","apiVersion":"v1","metadata":)"
                          R"({"resourceVersion":"7"},"items":[]})"),
              list_json_text(test_pod(), objects, {.resource_version = "7"}));
  add("a");
  add("b");
  const std::string text = list_json_text(
      test_pod(), objects, {.resource_version = "7", .continue_token = "c", .remaining = 3});
  expected.mutable_metadata()->set_resourceversion("7");
  expected.mutable_metadata()->set_continue_("c");
  expected.mutable_metadata()->set_remainingitemcount(3);
  std::string wanted = message_to_json_text(expected);
  wanted.insert(1, R"("kind":"PodList","apiVersion":"v1",)");
  CHECK_EQUAL(wanted, text);
}

TEST(List, is_written_in_protobuf) {
  add("a");
  add(std::string(200, 'b').c_str());
  expected.mutable_metadata()->set_resourceversion("7");
  const std::string bytes = list_protobuf(test_pod(), objects, {.resource_version = "7"});
  auto envelope = from_envelope(bytes);
  CHECK(envelope.has_value());
  CHECK_EQUAL(std::string("PodList"), envelope->kind);
  CHECK_EQUAL(expected.SerializeAsString(), std::string(envelope->raw));
}
