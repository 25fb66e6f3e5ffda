// A Node's status has several authors.
#include "tests/control/registry/fixture.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

TEST_GROUP(NodeStatus) {
  RegistryFixture api;
  void setup() override {
    CHECK_TRUE(
        api.create(R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"n1"}})").has_value());
    as("system:node:n1");
    CHECK_TRUE(report("4").has_value());
    as("alice");
    CHECK_TRUE(api.patch("nodes n1/status", PatchType::Json, R"([{"op":"add",
        "path":"/status/capacity/example.com~1dongle","value":"3"}])")
                   .has_value());
  }
  void as(const char* user) {
    api.context.user = user;
  }
  Result<Answer> report(const char* cpu) {
    return api.update(fmt::format(R"({{"apiVersion":"v1","kind":"Node","metadata":{{"name":"n1"}},
        "status":{{"capacity":{{"cpu":"{0}"}},"allocatable":{{"cpu":"{0}"}}}}}})",
                                  cpu),
                      "status");
  }
};

TEST(NodeStatus, keeps_extended_resources_that_the_node_does_not_know_of) {
  as("system:node:n1");
  const auto answer = report("8");
  STRCMP_EQUAL(R"({"cpu":"8","example.com/dongle":"3"})", at(answer, "/status/capacity").c_str());
  STRCMP_EQUAL(R"({"cpu":"8","example.com/dongle":"3"})",
               at(answer, "/status/allocatable").c_str());
}

TEST(NodeStatus, lets_others_take_them_away) {
  const auto answer = report("8");
  STRCMP_EQUAL(R"({"cpu":"8"})", at(answer, "/status/capacity").c_str());
}

TEST(NodeStatus, keeps_nothing_of_the_node_s_own) {
  as("system:node:n1");
  const auto answer = api.update(R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"n1"},
      "status":{"capacity":{"memory":"1Gi"}}})",
                                 "status");
  STRCMP_EQUAL(R"({"example.com/dongle":"3","memory":"1Gi"})",
               at(answer, "/status/capacity").c_str());
}
