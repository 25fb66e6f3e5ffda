// /scale of what has replicas.
#include "tests/control/registry/fixture.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

namespace {

std::string scale(int replicas, std::string_view metadata = "") {
  return fmt::format(R"({{"apiVersion":"autoscaling/v1","kind":"Scale","metadata":{{"name":"web",
      "namespace":"default"{}}},"spec":{{"replicas":{}}}}})",
                     metadata, replicas);
}

}  // namespace

TEST_GROUP(Scale) {
  RegistryFixture api;
  void setup() override {
    const auto made = api.create(R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":
        {"name":"web"},"spec":{"replicas":3,"selector":{"matchLabels":{"b":"c","a":"b"}},
        "template":{"metadata":{"labels":{"a":"b","b":"c"}},
        "spec":{"containers":[{"name":"c","image":"i"}]}}}})");
    STRCMP_EQUAL("ok", status_of(made).c_str());
    CHECK_TRUE(api.patch("deployments.apps default/web/status", PatchType::Merge,
                         R"({"status":{"replicas":2}})")
                   .has_value());
  }
};

TEST(Scale, shows_the_numbers_of_its_object) {
  const auto answer = api.get("deployments.apps default/web/scale");
  const ObjectPtr web = api.find("deployments.apps default/web");
  STRCMP_EQUAL("\"Scale\"", at(answer, "/kind").c_str());
  STRCMP_EQUAL("\"autoscaling/v1\"", at(answer, "/apiVersion").c_str());
  STRCMP_EQUAL("3", at(answer, "/spec/replicas").c_str());
  STRCMP_EQUAL("2", at(answer, "/status/replicas").c_str());
  STRCMP_EQUAL("\"a=b,b=c\"", at(answer, "/status/selector").c_str());
  STRCMP_EQUAL(("\"" + web->uid + "\"").c_str(), at(answer, "/metadata/uid").c_str());
  LONGS_EQUAL(web->resource_version, answer->object->resource_version);
}

TEST(Scale, sets_the_replicas_of_its_object_and_counts_a_generation) {
  const auto put = api.update(scale(5), "scale");
  STRCMP_EQUAL("5", at(put, "/spec/replicas").c_str());
  STRCMP_EQUAL("\"Scale\"", at(put, "/kind").c_str());
  const auto patched = api.patch("deployments.apps default/web/scale", PatchType::Merge,
                                 R"({"spec":{"replicas":7}})");
  STRCMP_EQUAL("7", at(patched, "/spec/replicas").c_str());
  const auto web = api.get("deployments.apps default/web");
  STRCMP_EQUAL("7", at(web, "/spec/replicas").c_str());
  STRCMP_EQUAL("3", at(web, "/metadata/generation").c_str());
  const Revision before = api.store->revision();
  CHECK_TRUE(api.update(scale(7), "scale").has_value());
  LONGS_EQUAL(before, api.store->revision());
}

TEST(Scale, refuses) {
  struct Case {
    std::string json;
    const char* status;
  };
  const Case cases[] = {
      {scale(-1),
       "422 Invalid: Scale.autoscaling \"web\" is invalid: spec.replicas: Invalid value: -1: must "
       "be "
       "greater than or equal to 0"},
      {scale(4, R"(,"resourceVersion":"1")"),
       "409 Conflict: Operation cannot be fulfilled on deployments.apps \"web\": the object has "
       "been "
       "modified; please apply your changes to the latest version and try again"},
  };
  for (const auto& c : cases)
    STRCMP_EQUAL(c.status, status_of(api.update(c.json, "scale")).c_str());
  STRCMP_CONTAINS("Precondition failed: UID in precondition: x",
                  status_of(api.update(scale(4, R"(,"uid":"x")"), "scale")).c_str());
  STRCMP_EQUAL("404 NotFound: deployments.apps \"none\" not found",
               status_of(api.get("deployments.apps default/none/scale")).c_str());
  STRCMP_EQUAL(
      "404 NotFound: deployments.apps \"none\" not found",
      status_of(api.patch("deployments.apps default/none/scale", PatchType::Merge, "{}")).c_str());
  STRCMP_EQUAL("405 MethodNotAllowed: get is not supported on resources of kind \"pods/scale\"",
               status_of(api.get("pods default/p/scale")).c_str());
}
