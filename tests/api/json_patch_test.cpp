// JSON patch and JSON merge patch, operation by operation.
#include "api/patch.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

TEST_GROUP(JsonPatch){};
TEST_GROUP(MergePatch){};

namespace {

json::value tree(std::string_view text) {
  return parse_json(text)->tree;
}

// The patched document, or the cause of the refusal.
std::string patched(std::string_view document, std::string_view patch) {
  auto result = json_patch(tree(document), tree(patch));
  if (result) return to_text(*result);
  const auto& details = result.error().details;
  return details ? details->causes.front().message : result.error().message;
}

}  // namespace

TEST(JsonPatch, does_each_operation) {
  struct Case {
    const char *document, *patch, *result;
  };
  const Case cases[] = {
      {R"({"a":1})", R"([{"op":"add","path":"/b","value":2}])", R"({"a":1,"b":2})"},
      {R"({"a":1})", R"([{"op":"add","path":"/a","value":2}])", R"({"a":2})"},
      {R"({"a":[1,3]})", R"([{"op":"add","path":"/a/1","value":2}])", R"({"a":[1,2,3]})"},
      {R"({"a":[1]})", R"([{"op":"add","path":"/a/-","value":2}])", R"({"a":[1,2]})"},
      {R"({"a":[1]})", R"([{"op":"add","path":"/a/1","value":2}])", R"({"a":[1,2]})"},
      {R"({"a":1,"b":2})", R"([{"op":"remove","path":"/a"}])", R"({"b":2})"},
      {R"({"a":[1,2,3]})", R"([{"op":"remove","path":"/a/-2"}])", R"({"a":[1,3]})"},
      {R"({"a":{"b":1}})", R"([{"op":"replace","path":"/a/b","value":null}])",
       R"({"a":{"b":null}})"},
      {R"({"a":1})", R"([{"op":"replace","path":"/b","value":2}])", R"({"a":1,"b":2})"},
      {R"({"a":1})", R"([{"op":"replace","path":"","value":{"b":2}}])", R"({"b":2})"},
      {R"({"a":{"x":1},"b":{}})", R"([{"op":"move","from":"/a/x","path":"/b/y"}])",
       R"({"a":{},"b":{"y":1}})"},
      {R"({"a":[1]})",
       R"([{"op":"copy","from":"/a","path":"/b"},{"op":"add","path":"/b/-","value":2}])",
       R"({"a":[1],"b":[1,2]})"},
      {R"({"a":{"b":[1,{"c":"d"}]}})", R"([{"op":"test","path":"/a","value":{"b":[1,{"c":"d"}]}}])",
       R"({"a":{"b":[1,{"c":"d"}]}})"},
      {R"({"a":1})", R"([{"op":"test","path":"/b","value":null}])", R"({"a":1})"},
      {R"({"a/b":{"m~n":1}})", R"([{"op":"replace","path":"/a~1b/m~0n","value":2}])",
       R"({"a/b":{"m~n":2}})"},
      {R"({"":{"":1}})", R"([{"op":"replace","path":"//","value":2}])", R"({"":{"":2}})"},
      {R"({"a":1})", "[]", R"({"a":1})"},
  };
  for (const Case& c : cases)
    STRCMP_EQUAL_TEXT(c.result, patched(c.document, c.patch).c_str(), c.patch);
}

TEST(JsonPatch, says_why_an_operation_cannot_be_done) {
  struct Case {
    const char *patch, *why;
  };
  const Case cases[] = {
      {R"([{"op":"test","path":"/a","value":1}])", "testing value /a failed: test failed"},
      {R"([{"op":"test","path":"","value":{}}])", "testing value  failed: test failed"},
      {R"([{"op":"test","path":"/l/9","value":1}])",
       "error in test for path: '/l/9': Unable to access invalid index: 9: invalid index "
       "referenced"},
      {R"([{"op":"remove","path":"/x"}])",
       "error in remove for path: '/x': Unable to remove nonexistent key: x: missing value"},
      {R"([{"op":"add","path":"/x/y","value":1}])",
       "add operation does not apply: doc is missing path: \"/x/y\": missing value"},
      {R"([{"op":"add","path":"/a/y","value":1}])",
       "add operation does not apply: doc is missing path: \"/a/y\": missing value"},
      {R"([{"op":"add","path":"/l/3","value":1}])",
       "error in add for path: '/l/3': Unable to access invalid index: 3: invalid index "
       "referenced"},
      {R"([{"op":"add","path":"/l/1x","value":1}])",
       "error in add for path: '/l/1x': Unable to access invalid index: 1x: invalid index "
       "referenced"},
      {R"([{"op":"replace","path":"/l/2","value":1}])",
       "replace operation does not apply: doc is missing key: /l/2: missing value"},
      {R"([{"op":"replace","path":"/x/y","value":1}])",
       "replace operation does not apply: doc is missing path: /x/y: missing value"},
      {R"([{"op":"move","from":"/x","path":"/y"}])",
       "error in move for path: '/x': Unable to remove nonexistent key: x: missing value"},
      {R"([{"op":"copy","from":"/x/y","path":"/y"}])",
       "copy operation does not apply: doc is missing from path: /x/y: missing value"},
      {R"([{"op":"copy","from":"/l/7","path":"/y"}])",
       "error in copy for from: '/l/7': Unable to access invalid index: 7: invalid index "
       "referenced"},
      {R"([{"op":"add","path":"/x"}])", "add operation for path '/x' has no value"},
      {R"([{"op":"add","value":1}])", "add operation failed to decode path: missing value"},
      {R"([{"op":"move","path":"/x"}])", "move operation failed to decode from: missing value"},
      {R"([{"op":"leap","path":"/x"}])", "Unexpected kind: leap"},
      {R"([{"op":1,"path":"/x"}])",
       "error decoding patch: json: cannot unmarshal number into Go struct field jsonPatchOp.op of "
       "type string"},
      {R"([1])",
       "error decoding patch: json: cannot unmarshal number into Go value of type "
       "handlers.jsonPatchOp"},
      {R"({})",
       "error decoding patch: json: cannot unmarshal object into Go value of type "
       "[]handlers.jsonPatchOp"},
  };
  for (const Case& c : cases) {
    STRCMP_EQUAL_TEXT(c.why, patched(R"({"a":"b","l":[1,2]})", c.patch).c_str(), c.patch);
  }
}

TEST(JsonPatch, refuses_in_kubernetes_words) {
  auto refused = json_patch(tree("{}"), tree(R"([{"op":"remove","path":"/x"}])"));
  CHECK(refused.error().reason == Reason::Invalid);
  CHECK_EQUAL("the server rejected our request due to an error in our request",
              refused.error().message);
  CHECK(json_patch(tree("{}"), tree("1")).error().reason == Reason::BadRequest);
}

TEST(JsonPatch, is_bounded_in_operations_depth_copies_and_work) {
  json::array many(10'001, {{"op", "test"}, {"path", ""}, {"value", json::object()}});
  auto refused = json_patch(tree("{}"), many);
  CHECK(refused.error().reason == Reason::RequestEntityTooLarge);
  CHECK_EQUAL("The allowed maximum operations in a JSON patch is 10000, got 10001",
              refused.error().message);

  json::array deeper;  // each puts the whole of /a into itself
  for (int i = 0; i < 200; ++i) {
    deeper.push_back({{"op", "add"}, {"path", "/b"}, {"value", json::object()}});
    deeper.push_back({{"op", "move"}, {"from", "/a"}, {"path", "/b/x"}});
    deeper.push_back({{"op", "move"}, {"from", "/b"}, {"path", "/a"}});
  }
  STRCMP_CONTAINS("nested deeper than 128", patched(R"({"a":{}})", to_text(deeper)).c_str());

  json::array doubling;  // /a twice as long, twenty-five times
  for (int i = 0; i < 25; ++i) {
    doubling.push_back({{"op", "copy"}, {"from", "/a"}, {"path", "/a/-"}});
  }
  STRCMP_CONTAINS("accumulated size increase of copy",
                  patched(R"({"a":[1]})", to_text(doubling)).c_str());

  json::array in_front;
  for (int i = 0; i < 10'000; ++i) {
    in_front.push_back({{"op", "add"}, {"path", "/a/0"}, {"value", 1}});
  }
  const json::value long_list{{"a", json::array(100'000, 1)}};
  STRCMP_CONTAINS("too much work", patched(to_text(long_list), to_text(in_front)).c_str());
}

TEST(MergePatch, merges_as_rfc_7386_has_it) {
  struct Case {
    const char *document, *patch, *result;
  };
  const Case cases[] = {
      {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
      {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
      {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
      {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
      {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
      {R"({"a":[1,2]})", R"({"a":{"b":1,"c":null}})", R"({"a":{"b":1}})"},
      {R"({})", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
  };
  for (const Case& c : cases) {
    auto result = merge_patch(tree(c.document), tree(c.patch));
    STRCMP_EQUAL_TEXT(c.result, to_text(*result).c_str(), c.patch);
  }
}

TEST(MergePatch, takes_objects_only) {
  CHECK(merge_patch(tree("{}"), tree("[]")).error().reason == Reason::BadRequest);
}
