// Strategic merge: what kubectl sends, and what each directive does.
#include "api/patch.h"
#include "tests/api/rows.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

TEST_GROUP(StrategicMerge){};

namespace {

std::string patched(const Kind& kind, std::string_view document, std::string_view patch) {
  auto result = strategic_merge_patch(kind, parse_json(document)->tree, parse_json(patch)->tree);
  return result ? to_text(*result) : result.error().message;
}

std::string pod_patched(std::string_view document, std::string_view patch) {
  return patched(test_pod(), document, patch);
}

}  // namespace

TEST(StrategicMerge, set_image_changes_one_container) {
  STRCMP_EQUAL(R"({"spec":{"template":{"spec":{"containers":[{"name":"a","image":"x"},)"
               R"({"name":"b","image":"z"}]}}}})",
               patched(test_deployment(),
                       R"({"spec":{"template":{"spec":{"containers":[{"name":"a","image":"x"},
                 {"name":"b","image":"y"}]}}}})",
                       R"({"spec":{"template":{"spec":{"$setElementOrder/containers":[{"name":"a"},
                 {"name":"b"}],"containers":[{"image":"z","name":"b"}]}}}})")
                   .c_str());
}

TEST(StrategicMerge, restart_adds_an_annotation_and_null_takes_a_label) {
  STRCMP_EQUAL(
      R"({"metadata":{"labels":{"b":"2"},"annotations":{"t":"now"}}})",
      pod_patched(R"({"metadata":{"labels":{"a":"1","b":"2"}}})",
                  R"({"metadata":{"labels":{"a":null},"annotations":{"t":"now","u":null}}})")
          .c_str());
}

TEST(StrategicMerge, recreate_instead_of_rolling_update_keeps_only_its_keys) {
  STRCMP_EQUAL(
      R"({"spec":{"strategy":{"type":"Recreate"}}})",
      patched(test_deployment(),
              R"({"spec":{"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":1}}}})",
              R"({"spec":{"strategy":{"$retainKeys":["type"],"type":"Recreate"}}})")
          .c_str());
}

TEST(StrategicMerge, obeys_each_directive) {
  struct Case {
    const char *what, *document, *patch, *result;
  };
  const Case cases[] = {
      {"an item is deleted", R"({"spec":{"containers":[{"name":"a"},{"name":"b"}]}})",
       R"({"spec":{"containers":[{"$patch":"delete","name":"a"}]}})",
       R"({"spec":{"containers":[{"name":"b"}]}})"},
      {"a list is replaced", R"({"spec":{"containers":[{"name":"a"},{"name":"b"}]}})",
       R"({"spec":{"containers":[{"$patch":"replace"},{"name":"c"}]}})",
       R"({"spec":{"containers":[{"name":"c"}]}})"},
      {"a map is replaced", R"({"metadata":{"labels":{"a":"1"}}})",
       R"({"metadata":{"labels":{"$patch":"replace","b":"2"}}})",
       R"({"metadata":{"labels":{"b":"2"}}})"},
      {"a map is emptied", R"({"metadata":{"labels":{"a":"1"}}})",
       R"({"metadata":{"labels":{"$patch":"delete"}}})", R"({"metadata":{"labels":{}}})"},
      {"values leave a list", R"({"metadata":{"finalizers":["a","b","c"]}})",
       R"({"metadata":{"$deleteFromPrimitiveList/finalizers":["a","c"]}})",
       R"({"metadata":{"finalizers":["b"]}})"},
      {"values join a list once", R"({"metadata":{"finalizers":["a","b"]}})",
       R"({"metadata":{"finalizers":["b","c"]}})", R"({"metadata":{"finalizers":["a","b","c"]}})"},
      {"order is what is asked for, the server's own between",
       R"({"spec":{"containers":[{"name":"own"},{"name":"a"},{"name":"b"}]}})",
       R"({"spec":{"$setElementOrder/containers":[{"name":"b"},{"name":"a"}]}})",
       R"({"spec":{"containers":[{"name":"own"},{"name":"b"},{"name":"a"}]}})"},
      {"a list without a strategy is replaced",
       R"({"spec":{"tolerations":[{"key":"a"},{"key":"b"}]}})",
       R"({"spec":{"tolerations":[{"key":"c"}]}})", R"({"spec":{"tolerations":[{"key":"c"}]}})"},
      {"null takes a list", R"({"spec":{"containers":[{"name":"a"}],"hostname":"x"}})",
       R"({"spec":{"containers":null}})", R"({"spec":{"hostname":"x"}})"},
      {"what is new leaves nulls and directives behind", R"({"spec":{}})",
       R"({"spec":{"containers":[{"name":"a","image":null},{"name":"b","$patch":"delete"}]}})",
       R"({"spec":{"containers":[{"name":"a"}]}})"},
  };
  for (const Case& c : cases) {
    STRCMP_EQUAL_TEXT(c.result, pod_patched(c.document, c.patch).c_str(), c.what);
  }
}

