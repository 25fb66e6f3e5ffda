// Server-side apply through the registry: creation, ownership, conflicts, doors.
#include "tests/control/registry/fixture.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

namespace {

std::string config_map(std::string_view data, std::string_view metadata = "") {
  return fmt::format(
      R"({{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"a"{}}},"data":{}}})", metadata,
      data);
}

}  // namespace

TEST_GROUP(Apply) {
  RegistryFixture api;
  Result<Answer> apply(const std::string& manager, const std::string& json) {
    api.context.field_manager = manager;
    return api.patch("configmaps default/a", PatchType::Apply, json);
  }
};

TEST(Apply, creates_and_then_updates) {
  const auto made = apply("m", config_map(R"({"k":"1"})"));
  STRCMP_EQUAL("ok", status_of(made).c_str());
  CHECK_TRUE(made->created);
  LONGS_EQUAL(36, made->object->uid.size());
  STRCMP_EQUAL("\"m\"", at(made, "/metadata/managedFields/0/manager").c_str());
  STRCMP_EQUAL("\"Apply\"", at(made, "/metadata/managedFields/0/operation").c_str());
  const auto again = apply("m", config_map(R"({"k":"1"})"));
  LONGS_EQUAL(made->revision, again->revision);  // nothing new
  CHECK_FALSE(again->created);
  const auto changed = apply("m", config_map(R"({"x":"2"})"));
  STRCMP_EQUAL(R"({"x":"2"})", at(changed, "/data").c_str());  // what is left out goes
}

TEST(Apply, conflicts_with_another_s_fields_unless_forced) {
  CHECK_TRUE(apply("one", config_map(R"({"k":"1"})")).has_value());
  const auto refused = apply("two", config_map(R"({"k":"2"})"));
  STRCMP_EQUAL("409 Conflict: Apply failed with 1 conflict: conflict with \"one\": .data.k",
               status_of(refused).c_str());
  STRCMP_EQUAL("FieldManagerConflict", refused.error().details->causes.at(0).reason.c_str());
  api.context.force = true;
  STRCMP_EQUAL(R"({"k":"2"})", at(apply("two", config_map(R"({"k":"2"})")), "/data").c_str());
}

TEST(Apply, wants_a_manager_and_an_object_of_this_kind_and_name) {
  struct Case {
    const char* manager;
    std::string json;
    const char* status;
  };
  const Case cases[] = {
      {"", config_map("{}"),
       "422 Invalid: PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is "
       "required for apply patch"},
      {"m", "[]", "400 BadRequest: an apply patch must be an object"},
      {"m", R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"b"}})",
       "400 BadRequest: the name of the object (b) does not match the name on the URL (a)"},
  };
  for (const auto& c : cases) STRCMP_EQUAL(c.status, status_of(apply(c.manager, c.json)).c_str());
  STRCMP_CONTAINS(
      "400 BadRequest",
      status_of(apply("m", R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"a"}})"))
          .c_str());
}

TEST(Apply, minds_duplicates_as_it_is_told) {
  const std::string json = config_map(R"({"k":"1","k":"2"})");
  api.context.field_validation = FieldValidation::Strict;
  STRCMP_EQUAL("400 BadRequest: error strict decoding YAML: duplicate field \"data.k\"",
               status_of(apply("m", json)).c_str());
  api.context.field_validation = FieldValidation::Warn;
  STRCMP_EQUAL("ok", status_of(apply("m", json)).c_str());
  STRCMP_EQUAL("duplicate field \"data.k\"", api.context.warnings.at(0).c_str());
}

TEST(Apply, of_a_status_or_a_scale_needs_its_object) {
  api.context.field_manager = "m";
  const char* status = R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},
      "status":{"replicas":2}})";
  STRCMP_EQUAL("404 NotFound: deployments.apps \"web\" not found",
               status_of(api.patch("deployments.apps default/web/status", PatchType::Apply, status))
                   .c_str());
  CHECK_TRUE(api.create(R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},
      "spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},
      "spec":{"containers":[{"name":"c","image":"i"}]}}}})")
                 .has_value());
  const auto applied = api.patch("deployments.apps default/web/status", PatchType::Apply, status);
  STRCMP_EQUAL("2", at(applied, "/status/replicas").c_str());
  api.context.force = true;
  const auto scaled = api.patch("deployments.apps default/web/scale", PatchType::Apply,
                                R"({"apiVersion":"autoscaling/v1","kind":"Scale",
                                    "metadata":{"name":"web"},"spec":{"replicas":6}})");
  STRCMP_EQUAL("\"Scale\"", at(scaled, "/kind").c_str());
  STRCMP_EQUAL("6", at(scaled, "/spec/replicas").c_str());
}

TEST(Apply, leaves_nothing_behind_on_a_dry_run) {
  api.context.dry_run = true;
  const Revision before = api.store->revision();
  CHECK_TRUE(apply("m", config_map(R"({"k":"1"})"))->created);
  LONGS_EQUAL(before, api.store->revision());
}
