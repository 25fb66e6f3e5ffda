// PATCH: the four sorts, strictness, locks. (How patches merge is tests/api's.)
#include "tests/control/registry/fixture.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

TEST_GROUP(Patch) {
  RegistryFixture api;

  void setup() override {
    const auto made = api.create(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},
        "data":{"k":"1"}})");
    STRCMP_EQUAL("ok", status_of(made).c_str());
    const auto web = api.create(R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":
        {"name":"web"},"spec":{"replicas":1,"selector":{"matchLabels":{"a":"b"}},"template":
        {"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}})");
    STRCMP_EQUAL("ok", status_of(web).c_str());
  }
  Result<Answer> merge(std::string_view json) {
    return api.patch("configmaps default/a", PatchType::Merge, json);
  }
};

TEST(Patch, changes_what_it_names) {
  struct Case {
    const char* name;
    PatchType type;
    const char* json;
    const char* data;
  };
  const Case cases[] = {
      {"merge", PatchType::Merge, R"({"data":{"x":"2"}})", R"({"k":"1","x":"2"})"},
      {"merge, removing", PatchType::Merge, R"({"data":{"x":null}})", R"({"k":"1"})"},
      {"json", PatchType::Json, R"([{"op":"replace","path":"/data/k","value":"3"}])",
       R"({"k":"3"})"},
      {"strategic", PatchType::StrategicMerge, R"({"data":{"y":"4"}})", R"({"k":"3","y":"4"})"},
  };
  for (const auto& c : cases) {
    const auto answer = api.patch("configmaps default/a", c.type, c.json);
    STRCMP_EQUAL_TEXT("ok", status_of(answer).c_str(), c.name);
    STRCMP_EQUAL_TEXT(c.data, at(answer, "/data").c_str(), c.name);
    CHECK_FALSE(answer->created);
  }
}

TEST(Patch, makes_no_revision_when_nothing_changes) {
  const Revision before = api.store->revision();
  CHECK_TRUE(merge(R"({"data":{"k":"1"}})").has_value());
  CHECK_TRUE(merge("{}").has_value());
  LONGS_EQUAL(before, api.store->revision());
}

TEST(Patch, is_a_lock_when_it_carries_a_revision) {
  STRCMP_EQUAL(
      "409 Conflict: Operation cannot be fulfilled on configmaps \"a\": the object has been "
      "modified; please apply your changes to the latest version and try again",
      status_of(merge(R"({"metadata":{"resourceVersion":"1"},"data":{"k":"2"}})")).c_str());
  const std::string current = std::to_string(api.find("configmaps default/a")->resource_version);
  STRCMP_EQUAL(
      "ok",
      status_of(merge(fmt::format(R"({{"metadata":{{"resourceVersion":"{}"}},"data":{{"k":"2"}}}})",
                                  current)))
          .c_str());
}

TEST(Patch, goes_through_the_door_it_is_sent_to) {
  const auto status = api.patch("deployments.apps default/web/status", PatchType::Merge,
                                R"({"spec":{"replicas":9},"status":{"replicas":5}})");
  STRCMP_EQUAL("1", at(status, "/spec/replicas").c_str());
  STRCMP_EQUAL("5", at(status, "/status/replicas").c_str());
  const auto main = api.patch("deployments.apps default/web", PatchType::Merge,
                              R"({"spec":{"replicas":2},"status":{"replicas":7}})");
  STRCMP_EQUAL("2", at(main, "/spec/replicas").c_str());
  STRCMP_EQUAL("5", at(main, "/status/replicas").c_str());
  STRCMP_EQUAL("2", at(main, "/metadata/generation").c_str());
}

TEST(Patch, minds_unknown_and_duplicate_fields_as_it_is_told) {
  const char* json = R"({"data":{"k":"1","k":"2"},"bogus":1,"metadata":{"odd":2}})";
  api.context.field_validation = FieldValidation::Strict;
  STRCMP_EQUAL(
      "422 Invalid:  \"\" is invalid: patch: Invalid value: "
      "\"{\\\"data\\\":{\\\"k\\\":\\\"2\\\"},\\\"bogus\\\":1,\\\"metadata\\\":{\\\"odd\\\":2}}\": "
      "strict decoding error: duplicate field \"data.k\", unknown field \"metadata.odd\", "
      "unknown field \"bogus\"",
      status_of(merge(json)).c_str());
  api.context.field_validation = FieldValidation::Warn;
  STRCMP_EQUAL("ok", status_of(merge(json)).c_str());
  LONGS_EQUAL(3, api.context.warnings.size());
  STRCMP_EQUAL("duplicate field \"data.k\"", api.context.warnings[0].c_str());
  api.context.warnings.clear();
  api.context.field_validation = FieldValidation::Ignore;
  STRCMP_EQUAL("ok", status_of(merge(json)).c_str());
  LONGS_EQUAL(0, api.context.warnings.size());
}

TEST(Patch, refuses) {
  struct Case {
    const char* what;
    PatchType type;
    const char* json;
    const char* status;
  };
  const Case cases[] = {
      {"configmaps default/none", PatchType::Merge, "{}",
       "404 NotFound: configmaps \"none\" not found"},
      {"configmaps default/a/status", PatchType::Merge, "{}",
       "405 MethodNotAllowed: patch is not supported on resources of kind \"configmaps/status\""},
      {"configmaps default/a", PatchType::Merge, R"({"kind":"Secret"})",
       "400 BadRequest: the result of the patch is not a ConfigMap of v1"},
      {"configmaps default/a", PatchType::Json, R"([{"op":"replace","path":"","value":7}])",
       "400 BadRequest: the result of the patch is not a ConfigMap of v1"},
  };
  const Revision before = api.store->revision();
  for (const auto& c : cases) {
    STRCMP_EQUAL(c.status, status_of(api.patch(c.what, c.type, c.json)).c_str());
  }
  STRCMP_CONTAINS("422 Invalid:  \"\" is invalid: patch: Invalid value:",
                  status_of(merge(R"({"data":{"k":5}})")).c_str());
  api.context.force = true;
  STRCMP_EQUAL(
      "422 Invalid: PatchOptions.meta.k8s.io \"\" is invalid: force: Forbidden: may not be "
      "specified for non-apply patch",
      status_of(merge("{}")).c_str());
  LONGS_EQUAL(before, api.store->revision());
}

TEST(Patch, changes_nothing_on_a_dry_run) {
  api.context.dry_run = true;
  const Revision before = api.store->revision();
  STRCMP_EQUAL("\"2\"", at(merge(R"({"data":{"k":"2"}})"), "/data/k").c_str());
  LONGS_EQUAL(before, api.store->revision());
}

TEST(Patch, of_an_event_is_of_the_form_it_is_served_in) {
  CHECK_TRUE(api.create(R"({"apiVersion":"v1","kind":"Event","metadata":{"name":"e"},
      "involvedObject":{"kind":"Pod","namespace":"default","name":"p"},"message":"M","count":1})")
                 .has_value());
  const auto answer =
      api.patch("events.events.k8s.io default/e", PatchType::Merge, R"({"note":"N"})");
  STRCMP_EQUAL("\"N\"", at(answer, "/note").c_str());
  STRCMP_EQUAL("\"N\"", at(api.get("events default/e"), "/message").c_str());
  STRCMP_CONTAINS(
      "415 UnsupportedMediaType",
      status_of(api.patch("events.events.k8s.io default/e", PatchType::Apply, "{}")).c_str());
}
