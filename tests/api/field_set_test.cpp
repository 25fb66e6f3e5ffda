// Sets of fields: as fieldsV1 writes them, and as sets.
#include "api/field_set.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

TEST_GROUP(FieldSet) {
  TextPool pool;

  FieldSet set(std::string_view text) {
    auto parsed = FieldSet::parse(text, pool);
    CHECK_TEXT(parsed, std::string(text).c_str());
    return std::move(*parsed);
  }
  std::string rewrite(std::string_view text) {
    auto parsed = FieldSet::parse(text, pool);
    return parsed ? parsed->to_fields_v1() : parsed.error().message;
  }
};

TEST(FieldSet, reads_and_writes_what_upstream_writes) {
  const char* texts[] = {
      "{}",
      R"({"f:data":{"f:a":{}}})",
      R"({"f:metadata":{"f:labels":{".":{},"f:app":{}}},"f:spec":{"f:replicas":{}}})",
      R"({"f:spec":{"f:containers":{"k:{\"name\":\"web\"}":{".":{},"f:image":{},"f:ports":{)"
      R"("k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{}}}}}}})",
      R"({"f:metadata":{"f:finalizers":{"v:\"a/b\"":{}}}})",
      R"({"f:l":{"k:{\"port\":80}":{},"k:{\"port\":443}":{},"k:{\"port\":8080}":{}}})",
      R"({"f:l":{"v:-1":{},"v:2":{},"v:10":{},"v:\"1\"":{},"v:true":{}}})",
      R"({"f:data":{"f:a\u003cb":{}}})",
      R"({"f:l":{"k:{\"name\":\"a\\\"b\"}":{}}})",
  };
  for (const char* text : texts) STRCMP_EQUAL_TEXT(text, rewrite(text).c_str(), text);
}

TEST(FieldSet, puts_what_others_write_into_our_order_and_escapes) {
  struct Case {
    const char *text, *ours;
  };
  const Case cases[] = {
      {R"({"f:b":{},"f:a":{}})", R"({"f:a":{},"f:b":{}})"},
      {" {\n \"f:a\" : { } } ", R"({"f:a":{}})"},
      {R"({"f:l":{"k:{\"port\":8080}":{},"k:{\"port\":80}":{}}})",
       R"({"f:l":{"k:{\"port\":80}":{},"k:{\"port\":8080}":{}}})"},
      {R"({"f:a<b":{}})", R"({"f:a\u003cb":{}})"},
      {R"({"f:\u0061":{}})", R"({"f:a":{}})"},
      {R"({"f:a\/b":{},"f:a/b":{}})", R"({"f:a/b":{}})"},
      {R"({"x:new":{"f:a":{}},"f:a":{}})", R"({"f:a":{}})"},
      {R"({"f:a":{".":{}}})", R"({"f:a":{}})"},
  };
  for (const Case& c : cases) STRCMP_EQUAL_TEXT(c.ours, rewrite(c.text).c_str(), c.text);
}

TEST(FieldSet, refuses_what_is_no_fields_v1) {
  std::string deep, flat;
  for (int i = 0; i < 1'000; ++i) deep += "{\"f:a\":";
  for (const std::string& text :
       {std::string(), std::string("null"), std::string("{"), std::string(R"({"f:a":1})"),
        std::string(R"({"f:a":{}} x)"), std::string(R"({"a":{}})"), std::string(R"({"f":{}})"),
        std::string(R"({"f:a":{},})"), std::string(R"({"f:a)"), std::string(R"({"f:a\)"), deep}) {
    CHECK_TEXT(!FieldSet::parse(text, pool), text.c_str());
  }
}

TEST(FieldSet, is_a_set) {
  const FieldSet a = set(R"({"f:m":{".":{},"f:x":{},"f:y":{}},"f:only-a":{"f:z":{}}})");
  const FieldSet b = set(R"({"f:m":{"f:y":{},"f:z":{}},"f:only-b":{}})");
  STRCMP_EQUAL(R"({"f:m":{".":{},"f:x":{},"f:y":{},"f:z":{}},"f:only-a":{"f:z":{}},"f:only-b":{}})",
               unite(a, b).to_fields_v1().c_str());
  STRCMP_EQUAL(R"({"f:m":{"f:y":{}}})", intersect(a, b).to_fields_v1().c_str());
  STRCMP_EQUAL(R"({"f:m":{".":{},"f:x":{}},"f:only-a":{"f:z":{}}})",
               subtract(a, b).to_fields_v1().c_str());
  STRCMP_EQUAL(R"({"f:m":{"f:z":{}},"f:only-b":{}})", subtract(b, a).to_fields_v1().c_str());
  CHECK(intersects(a, b));
  CHECK(!intersects(a, set(R"({"f:m":{"f:z":{}}})")));
  CHECK(includes(a, set(R"({"f:m":{"f:x":{}}})")));
  CHECK(!includes(a, b));
  CHECK(!includes(b, set(R"({"f:m":{}})")));
  CHECK(includes(a, set("{}")));
  CHECK(subtract(a, a).empty());
  CHECK(unite(a, a) == a);
  CHECK(!(a == b));
}

TEST(FieldSet, tells_its_paths_members_first) {
  const FieldSet fields =
      set(R"({"f:spec":{"f:containers":{"k:{\"name\":\"web\"}":{".":{},"f:image":{},"f:ports":{)"
          R"("k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{}}}},"f:replicas":{}},)"
          R"("f:metadata":{"f:finalizers":{"v:\"x\"":{}}}})");
  std::string all;
  for (const std::string& path : fields.paths()) all += path + "\n";
  STRCMP_EQUAL(
      ".metadata.finalizers[=\"x\"]\n.spec.replicas\n.spec.containers[name=\"web\"]\n"
      ".spec.containers[name=\"web\"].image\n"
      ".spec.containers[name=\"web\"].ports[containerPort=80,protocol=\"TCP\"]\n",
      all.c_str());
}

TEST(FieldSet, elements_are_escaped_as_json_keys) {
  const FieldElement key = key_element({{"name", "a\"b"}, {"port", 80}, {"x", true}}, pool);
  CHECK_EQUAL(R"({\"name\":\"a\\\"b\",\"port\":80,\"x\":true})", std::string(key.text));
  CHECK_EQUAL(R"(a\u0026b)", std::string(field_element("a&b", pool).text));
  CHECK_EQUAL(R"(\"é\")", std::string(value_element("é", pool).text));
  CHECK_EQUAL("7", std::string(value_element(7, pool).text));
}
