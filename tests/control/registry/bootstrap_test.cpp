// What every cluster has from its first moment.
#include "control/registry/bootstrap.h"

#include "tests/control/registry/fixture.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

TEST_GROUP(Bootstrap) {
  RegistryFixture api;
};

TEST(Bootstrap, makes_the_system_s_namespaces_and_the_kubernetes_service) {
  STRCMP_EQUAL("ok", status_of(bootstrap(*api.registry, {"10.89.0.1", 6443})).c_str());
  STRCMP_EQUAL("default kube-node-lease kube-public kube-system",
               names_of(api.list("namespaces")->items).c_str());
  const auto service = api.get("services default/kubernetes");
  STRCMP_EQUAL("\"10.96.0.1\"", at(service, "/spec/clusterIP").c_str());
  STRCMP_EQUAL(R"([{"name":"https","protocol":"TCP","port":443,"targetPort":6443}])",
               at(service, "/spec/ports").c_str());
  STRCMP_EQUAL(R"({"component":"apiserver","provider":"kubernetes"})",
               at(service, "/metadata/labels").c_str());
  const auto endpoints = api.get("endpoints default/kubernetes");
  STRCMP_EQUAL("\"10.89.0.1\"", at(endpoints, "/subsets/0/addresses/0/ip").c_str());
  const auto slice = api.get("endpointslices.discovery.k8s.io default/kubernetes");
  STRCMP_EQUAL("[\"10.89.0.1\"]", at(slice, "/endpoints/0/addresses").c_str());
  STRCMP_EQUAL("6443", at(slice, "/ports/0/port").c_str());
}

TEST(Bootstrap, changes_nothing_when_everything_is_there) {
  CHECK_TRUE(bootstrap(*api.registry, {"10.89.0.1", 6443}).has_value());
  const Revision before = api.store->revision();
  CHECK_TRUE(bootstrap(*api.registry, {"10.89.0.1", 6443}).has_value());
  LONGS_EQUAL(before, api.store->revision());
}

TEST(Bootstrap, follows_a_server_that_has_moved) {
  CHECK_TRUE(bootstrap(*api.registry, {"10.89.0.1", 6443}).has_value());
  CHECK_TRUE(bootstrap(*api.registry, {"10.89.0.2", 7443}).has_value());
  const auto slice = api.get("endpointslices.discovery.k8s.io default/kubernetes");
  STRCMP_EQUAL("[\"10.89.0.2\"]", at(slice, "/endpoints/0/addresses").c_str());
  STRCMP_EQUAL("7443",
               at(api.get("endpoints default/kubernetes"), "/subsets/0/ports/0/port").c_str());
}

TEST(Bootstrap, says_what_it_could_not_make) {
  CHECK_TRUE(api.create(R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"thief"},
      "spec":{"clusterIP":"10.96.0.1","ports":[{"port":80}]}})")
                 .has_value());
  const auto done = bootstrap(*api.registry, {"10.89.0.1", 6443});
  STRCMP_CONTAINS("make the Service kubernetes: Service \"kubernetes\" is invalid: spec.clusterIPs",
                  status_of(done).c_str());
}
