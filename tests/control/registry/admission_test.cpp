// The plugins between a requester and validation.
#include "control/registry/admission.h"

#include "tests/control/registry/fixture.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

namespace {

std::string pod(std::string_view name, std::string_view spec = "") {
  return fmt::format(R"({{"apiVersion":"v1","kind":"Pod","metadata":{{{}}},
      "spec":{{"containers":[{{"name":"c","image":"i"}}]{}}}}})",
                     name, spec);
}

}  // namespace

TEST_GROUP(Admission) {
  RegistryFixture api;
  void priority_class(std::string_view name, int value, bool is_default = false,
                      std::string_view policy = "PreemptLowerPriority") {
    const auto made = api.create(fmt::format(
        R"({{"apiVersion":"scheduling.k8s.io/v1","kind":"PriorityClass","metadata":{{"name":"{}"}},
             "value":{},"globalDefault":{},"preemptionPolicy":"{}"}})",
        name, value, is_default, policy));
    STRCMP_EQUAL("ok", status_of(made).c_str());
  }
};

TEST(Admission, is_a_list_of_names_in_order) {
  std::string names;
  for (const auto& plugin : admission_plugins()) names += std::string(plugin.name) + " ";
  STRCMP_EQUAL("NamespaceLifecycle ServiceAccount Priority DefaultTolerationSeconds ",
               names.c_str());
}

TEST(Admission, gives_a_pod_the_default_service_account) {
  const auto answer = api.create(pod(R"("name":"p")"));
  STRCMP_EQUAL("\"default\"", at(answer, "/spec/serviceAccountName").c_str());
  STRCMP_EQUAL("\"default\"", at(answer, "/spec/serviceAccount").c_str());
}

TEST(Admission, wants_the_service_account_to_exist) {
  api.make_namespace("bare");
  STRCMP_EQUAL(
      "403 Forbidden: pods \"p\" is forbidden: error looking up service account bare/default: "
      "serviceaccount \"default\" not found",
      status_of(api.create(pod(R"("name":"p","namespace":"bare")"))).c_str());
  STRCMP_EQUAL(
      "403 Forbidden: pods \"web-\" is forbidden: error looking up service account "
      "default/robot: serviceaccount \"robot\" not found",
      status_of(api.create(pod(R"("generateName":"web-")", R"(,"serviceAccountName":"robot")")))
          .c_str());
}

TEST(Admission, takes_pull_secrets_from_the_service_account) {
  CHECK_TRUE(api.create(R"({"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"robot"},
      "imagePullSecrets":[{"name":"s"}]})")
                 .has_value());
  STRCMP_EQUAL("\"s\"", at(api.create(pod(R"("name":"p")", R"(,"serviceAccountName":"robot")")),
                           "/spec/imagePullSecrets/0/name")
                            .c_str());
  STRCMP_EQUAL("\"own\"", at(api.create(pod(R"("name":"q")", R"(,"serviceAccountName":"robot",
                                                      "imagePullSecrets":[{"name":"own"}])")),
                             "/spec/imagePullSecrets/0/name")
                              .c_str());
}

TEST(Admission, computes_priorities) {
  priority_class("high", 1000, false, "Never");
  struct Case {
    const char* name;
    const char* spec;
    const char* priority;
    const char* policy;
  };
  const Case cases[] = {
      {"none", "", "0", "\"PreemptLowerPriority\""},
      {"system", R"(,"priorityClassName":"system-node-critical")", "2000001000",
       "\"PreemptLowerPriority\""},
      {"cluster", R"(,"priorityClassName":"system-cluster-critical")", "2000000000",
       "\"PreemptLowerPriority\""},
      {"high", R"(,"priorityClassName":"high")", "1000", "\"Never\""},
      {"same", R"(,"priorityClassName":"high","priority":1000)", "1000", "\"Never\""},
  };
  for (const auto& c : cases) {
    const auto answer = api.create(pod(fmt::format(R"("name":"{}")", c.name), c.spec));
    STRCMP_EQUAL_TEXT(c.priority, at(answer, "/spec/priority").c_str(), c.name);
    STRCMP_EQUAL_TEXT(c.policy, at(answer, "/spec/preemptionPolicy").c_str(), c.name);
  }
  priority_class("ordinary", 5, true);
  const auto answer = api.create(pod(R"("name":"later")"));
  STRCMP_EQUAL("5", at(answer, "/spec/priority").c_str());
  STRCMP_EQUAL("\"ordinary\"", at(answer, "/spec/priorityClassName").c_str());
}

TEST(Admission, refuses_priorities_that_are_not_the_class_s) {
  priority_class("high", 1000);
  struct Case {
    const char* spec;
    const char* why;
  };
  const Case cases[] = {
      {R"(,"priorityClassName":"nosuch")", "no PriorityClass with name nosuch was found"},
      {R"(,"priority":7)",
       "the integer value of priority (7) must not be provided in pod spec; priority admission "
       "controller computed 0 from the given PriorityClass name"},
      {R"(,"priorityClassName":"high","preemptionPolicy":"Never")",
       "the string value of PreemptionPolicy (Never) must not be provided in pod spec; priority "
       "admission controller computed PreemptLowerPriority from the given PriorityClass name"},
  };
  for (const auto& c : cases) {
    STRCMP_EQUAL(fmt::format("403 Forbidden: pods \"p\" is forbidden: {}", c.why).c_str(),
                 status_of(api.create(pod(R"("name":"p")", c.spec))).c_str());
  }
}

TEST(Admission, lets_pods_stay_five_minutes_on_a_lost_node) {
  const std::string rest = R"("operator":"Exists","effect":"NoExecute","tolerationSeconds":300})";
  const std::string both = R"([{"key":"node.kubernetes.io/not-ready",)" + rest +
                           R"(,{"key":"node.kubernetes.io/unreachable",)" + rest + "]";
  STRCMP_EQUAL(both.c_str(), at(api.create(pod(R"("name":"p")")), "/spec/tolerations").c_str());
  const auto own = api.create(pod(R"("name":"q")", R"(,"tolerations":[{"key":
      "node.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute",
      "tolerationSeconds":2}])"));
  STRCMP_EQUAL("2", at(own, "/spec/tolerations/0/tolerationSeconds").c_str());
  STRCMP_EQUAL("\"node.kubernetes.io/unreachable\"", at(own, "/spec/tolerations/1/key").c_str());
  STRCMP_EQUAL("", at(own, "/spec/tolerations/2").c_str());
  const auto everything =
      api.create(pod(R"("name":"r")", R"(,"tolerations":[{"operator":"Exists"}])"));
  STRCMP_EQUAL("", at(everything, "/spec/tolerations/1").c_str());
}

TEST(Admission, keeps_a_pod_s_priority_through_updates) {
  priority_class("high", 1000);
  const std::string spec = R"(,"priorityClassName":"high","serviceAccountName":"default",
                              "serviceAccount":"default")";
  CHECK_TRUE(api.create(pod(R"("name":"p")", spec)).has_value());
  const auto answer = api.update(pod(R"("name":"p","labels":{"a":"b"})", spec));
  STRCMP_EQUAL("1000", at(answer, "/spec/priority").c_str());
  STRCMP_EQUAL("\"b\"", at(answer, "/metadata/labels/a").c_str());
}
