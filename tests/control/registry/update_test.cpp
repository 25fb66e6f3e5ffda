// PUT: locks, what stays as it was, generations, and writes that change nothing.
#include <google/protobuf/message.h>

#include "tests/control/registry/fixture.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

namespace {

// A Deployment named web; what follows the name goes into its metadata.
std::string deployment(std::string_view metadata, int replicas, std::string_view status = "{}") {
  return fmt::format(R"({{"apiVersion":"apps/v1","kind":"Deployment","metadata":{{"name":"web"{}}},
      "spec":{{"replicas":{},"selector":{{"matchLabels":{{"a":"b"}}}},"template":{{"metadata":
      {{"labels":{{"a":"b"}}}},"spec":{{"containers":[{{"name":"c","image":"i"}}]}}}}}},
      "status":{}}})",
                     metadata, replicas, status);
}

std::string config_map(std::string_view metadata, std::string_view value) {
  return fmt::format(
      R"({{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"a"{}}},"data":{{"k":"{}"}}}})",
      metadata, value);
}

}  // namespace

TEST_GROUP(Update) {
  RegistryFixture api;
};

TEST(Update, replaces_and_takes_a_revision) {
  const auto made = api.create(config_map("", "1"));
  const auto answer = api.update(config_map("", "2"));
  STRCMP_EQUAL("ok", status_of(answer).c_str());
  CHECK_FALSE(answer->created);
  LONGS_EQUAL(made->revision + 1, answer->revision);
  STRCMP_EQUAL("\"2\"", at(answer, "/data/k").c_str());
  STRCMP_EQUAL(made->object->uid.c_str(), answer->object->uid.c_str());
  STRCMP_EQUAL(at(made, "/metadata/creationTimestamp").c_str(),
               at(answer, "/metadata/creationTimestamp").c_str());
}

TEST(Update, refuses) {
  const auto made = api.create(config_map("", "1"));
  const std::string uid = made->object->uid;
  CHECK_TRUE(api.create(R"({"apiVersion":"coordination.k8s.io/v1","kind":"Lease",
      "metadata":{"name":"l"},"spec":{"holderIdentity":"me"}})")
                 .has_value());
  const std::string lock = "409 Conflict: Operation cannot be fulfilled on configmaps \"a\": ";
  struct Case {
    std::string json;
    std::string status;
  };
  const Case cases[] = {
      {R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"none"}})",
       "404 NotFound: configmaps \"none\" not found"},
      {config_map(R"(,"resourceVersion":"1")", "2"),
       lock + "the object has been modified; please apply your changes to the latest version and "
              "try again"},
      {config_map(R"(,"resourceVersion":"x")", "2"),
       lock + "the object has been modified; please apply your changes to the latest version and "
              "try again"},
      {config_map(R"(,"uid":"other")", "2"),
       lock + "Precondition failed: UID in precondition: other, UID in object meta: " + uid},
      {R"({"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"l"}})",
       "422 Invalid: Lease.coordination.k8s.io \"l\" is invalid: metadata.resourceVersion: Invalid "
       "value: 0x0: must be specified for an update"},
  };
  const Revision before = api.store->revision();
  for (const auto& c : cases) STRCMP_EQUAL(c.status.c_str(), status_of(api.update(c.json)).c_str());
  LONGS_EQUAL(before, api.store->revision());
  const auto current = std::to_string(made->revision);
  STRCMP_EQUAL(
      "ok", status_of(api.update(config_map(
                          fmt::format(R"(,"resourceVersion":"{}","uid":"{}")", current, uid), "2")))
                .c_str());
}

TEST(Update, wants_the_name_of_the_url_in_the_body) {
  CHECK_TRUE(api.create(config_map("", "1")).has_value());
  struct Case {
    const char* body_name;
    const char* status;
  };
  const Case cases[] = {
      {"b", "400 BadRequest: the name of the object (b) does not match the name on the URL (a)"},
      {"",
       "400 BadRequest: the name of the object (a based on URL) was undeterminable: name must be "
       "provided"}};
  for (const auto& c : cases) {
    auto document = parse_json(fmt::format(R"({{"metadata":{{"name":"{}"}}}})", c.body_name));
    auto message = kinds::config_map().make_message();
    std::vector<std::string> unknown;
    CHECK_TRUE(message_from_json(document->tree.as_object(), *message, unknown).has_value());
    STRCMP_EQUAL(c.status, status_of(api.registry->update({kinds::config_map(), "default", "a"},
                                                          std::move(message), api.context))
                               .c_str());
  }
}

