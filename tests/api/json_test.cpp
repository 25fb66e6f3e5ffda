// JSON in and out: as Kubernetes writes it, and what it refuses.
#include "api/json.h"

#include "api/proto/apps/v1.pb.h"
#include "api/proto/core/v1/config_map.pb.h"
#include "api/proto/core/v1/event.pb.h"
#include "api/proto/core/v1/pod.pb.h"
#include "api/proto/core/v1/secret.pb.h"
#include "api/proto/core/v1/service.pb.h"
#include "api/proto/networking/v1.pb.h"
#include "tests/api/rows.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

TEST_GROUP(Json){};

namespace {

// Parses, fills a T, and returns what was unknown, or the error, in one text.
template <typename T>
std::string read(std::string_view text, T& message) {
  auto document = parse_json(text);
  if (!document) return document.error().message;
  std::vector<std::string> unknown;
  auto filled = message_from_json(document->tree.as_object(), message, unknown);
  if (!filled) return filled.error().message;
  std::string list;
  for (const auto& path : unknown) list += (list.empty() ? "" : " ") + path;
  return list;
}

template <typename T>
std::string rewrite(std::string_view text) {
  T message;
  const std::string wrong = read(text, message);
  return wrong.empty() ? message_to_json_text(message) : wrong;
}

}  // namespace

TEST(Json, writes_what_a_go_struct_always_writes) {
  core::Pod pod;
  pod.mutable_metadata()->set_name("web");
  CHECK_EQUAL(
      R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"web","creationTimestamp":null},)"
      R"("spec":{"containers":null},"status":{}})",
      object_to_json_text(test_pod(), pod));
}

TEST(Json, keeps_the_zero_of_a_pointer_and_drops_that_of_a_value) {
  CHECK_EQUAL(
      R"({"metadata":{"creationTimestamp":null},"spec":{"replicas":0,"selector":null,"template":{)"
      R"("metadata":{"creationTimestamp":null},"spec":{"containers":null}},"strategy":{}},)"
      R"("status":{}})",
      rewrite<apps::Deployment>(R"({"spec":{"replicas":0,"minReadySeconds":0,"paused":false}})"));
}

TEST(Json, writes_special_values_as_kubernetes_does) {
  struct Case {
    const char* in;
    const char* out;
  };
  const Case cases[] = {
      {R"({"name":"a","resources":{"limits":{"memory":"1024Mi","cpu":"1000m"}}})",
       R"({"name":"a","resources":{"limits":{"cpu":"1","memory":"1Gi"}}})"},
      {R"({"name":"a","resources":{"limits":{"cpu":0.5}}})",
       R"({"name":"a","resources":{"limits":{"cpu":"500m"}}})"},
      {R"({"name":"a","livenessProbe":{"httpGet":{"port":"http"}}})",
       R"({"name":"a","resources":{},"livenessProbe":{"httpGet":{"port":"http"}}})"},
      {R"({"name":"a","livenessProbe":{"httpGet":{"port":8080},"periodSeconds":5}})",
       R"({"name":"a","resources":{},"livenessProbe":{"httpGet":{"port":8080},)"
       R"("periodSeconds":5}})"},
      {R"({"name":"a","env":[{"name":"x","valueFrom":{"resourceFieldRef":{"resource":"cpu"}}}]})",
       R"({"name":"a","env":[{"name":"x","valueFrom":{"resourceFieldRef":{"resource":"cpu",)"
       R"("divisor":"0"}}}],"resources":{}})"},
  };
  for (const auto& c : cases)
    CHECK_EQUAL_TEXT(std::string(c.out), rewrite<core::Container>(c.in), c.in);
}

TEST(Json, flattens_inline_structs) {
  const std::string text = R"({"name":"v","configMap":{"name":"c",)"
                           R"("items":[{"key":"k","path":"p"}],"optional":true}})";
  core::Volume volume;
  CHECK_EQUAL(std::string(), read(text, volume));
  CHECK_EQUAL(std::string("c"), volume.volumesource().configmap().localobjectreference().name());
  CHECK(volume.volumesource().configmap().optional());
  CHECK_EQUAL(text, message_to_json_text(volume));
}

