// Discovery as kubectl asks for it.
#include "api/discovery.h"

#include "api/json.h"
#include "tests/api/rows.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

TEST_GROUP(Discovery) {
  Kind pod = test_pod(), deployment = test_deployment(), scaler = test_deployment(),
       scaler_v1 = test_deployment();
  std::vector<const Kind*> kinds;

  void setup() override {
    pod.short_names = {"po"};
    pod.categories = {"all"};
    pod.subresources = {{.name = "status", .verbs = {"get", "patch", "update"}},
                        {.name = "log", .verbs = {"get"}},
                        {.name = "eviction",
                         .verbs = {"create"},
                         .group = "policy",
                         .version = "v1",
                         .kind = "Eviction"}};
    deployment.verbs = {"get", "list"};
    scaler.group = scaler_v1.group = "autoscaling";
    scaler.version = "v2";
    kinds = {&pod, &deployment, &scaler, &scaler_v1};
  }
};

TEST(Discovery, is_aggregated_for_new_clients) {
  CHECK_EQUAL(
      std::string(
          R"({"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/v2","metadata":{},)"
          R"("items":[{"metadata":{"creationTimestamp":null},"versions":[{"version":"v1",)"
          R"("resources":[{"resource":"pods","responseKind":{"group":"","version":"v1",)"
          R"("kind":"Pod"},"scope":"Namespaced","singularResource":"pod","verbs":["create",)"
          R"("delete","deletecollection","get","list","patch","update","watch"],)"
          R"("shortNames":["po"],"categories":["all"],"subresources":[)"
          R"({"subresource":"status","responseKind":{"group":"","version":"v1","kind":"Pod"},)"
          R"("verbs":["get","patch","update"]},)"
          R"({"subresource":"log","responseKind":{"group":"","version":"v1","kind":"Pod"},)"
          R"("verbs":["get"]},)"
          R"({"subresource":"eviction","responseKind":{"group":"policy","version":"v1",)"
          R"("kind":"Eviction"},"verbs":["create"]}]}],"freshness":"Current"}]}]})"),
      aggregated_discovery(kinds, DiscoveryRoot::Core, "v2"));

  auto groups = parse_json(aggregated_discovery(kinds, DiscoveryRoot::Groups, "v2beta1"));
  CHECK(groups.has_value());
  const auto& items = groups->tree.at("items").as_array();
  LONGS_EQUAL(2, items.size());
  CHECK(items[0].at("metadata").at("name") == "apps");
  CHECK(items[1].at("versions").at(0).at("version") == "v2");  // the preferred one first
  CHECK(items[1].at("versions").at(1).at("version") == "v1");
  CHECK(groups->tree.at("apiVersion") == "apidiscovery.k8s.io/v2beta1");
  CHECK_EQUAL(std::string("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"),
              aggregated_discovery_media_type("v2"));
}

TEST(Discovery, is_plain_for_old_ones) {
  CHECK_EQUAL(std::string(R"({"kind":"APIVersions","versions":["v1"],"serverAddressByClientCIDRs":)"
                          R"([{"clientCIDR":"0.0.0.0/0","serverAddress":"10.0.0.1:6443"}]})"),
              api_versions("10.0.0.1:6443"));
  CHECK_EQUAL(
      std::string(R"({"kind":"APIGroupList","apiVersion":"v1","groups":[{"name":"apps","versions":)"
                  R"([{"groupVersion":"apps/v1","version":"v1"}],"preferredVersion":)"
                  R"({"groupVersion":"apps/v1","version":"v1"}},{"name":"autoscaling","versions":)"
                  R"([{"groupVersion":"autoscaling/v2","version":"v2"},)"
                  R"({"groupVersion":"autoscaling/v1","version":"v1"}],"preferredVersion":)"
                  R"({"groupVersion":"autoscaling/v2","version":"v2"}}]})"),
      api_group_list(kinds));
  CHECK_EQUAL(std::string(R"({"kind":"APIGroup","apiVersion":"v1","name":"apps","versions":)"
                          R"([{"groupVersion":"apps/v1","version":"v1"}],"preferredVersion":)"
                          R"({"groupVersion":"apps/v1","version":"v1"}})"),
              *api_group(kinds, "apps"));
  CHECK_EQUAL(std::string(R"({"kind":"APIResourceList","apiVersion":"v1","groupVersion":"apps/v1",)"
                          R"("resources":[{"name":"deployments","singularName":"deployment",)"
                          R"("namespaced":true,"kind":"Deployment","verbs":["get","list"]}]})"),
              *api_resource_list(kinds, "apps", "v1"));
  const std::string core = *api_resource_list(kinds, "", "v1");
  CHECK(core.starts_with(R"({"kind":"APIResourceList","groupVersion":"v1","resources":[)"));
  CHECK(core.contains(R"({"name":"pods/eviction","singularName":"","namespaced":true,)"
                      R"("group":"policy","version":"v1","kind":"Eviction","verbs":["create"]})"));
}

TEST(Discovery, knows_no_group_that_is_not_there) {
  CHECK_FALSE(api_group(kinds, "none").has_value());
  CHECK_FALSE(api_group(kinds, "").has_value());
  CHECK_FALSE(api_resource_list(kinds, "apps", "v2").has_value());
  CHECK_FALSE(api_resource_list(kinds, "none", "v1").has_value());
}