TEST(StrategicMerge, refuses_with_upstreams_words_and_codes) {
  struct Case {
    const char* patch;
    Reason reason;
    const char* message;
  };
  const Case cases[] = {
      {R"({"spec":{"containers":[{"image":"x","args":["b","c"]}]}})", Reason::Unknown,
       "map: map[args:[b c] image:x] does not contain declared merge key: name"},
      {R"({"spec":{"containers":[{"$patch":"delete"}]}})", Reason::Unknown,
       "map: map[$patch:delete] does not contain declared merge key: name"},
      {R"({"spec":{"containers":[{"$patch":"merge","name":"a"}]}})", Reason::Unknown,
       "merging lists cannot yet be specified in the patch"},
      {R"({"spec":{"$patch":"merge"}})", Reason::Unknown,
       "unknown patch type: merge in map: map[$patch:merge]"},
      {R"({"spec":{"$retainKeys":["a"],"hostname":"x"}})", Reason::BadRequest,
       "invalid patch format of retainKeys"},
      {R"({"spec":{"$retainKeys":1}})", Reason::BadRequest, "invalid patch format of retainKeys"},
      {R"({"spec":{"$setElementOrder":[]}})", Reason::BadRequest,
       "invalid patch format of setElementOrder list"},
      {R"({"metadata":{"$deleteFromPrimitiveList":[]}})", Reason::BadRequest,
       "invalid patch format of primitive list"},
      {R"({"spec":{"$setElementOrder/nothing":[]}})", Reason::Unknown,
       "unable to find api field in struct v1.PodSpec for the json field \"nothing\""},
      {R"({"spec":{"$setElementOrder/containers":[{"name":"b"}],"containers":[{"name":"a"}]}})",
       Reason::Unknown,
       "The order in patch list:\n[map[name:a]]\n doesn't match $setElementOrder list:\n"
       "[map[name:b]]\n"},
      {R"({"metadata":{"finalizers":[["a"]]}})", Reason::Invalid,
       "lists of lists are not supported"},
      {R"([])", Reason::BadRequest, "invalid JSON document"},
  };
  const json::value document = parse_json(
                                   R"({"metadata":{"finalizers":["f"]},
                                      "spec":{"containers":[{"name":"a"}]}})")
                                   ->tree;
  for (const Case& c : cases) {
    auto refused = strategic_merge_patch(test_pod(), document, parse_json(c.patch)->tree);
    CHECK_TEXT(!refused, c.patch);
    STRCMP_EQUAL_TEXT(c.message, refused.error().message.c_str(), c.patch);
    CHECK_TEXT(c.reason == refused.error().reason, c.patch);
  }
}

TEST(StrategicMerge, long_lists_do_not_take_long) {
  json::array many;
  for (int i = 0; i < 100'000; ++i) many.push_back(json::string(std::to_string(i)));
  const json::value patch{{"metadata", {{"finalizers", many}}}};
  auto result = strategic_merge_patch(test_pod(), patch, patch);
  CHECK_EQUAL(many.size(), result->at("metadata").at("finalizers").get_array().size());
}
