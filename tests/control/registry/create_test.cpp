// What a POST stamps, refuses and names.
#include <google/protobuf/message.h>

#include "api/proto/meta/v1/object_meta.pb.h"
#include "tests/control/registry/fixture.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

TEST_GROUP(Create) {
  RegistryFixture api;
};

TEST(Create, stamps_what_the_system_alone_sets) {
  const auto answer = api.create(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a",
      "uid":"mine","generation":9,"creationTimestamp":"2001-01-01T00:00:00Z","selfLink":"/x",
      "deletionTimestamp":"2001-01-01T00:00:00Z","deletionGracePeriodSeconds":5},
      "data":{"k":"v"}})");
  STRCMP_EQUAL("ok", status_of(answer).c_str());
  CHECK_TRUE(answer->created);
  LONGS_EQUAL(36, answer->object->uid.size());
  STRCMP_EQUAL("\"2026-01-01T00:00:00Z\"", at(answer, "/metadata/creationTimestamp").c_str());
  STRCMP_EQUAL(("\"" + std::to_string(answer->revision) + "\"").c_str(),
               at(answer, "/metadata/resourceVersion").c_str());
  for (const char* absent :
       {"/metadata/generation", "/metadata/selfLink", "/metadata/deletionTimestamp",
        "/metadata/deletionGracePeriodSeconds"}) {
    STRCMP_EQUAL_TEXT("", at(answer, absent).c_str(), absent);
  }
  STRCMP_EQUAL("{\"k\":\"v\"}", at(answer, "/data").c_str());
  LONGS_EQUAL(answer->revision, api.store->revision());
}

TEST(Create, counts_the_first_generation_of_what_has_a_spec_and_drops_its_status) {
  const auto answer = api.create(R"({"apiVersion":"apps/v1","kind":"Deployment",
      "metadata":{"name":"web"},"spec":{"replicas":2,"selector":{"matchLabels":{"a":"b"}},
      "template":{"metadata":{"labels":{"a":"b"}},
      "spec":{"containers":[{"name":"c","image":"i"}]}}},
      "status":{"replicas":7}})");
  STRCMP_EQUAL("ok", status_of(answer).c_str());
  STRCMP_EQUAL("1", at(answer, "/metadata/generation").c_str());
  STRCMP_EQUAL("", at(answer, "/status/replicas").c_str());
}

TEST(Create, refuses) {
  CHECK_TRUE(api.create(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"there"}})")
                 .has_value());
  struct Case {
    const char* json;
    const char* status;
  };
  const Case cases[] = {
      {R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"there"}})",
       "409 AlreadyExists: configmaps \"there\" already exists"},
      {R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"x","resourceVersion":"5"}})",
       "400 BadRequest: resourceVersion should not be set on objects to be created"},
      {R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","namespace":"nowhere"}})",
       "404 NotFound: namespaces \"nowhere\" not found"},
  };
  const Revision before = api.store->revision();
  for (const auto& c : cases) STRCMP_EQUAL(c.status, status_of(api.create(c.json)).c_str());
  LONGS_EQUAL(before, api.store->revision());
}

TEST(Create, refuses_a_body_of_another_namespace_than_the_url_s) {
  auto message = kinds::config_map().make_message();
  mutable_metadata_of(*message).set_name("x");
  mutable_metadata_of(*message).set_namespace_("other");
  const auto answer =
      api.registry->create({kinds::config_map(), "default", ""}, std::move(message), api.context);
  STRCMP_EQUAL(
      "400 BadRequest: the namespace of the provided object does not match the namespace sent on "
      "the request",
      status_of(answer).c_str());
}

TEST(Create, labels_a_namespace_with_the_name_it_was_given) {
  const auto made =
      api.create(R"({"apiVersion":"v1","kind":"Namespace","metadata":{"generateName":"team-"}})");
  STRCMP_EQUAL(at(made, "/metadata/name").c_str(),
               at(made, "/metadata/labels/kubernetes.io~1metadata.name").c_str());
}

