// YAML as kubectl and the API server read it.
#include "api/json.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

TEST_GROUP(Yaml){};

namespace {

std::string to_json(std::string_view yaml) {
  auto document = parse_yaml(yaml);
  return document ? to_text(document->tree) : "error: " + document.error().message;
}

}  // namespace

TEST(Yaml, reads_scalars_as_kubernetes_does) {
  struct Case {
    const char* yaml;
    const char* json;
  };
  const Case cases[] = {
      {"yes", "true"},
      {"No", "false"},
      {"on", "true"},
      {"OFF", "false"},
      {"y", "true"},
      {"true", "true"},
      {"tRue", "\"tRue\""},
      {"~", "null"},
      {"null", "null"},
      {"", "null"},
      {"a:", "{\"a\":null}"},
      {"12", "12"},
      {"-3", "-3"},
      {"+3", "3"},
      {"0644", "420"},
      {"0o17", "15"},
      {"0x1F", "31"},
      {"0b101", "5"},
      {"-0b101", "-5"},
      {"1_000", "1000"},
      {"08", "8"},
      {"1.5", "1.5"},
      {"1.0", "1"},
      {"1e3", "1000"},
      {".5", "0.5"},
      {"-.5", "-0.5"},
      {"1e400", "\"1e400\""},
      {"1.2.3", "\"1.2.3\""},
      {"2024-01-02", "\"2024-01-02\""},
      {"2024-01-02T03:04:05Z", "\"2024-01-02T03:04:05Z\""},
      {"100m", "\"100m\""},
      {"1:30", "\"1:30\""},
      {"'12'", "\"12\""},
      {"\"yes\"", "\"yes\""},
      {"!!str 12", "\"12\""},
      {"!!int 12", "12"},
      {"!custom 12", "\"12\""},
      {"9223372036854775807", "9223372036854775807"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"18446744073709551615", "18446744073709551615"},
      {"-", "[null]"},
      {"a b", "\"a b\""},
      {"\"\\u00e9\\n\"", "\"é\\n\""},
  };
  for (const auto& c : cases) CHECK_EQUAL_TEXT(std::string(c.json), to_json(c.yaml), c.yaml);
}

TEST(Yaml, reads_collections_blocks_and_keys) {
  CHECK_EQUAL(std::string(R"({"a":[1,{"b":"c"}],"d":{"e":"f"}})"),
              to_json("a:\n- 1\n- b: c\nd: {e: f}\n"));
  CHECK_EQUAL(std::string(R"({"a":"x\ny\n","b":"x y"})"),
              to_json("a: |\n  x\n  y\nb: >-\n  x\n  y\n"));
  CHECK_EQUAL(std::string(R"({"1":"a","true":"b","1.5":"c","x":"d"})"),
              to_json("1: a\nyes: b\n1.5: c\n\"x\": d\n"));
  CHECK_EQUAL(std::string(R"({"a":1})"), to_json("# first\n---\na: 1\n---\nb: 2\n"));
}

TEST(Yaml, copies_anchors_and_merges_maps) {
  CHECK_EQUAL(std::string(R"({"a":{"x":1,"w":2},"b":{"x":1,"w":2},"c":[1,1]})"),
              to_json("a: &a {x: &one 1, w: 2}\nb: *a\nc: [*one, *one]\n"));
  CHECK_EQUAL(std::string(R"({"base":{"x":1,"w":2},"own":{"w":3,"x":1}})"),
              to_json("base: &base {x: 1, w: 2}\nown:\n  <<: *base\n  w: 3\n"));
  CHECK_EQUAL(std::string(R"({"l":[{"x":1},{"x":2,"z":4}],"own":{"x":1,"z":4}})"),
              to_json("l: [&p {x: 1}, &q {x: 2, z: 4}]\nown: {<<: [*p, *q]}\n"));
}

TEST(Yaml, is_json_too) {
  const std::string text = R"({"a":[1,2.5,"\ud83d\ude00 \/",null,true],"b":{"c":{}}})";
  CHECK_EQUAL(std::string(R"({"a":[1,2.5,"😀 /",null,true],"b":{"c":{}}})"), to_json(text));
  CHECK_EQUAL(std::string(R"({"a":[1,"x"]})"), to_json("{a: [1, x]}"));
  CHECK_EQUAL(std::string(R"([{"a":"b"},{"c":{"d":1}}])"), to_json("[a: b, c: {d: 1}]"));
}

TEST(Yaml, finds_keys_that_were_written_twice) {
  auto document = parse_yaml("spec:\n  replicas: 1\n  replicas: 2\n  l:\n  - {a: 1, a: 2}\n");
  CHECK(document.has_value());
  LONGS_EQUAL(2, document->duplicates.size());
  CHECK_EQUAL(std::string("spec.replicas"), document->duplicates[0]);
  CHECK_EQUAL(std::string("spec.l[0].a"), document->duplicates[1]);
}

TEST(Yaml, says_where_a_text_is_wrong) {
  for (const char* text :
       {"a: [1", "a: b: c", "\ta: 1", "a: *none", "a: &a [*a]", "? [x]\n: 1", "? {x: 1}\n: 1",
        "~: 1", "a: .nan", "!!int x", "!!binary aGk=", "a: \"\xff\"", "x: {<<: 1}", "a: 'b"}) {
    const std::string said = to_json(text);
    CHECK_TEXT(said.starts_with("error: yaml: "), (std::string(text) + " → " + said).c_str());
  }
}

TEST(Yaml, does_not_grow_by_aliases) {
  // Goal: a document of a few lines that would be 10^9 values is refused, quickly.
  std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    laughs += fmt::format("a{0}: &a{0} [", i);
    for (int k = 0; k < 10; ++k) laughs += fmt::format("*a{},", i - 1);
    laughs += "]\n";
  }
  CHECK_EQUAL(std::string("error: yaml: document has more than 500000 values"), to_json(laughs));
}

TEST(Yaml, is_bounded_in_depth) {
  for (const char* opening : {"[", "{a: ", "- "}) {
    std::string text;
    for (int i = 0; i < 100'000; ++i) text += opening;
    const std::string said = to_json(text);
    CHECK_TEXT(said.starts_with("error: yaml: "), said.c_str());
  }
}
