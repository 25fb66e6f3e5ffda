// POST of pods/NAME/binding.
#include "tests/control/registry/fixture.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

namespace {

std::string binding(std::string_view name, std::string_view node, std::string_view metadata = "",
                    std::string_view kind = "Node") {
  return fmt::format(R"({{"apiVersion":"v1","kind":"Binding","metadata":{{"name":"{}"{}}},
      "target":{{"kind":"{}","name":"{}"}}}})",
                     name, metadata, kind, node);
}

}  // namespace

TEST_GROUP(Binding) {
  RegistryFixture api;
  void make(std::string_view name, std::string_view spec = "", std::string_view metadata = "") {
    const auto made = api.create(fmt::format(
        R"({{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"{}"{}}},
             "spec":{{"containers":[{{"name":"c","image":"i"}}]{}}}}})",
        name, metadata, spec));
    STRCMP_EQUAL("ok", status_of(made).c_str());
  }
  std::string bind(const std::string& json) {
    return status_of(api.create(json, "binding"));
  }
};

TEST(Binding, gives_a_pod_its_node_and_says_so) {
  make("p");
  const auto answer = api.create(binding("p", "n1", R"(,"annotations":{"a":"b"})"), "binding");
  STRCMP_EQUAL("ok", status_of(answer).c_str());
  CHECK_TRUE(answer->created && answer->status_only);
  LONGS_EQUAL(api.store->revision(), answer->revision);
  const auto pod = api.get("pods default/p");
  STRCMP_EQUAL("\"n1\"", at(pod, "/spec/nodeName").c_str());
  STRCMP_EQUAL("\"b\"", at(pod, "/metadata/annotations/a").c_str());
  STRCMP_EQUAL("\"PodScheduled\"", at(pod, "/status/conditions/0/type").c_str());
  STRCMP_EQUAL("\"True\"", at(pod, "/status/conditions/0/status").c_str());
  STRCMP_EQUAL("\"2026-01-01T00:00:00Z\"",
               at(pod, "/status/conditions/0/lastTransitionTime").c_str());
}

TEST(Binding, replaces_what_was_said_of_scheduling_before) {
  make("p");
  CHECK_TRUE(api.patch("pods default/p/status", PatchType::Merge, R"({"status":{"conditions":[
      {"type":"PodScheduled","status":"False","reason":"Unschedulable","message":"m"}]}})")
                 .has_value());
  STRCMP_EQUAL("ok", bind(binding("p", "n1")).c_str());
  const auto pod = api.get("pods default/p");
  STRCMP_EQUAL("\"True\"", at(pod, "/status/conditions/0/status").c_str());
  STRCMP_EQUAL("", at(pod, "/status/conditions/0/reason").c_str());
  STRCMP_EQUAL("", at(pod, "/status/conditions/1").c_str());
}

TEST(Binding, refuses) {
  make("free");
  make("bound", R"(,"nodeName":"n1")");
  make("leaving", R"(,"nodeName":"n1")", R"(,"finalizers":["example.com/x"])");
  CHECK_TRUE(api.remove("pods default/leaving").has_value());
  make("gated", R"(,"schedulingGates":[{"name":"example.com/wait"}])");
  const std::string uid = api.find("pods default/free")->uid;
  const std::string conflict = "409 Conflict: Operation cannot be fulfilled on pods/binding ";
  struct Case {
    std::string json;
    std::string status;
  };
  const Case cases[] = {
      {binding("none", "n"), "404 NotFound: pods \"none\" not found"},
      {binding("bound", "n2"),
       conflict + "\"bound\": pod bound is already assigned to node \"n1\""},
      {binding("leaving", "n2"),
       conflict + "\"leaving\": pod leaving is being deleted, cannot be assigned to a host"},
      {binding("gated", "n2"),
       conflict + "\"gated\": pod gated has non-empty .spec.schedulingGates"},
      {binding("free", ""),
       "422 Invalid: Binding \"free\" is invalid: target.name: Required value"},
      {binding("free", "n", "", "Rack"),
       "422 Invalid: Binding \"free\" is invalid: target.kind: Unsupported value: \"Rack\": "
       "supported "
       "values: \"Node\", \"<empty>\""},
      {binding("free", "n", R"(,"uid":"x")"),
       conflict +
           "\"free\": Precondition failed: UID in precondition: x, UID in object meta: " + uid},
  };
  const Revision before = api.store->revision();
  for (const auto& c : cases) STRCMP_EQUAL(c.status.c_str(), bind(c.json).c_str());
  LONGS_EQUAL(before, api.store->revision());
  STRCMP_EQUAL("ok", bind(binding("free", "n", fmt::format(R"(,"uid":"{}")", uid))).c_str());
}

TEST(Binding, does_nothing_on_a_dry_run) {
  make("p");
  api.context.dry_run = true;
  STRCMP_EQUAL("ok", bind(binding("p", "n1")).c_str());
  STRCMP_EQUAL("", at(api.get("pods default/p"), "/spec/nodeName").c_str());
}