TEST(Create, generates_names_and_tries_again_when_one_is_taken) {
  const char* json = R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"generateName":"web-"}})";
  const auto first = api.create(json);
  STRCMP_EQUAL("ok", status_of(first).c_str());
  LONGS_EQUAL(4 + 5, first->object->name.size());
  STRCMP_EQUAL("\"web-\"", at(first, "/metadata/generateName").c_str());

  api.random = SeededRandom(7);
  const auto second = api.create(json);
  api.random = SeededRandom(7);  // the same bits again: uid, then the same name, then another
  const auto third = api.create(json);
  STRCMP_EQUAL("ok", status_of(third).c_str());
  CHECK_TRUE(second->object->name != third->object->name);

  api.limits.generate_name_attempts = 1;
  api.random = SeededRandom(7);
  STRCMP_EQUAL(
      fmt::format("409 AlreadyExists: configmaps \"{}\" already exists, the server was not "
                  "able to generate a unique name for the object",
                  second->object->name)
          .c_str(),
      status_of(api.create(json)).c_str());
}

TEST(Create, cuts_a_long_base_so_that_the_name_is_a_label) {
  const auto answer = api.create(
      fmt::format(R"({{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"generateName":"{}"}}}})",
                  std::string(80, 'a')));
  STRCMP_EQUAL("ok", status_of(answer).c_str());
  LONGS_EQUAL(63, answer->object->name.size());
}

TEST(Create, leaves_nothing_behind_on_a_dry_run) {
  api.context.dry_run = true;
  const Revision before = api.store->revision();
  const auto answer =
      api.create(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}})");
  STRCMP_EQUAL("ok", status_of(answer).c_str());
  CHECK_TRUE(answer->created);
  LONGS_EQUAL(36, answer->object->uid.size());
  STRCMP_EQUAL("", at(answer, "/metadata/resourceVersion").c_str());
  LONGS_EQUAL(before, api.store->revision());
  POINTERS_EQUAL(nullptr, api.find("configmaps default/a").get());
}

TEST(Create, is_refused_before_the_disk_is_full) {
  api.disk.room = 0;
  api.settle();
  STRCMP_CONTAINS(
      "503 ServiceUnavailable: disk nearly full",
      status_of(api.create(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}})"))
          .c_str());
}

TEST(Create, refuses_what_is_too_large_to_store) {
  api.limits.object_bytes = 2000;
  const auto answer =
      api.create(fmt::format(R"({{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"a"}},
                      "data":{{"k":"{}"}}}})",
                             std::string(2000, 'x')));
  STRCMP_CONTAINS("413 RequestEntityTooLarge: configmaps \"a\" would take",
                  status_of(answer).c_str());
}

TEST(Create, converts_events_between_their_two_groups) {
  const auto answer = api.create(R"({"apiVersion":"events.k8s.io/v1","kind":"Event",
      "metadata":{"name":"e"},"reason":"R","note":"N","type":"Normal","action":"A",
      "eventTime":"2026-01-01T00:00:00.000000Z","reportingController":"c","reportingInstance":"i",
      "regarding":{"kind":"Pod","namespace":"default","name":"p"}})");
  STRCMP_EQUAL("ok", status_of(answer).c_str());
  STRCMP_EQUAL("\"events.k8s.io/v1\"", at(answer, "/apiVersion").c_str());
  STRCMP_EQUAL("\"N\"", at(answer, "/note").c_str());
  STRCMP_EQUAL("\"N\"", at(api.get("events default/e"), "/message").c_str());
  STRCMP_EQUAL("\"N\"", at(api.get("events.events.k8s.io default/e"), "/note").c_str());
  const auto listed = api.list("events.events.k8s.io", {.field_selector = "metadata.name=e"});
  STRCMP_EQUAL("\"p\"", at(listed->items.at(0), "/regarding/name").c_str());
}