TEST(Json, writes_times_and_bytes) {
  CHECK_EQUAL(std::string(R"({"metadata":{"name":"s","creationTimestamp":"2024-02-29T12:00:01Z"},)"
                          R"("data":{"a":"/wA=","b":""},"type":"Opaque"})"),
              rewrite<core::Secret>(R"({"type":"Opaque","data":{"b":"","a":"/wA="},)"
                                    R"("metadata":{"name":"s",)"
                                    R"("creationTimestamp":"2024-02-29T14:00:01.75+02:00"}})"));
  CHECK_EQUAL(
      std::string(R"({"metadata":{"creationTimestamp":null},"involvedObject":{},"source":{},)"
                  R"("firstTimestamp":null,"lastTimestamp":null,)"
                  R"("eventTime":"2024-02-29T12:00:01.250000Z","reportingComponent":"",)"
                  R"("reportingInstance":""})"),
      rewrite<core::Event>(R"({"eventTime":"2024-02-29T12:00:01.250000Z","metadata":{}})"));
}

TEST(Json, escapes_as_go_does) {
  core::ConfigMap config_map;
  (*config_map.mutable_data())["k"] = "<a href=\"x\">&\x01\n\u2028é\xff";
  CHECK_EQUAL(std::string(R"({"metadata":{"creationTimestamp":null},"data":{"k":)"
                          R"("\u003ca href=\"x\"\u003e\u0026\u0001\n\u2028é\ufffd"}})"),
              message_to_json_text(config_map));
}

TEST(Json, sorts_the_keys_of_maps) {
  CHECK_EQUAL(
      std::string(R"({"metadata":{"creationTimestamp":null},"data":{"B":"1","a":"2","b":"3"}})"),
      rewrite<core::ConfigMap>(R"({"data":{"b":"3","a":"2","B":"1"}})"));
}

TEST(Json, names_unknown_fields_by_their_paths) {
  core::Pod pod;
  CHECK_EQUAL(std::string("spec.containers[1].imagePullpolicy spec.foo"),
              read(R"({"apiVersion":"v1","kind":"Pod","spec":{"containers":[{"name":"a"},)"
                   R"({"name":"b","imagePullpolicy":"Always"}],"foo":{"bar":1}}})",
                   pod));
  LONGS_EQUAL(2, pod.spec().containers_size());
}

TEST(Json, refuses_wrong_types_in_the_words_of_go) {
  struct Case {
    const char* in;
    const char* error;
  };
  const Case cases[] = {
      {R"({"spec":{"replicas":"3"}})",
       "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type "
       "int32"},
      {R"({"spec":{"replicas":3000000000}})",
       "json: cannot unmarshal number 3000000000 into Go struct field DeploymentSpec.spec.replicas "
       "of type int32"},
      {R"({"spec":{"replicas":1.5}})",
       "json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of "
       "type int32"},
      {R"({"spec":[]})",
       "json: cannot unmarshal array into Go struct field Deployment.spec of type "
       "v1.DeploymentSpec"},
      {R"({"metadata":{"labels":{"a":1}}})",
       "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type "
       "string"},
      {R"({"metadata":{"labels":"a"}})",
       "json: cannot unmarshal string into Go struct field ObjectMeta.metadata.labels of type "
       "map[string]string"},
      {R"({"spec":{"template":{"spec":{"containers":[{"env":[{"name":"a","value":true}]}]}}}})",
       "json: cannot unmarshal bool into Go struct field "
       "EnvVar.spec.template.spec.containers.env.value of type string"},
      {R"({"spec":{"template":{"spec":{"containers":{}}}}})",
       "json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers "
       "of type []v1.Container"},
      {R"({"spec":{"paused":1}})",
       "json: cannot unmarshal number into Go struct field DeploymentSpec.spec.paused of type "
       "bool"},
      {R"({"spec":{"template":{"spec":{"volumes":[{"configMap":3}]}}}})",
       "json: cannot unmarshal number into Go struct field "
       "Volume.spec.template.spec.volumes.configMap of type v1.ConfigMapVolumeSource"},
      {R"({"spec":{"template":{"spec":{"containers":[{"resources":{"limits":{"cpu":"x"}}}]}}}})",
       "quantities must match the regular expression "
       "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"},
  };
  for (const auto& c : cases) {
    apps::Deployment deployment;
    CHECK_EQUAL_TEXT(std::string(c.error), read(c.in, deployment), c.in);
  }
}

