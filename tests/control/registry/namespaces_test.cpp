// How a Namespace ends.
#include "tests/control/registry/fixture.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

TEST_GROUP(Namespaces) {
  RegistryFixture api;
  void setup() override {
    api.make_namespace("mine");
  }
};

TEST(Namespaces, terminate_first_and_go_when_finalized) {
  const auto marked = api.remove("namespaces mine");
  STRCMP_EQUAL("ok", status_of(marked).c_str());
  CHECK_FALSE(marked->removed);
  STRCMP_EQUAL("\"Terminating\"", at(marked, "/status/phase").c_str());
  STRCMP_EQUAL("\"2026-01-01T00:00:00Z\"", at(marked, "/metadata/deletionTimestamp").c_str());
  LONGS_EQUAL(marked->revision, api.remove("namespaces mine")->revision);

  const auto gone = api.update(R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"mine",
      "labels":{"ignored":"yes"}},"spec":{"finalizers":[]}})",
                               "finalize");
  STRCMP_EQUAL("ok", status_of(gone).c_str());
  CHECK_TRUE(gone->removed);
  STRCMP_EQUAL("", at(gone, "/metadata/labels/ignored").c_str());
  POINTERS_EQUAL(nullptr, api.find("namespaces mine").get());
}

TEST(Namespaces, stay_while_a_finalizer_of_either_sort_is_left) {
  CHECK_TRUE(api.patch("namespaces mine", PatchType::Merge,
                       R"({"metadata":{"finalizers":["example.com/x"]}})")
                 .has_value());
  CHECK_FALSE(api.remove("namespaces mine")->removed);
  const auto finalized = api.update(
      R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"mine"},"spec":{}})", "finalize");
  CHECK_FALSE(finalized->removed);
  const auto last =
      api.patch("namespaces mine", PatchType::Merge, R"({"metadata":{"finalizers":null}})");
  CHECK_TRUE(last->removed);
}

TEST(Namespaces, are_only_finalized_when_they_are_not_deleted) {
  const auto finalized = api.update(
      R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"mine"},"spec":{}})", "finalize");
  CHECK_FALSE(finalized->removed);
  STRCMP_EQUAL("", at(finalized, "/spec/finalizers").c_str());
}

TEST(Namespaces, are_labelled_by_their_name_also_when_it_is_generated) {
  const auto made =
      api.create(R"({"apiVersion":"v1","kind":"Namespace","metadata":{"generateName":"team-"}})");
  STRCMP_EQUAL(("\"" + made->object->name + "\"").c_str(),
               at(made, "/metadata/labels/kubernetes.io~1metadata.name").c_str());
  STRCMP_EQUAL("[\"kubernetes\"]", at(made, "/spec/finalizers").c_str());
}

TEST(Namespaces, of_the_system_are_never_deleted) {
  for (const char* name : {"kube-system", "kube-public"}) api.make_namespace(name);
  for (const char* name : {"default", "kube-system", "kube-public"}) {
    STRCMP_EQUAL(
        fmt::format("403 Forbidden: namespaces \"{}\" is forbidden: this namespace may not "
                    "be deleted",
                    name)
            .c_str(),
        status_of(api.remove(std::string("namespaces ") + name)).c_str());
  }
}

TEST(Namespaces, take_nothing_new_while_they_terminate) {
  CHECK_TRUE(api.create(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"old",
      "namespace":"mine"}})")
                 .has_value());
  CHECK_TRUE(api.remove("namespaces mine").has_value());
  const auto refused = api.create(
      R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"new","namespace":"mine"}})");
  STRCMP_EQUAL(
      "403 Forbidden: configmaps \"new\" is forbidden: unable to create new content in "
      "namespace mine because it is being terminated",
      status_of(refused).c_str());
  const Cause& cause = refused.error().details->causes.at(0);
  STRCMP_EQUAL("NamespaceTerminating|namespace mine is being terminated|metadata.namespace",
               (cause.reason + "|" + cause.message + "|" + cause.field).c_str());
  STRCMP_EQUAL("ok", status_of(api.update(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":
      {"name":"old","namespace":"mine"},"data":{"k":"v"}})"))
                         .c_str());
}
