// GET of one object.
#include "tests/control/registry/fixture.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

TEST_GROUP(Get) {
  RegistryFixture api;
};

TEST(Get, shows_the_object_and_the_revision_to_wait_for) {
  const auto made = api.create(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}})");
  api.make_namespace("later");
  const auto answer = api.get("configmaps default/a");
  STRCMP_EQUAL("ok", status_of(answer).c_str());
  LONGS_EQUAL(made->revision, answer->revision);
  POINTERS_EQUAL(made->object.get(), answer->object.get());
}

TEST(Get, refuses) {
  CHECK_TRUE(
      api.create(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}})").has_value());
  const std::string current = std::to_string(api.store->revision());
  struct Case {
    const char* what;
    std::string revision;
    std::string status;
  };
  const Case cases[] = {
      {"configmaps default/x", "", "404 NotFound: configmaps \"x\" not found"},
      {"deployments.apps default/x", "", "404 NotFound: deployments.apps \"x\" not found"},
      {"configmaps default/a", "0", "ok"},
      {"configmaps default/a", "1", "ok"},
      {"configmaps default/a", current, "ok"},
      {"configmaps default/a", "999",
       "504 Timeout: Timeout: Too large resource version: 999, current: " + current},
      {"configmaps default/a", "x",
       "400 BadRequest: invalid resource version: resourceVersion: Invalid value: \"x\": "
       "strconv.ParseUint: parsing \"x\": invalid syntax"},
      {"configmaps default/a", "-1",
       "400 BadRequest: invalid resource version: resourceVersion: Invalid value: \"-1\": "
       "strconv.ParseUint: parsing \"-1\": invalid syntax"},
      {"configmaps default/a/scale", "",
       "405 MethodNotAllowed: get is not supported on resources of kind \"configmaps/scale\""},
  };
  for (const auto& c : cases) {
    STRCMP_EQUAL(c.status.c_str(), status_of(api.get(c.what, c.revision)).c_str());
  }
  const Error error = api.get("configmaps default/a", "999").error();
  LONGS_EQUAL(1, error.details->retry_after_seconds);
  STRCMP_EQUAL("ResourceVersionTooLarge", error.details->causes.at(0).reason.c_str());
  const Error missing = api.get("deployments.apps default/x").error();
  STRCMP_EQUAL("apps deployments x", fmt::format("{} {} {}", missing.details->group,
                                                 missing.details->kind, missing.details->name)
                                         .c_str());
}