TEST(Json, finds_keys_that_were_written_twice) {
  auto document = parse_json(
      R"({"spec":{"replicas":1,"replicas":2,"l":[{"a":1},{"a":1,"b":2,"a":3}]},"spec2":1})");
  CHECK(document.has_value());
  LONGS_EQUAL(2, document->duplicates.size());
  CHECK_EQUAL(std::string("spec.replicas"), document->duplicates[0]);
  CHECK_EQUAL(std::string("spec.l[1].a"), document->duplicates[1]);
  CHECK_EQUAL(std::string(R"({"spec":{"replicas":2,"l":[{"a":1},{"a":3,"b":2}]},"spec2":1})"),
              to_text(document->tree));
}

TEST(Json, says_where_a_text_is_not_json) {
  for (const char* text :
       {"", "{", "{\"a\":}", "[1,]", "{\"a\":1}x", "\"\xff\"", "nul", "{'a':1}", "1e400"}) {
    auto document = parse_json(text);
    CHECK_FALSE_TEXT(document.has_value(), text);
    CHECK_TEXT(document.error().reason == Reason::BadRequest, text);
    CHECK_TEXT(document.error().message.starts_with("invalid JSON at line 1, column "), text);
    CHECK_FALSE_TEXT(is_json(text), text);
  }
}

TEST(Json, is_bounded_in_depth_and_number_of_values) {
  auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK(parse_json(nested(128)).has_value());
  CHECK_FALSE(parse_json(nested(129)).has_value());
  CHECK_FALSE(is_json(nested(100'000)));
  std::string many = "[";
  for (int i = 0; i < 500'001; ++i) many += "0,";
  many.back() = ']';
  CHECK_FALSE(parse_json(many).has_value());
  CHECK_FALSE(is_json(many));
}

TEST(Json, does_not_tell_of_what_is_wrong_without_end) {
  // Goal: a body of a few megabytes must not make hundreds of megabytes of paths.
  const std::string key(500'000, 'k');
  std::string text = "{\"" + key + "\":{\"" + key + "\":{";
  for (int i = 0; i < 500; ++i) text += "\"a\":1,";
  text.back() = '}';
  text += "}}";
  auto document = parse_json(text);
  LONGS_EQUAL(100, document->duplicates.size());
  LONGS_EQUAL(1024, document->duplicates[99].size());
  std::string many = "{";
  for (int i = 0; i < 500; ++i) many += fmt::format("\"x{}\":1,", i);
  many.back() = '}';
  core::Pod pod;
  std::vector<std::string> unknown;
  (void)message_from_json(parse_json(many)->tree.as_object(), pod, unknown);
  LONGS_EQUAL(100, unknown.size());
}

TEST(Json, tree_and_text_are_the_same_document) {
  core::Pod pod;
  pod.mutable_metadata()->set_name("web");
  pod.mutable_metadata()->set_generation(9'007'199'254'740'993);
  CHECK_EQUAL(object_to_json_text(test_pod(), pod), to_text(object_to_json(test_pod(), pod)));
  CHECK_EQUAL(message_to_json_text(pod), to_text(message_to_json(pod)));
}