TEST(Update, makes_no_revision_when_nothing_changes) {
  const auto made = api.create(config_map("", "1"));
  RecordingSink seen;
  api.loop.run_for(10s);
  const auto answer = api.update(config_map("", "1"));
  STRCMP_EQUAL("ok", status_of(answer).c_str());
  LONGS_EQUAL(made->revision, answer->revision);
  LONGS_EQUAL(made->revision, api.store->revision());
  POINTERS_EQUAL(made->object.get(), answer->object.get());
}

TEST(Update, counts_generations_of_the_spec_alone) {
  CHECK_TRUE(api.create(deployment("", 1)).has_value());
  STRCMP_EQUAL(
      "1", at(api.update(deployment(R"(,"labels":{"x":"y"})", 1)), "/metadata/generation").c_str());
  STRCMP_EQUAL("2", at(api.update(deployment("", 2)), "/metadata/generation").c_str());
  STRCMP_EQUAL("2",
               at(api.update(deployment(R"(,"generation":9)", 2)), "/metadata/generation").c_str());
  const auto status = api.update(deployment("", 3, R"({"replicas":3})"), "status");
  STRCMP_EQUAL("2", at(status, "/metadata/generation").c_str());
}

TEST(Update, writes_spec_and_status_through_doors_of_their_own) {
  CHECK_TRUE(api.create(deployment("", 1)).has_value());
  const auto through_main = api.update(deployment("", 2, R"({"replicas":7})"));
  STRCMP_EQUAL("", at(through_main, "/status/replicas").c_str());
  STRCMP_EQUAL("2", at(through_main, "/spec/replicas").c_str());
  const auto through_status = api.update(deployment("", 9, R"({"replicas":7})"), "status");
  STRCMP_EQUAL("7", at(through_status, "/status/replicas").c_str());
  STRCMP_EQUAL("2", at(through_status, "/spec/replicas").c_str());
  const auto again = api.update(deployment("", 3));
  STRCMP_EQUAL("7", at(again, "/status/replicas").c_str());
  STRCMP_EQUAL("404 NotFound: deployments.apps \"none\" not found",
               status_of(api.update(R"({"apiVersion":"apps/v1","kind":"Deployment",
                   "metadata":{"name":"none"}})",
                                    "status"))
                   .c_str());
  CHECK_TRUE(api.create(config_map("", "1")).has_value());
  STRCMP_EQUAL(
      "405 MethodNotAllowed: update is not supported on resources of kind "
      "\"configmaps/status\"",
      status_of(api.update(config_map("", "2"), "status")).c_str());
}

TEST(Update, creates_where_the_kind_allows_it) {
  const char* lease = R"({"apiVersion":"coordination.k8s.io/v1","kind":"Lease",
      "metadata":{"name":"l","resourceVersion":"77"},"spec":{"holderIdentity":"me"}})";
  const auto answer = api.update(lease);
  STRCMP_EQUAL("ok", status_of(answer).c_str());
  CHECK_TRUE(answer->created);
  LONGS_EQUAL(36, answer->object->uid.size());
}

TEST(Update, neither_sets_nor_takes_back_a_deletion) {
  CHECK_TRUE(api.create(config_map(R"(,"finalizers":["example.com/x"])", "1")).has_value());
  CHECK_TRUE(api.remove("configmaps default/a").has_value());
  const auto answer = api.update(config_map(R"(,"finalizers":["example.com/x"])", "2"));
  STRCMP_EQUAL("ok", status_of(answer).c_str());
  STRCMP_EQUAL("\"2026-01-01T00:00:00Z\"", at(answer, "/metadata/deletionTimestamp").c_str());
  STRCMP_EQUAL("0", at(answer, "/metadata/deletionGracePeriodSeconds").c_str());
}

TEST(Update, ends_a_deletion_with_the_last_finalizer) {
  CHECK_TRUE(api.create(config_map(R"(,"finalizers":["example.com/x"])", "1")).has_value());
  CHECK_TRUE(api.remove("configmaps default/a").has_value());
  const auto answer = api.update(config_map("", "2"));
  STRCMP_EQUAL("ok", status_of(answer).c_str());
  CHECK_TRUE(answer->removed);
  LONGS_EQUAL(answer->revision, answer->object->resource_version);
  POINTERS_EQUAL(nullptr, api.find("configmaps default/a").get());
}

TEST(Update, changes_nothing_on_a_dry_run) {
  const auto made = api.create(config_map("", "1"));
  api.context.dry_run = true;
  const auto answer = api.update(config_map("", "2"));
  STRCMP_EQUAL("\"2\"", at(answer, "/data/k").c_str());
  LONGS_EQUAL(made->revision, answer->object->resource_version);
  STRCMP_EQUAL("\"1\"", at(api.get("configmaps default/a"), "/data/k").c_str());
  LONGS_EQUAL(made->revision, api.store->revision());
}
