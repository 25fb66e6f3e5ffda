// What is taken out of objects for those who look at many.
#include "api/facts.h"

#include <google/protobuf/text_format.h>

#include "api/kinds.h"
#include "api/proto/core/v1/node.pb.h"
#include "api/proto/core/v1/pod.pb.h"
#include "api/proto/core/v1/service.pb.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

namespace {

template <typename T>
ObjectPtr object(const Kind& kind, const char* text) {
  T message;
  CHECK_TEXT(google::protobuf::TextFormat::ParseFromString(text, &message), text);
  return make_object(kind, message);
}

core::PodSpec spec_of(const char* text) {
  core::PodSpec spec;
  CHECK_TEXT(google::protobuf::TextFormat::ParseFromString(text, &spec), text);
  return spec;
}

// `requests { key: "cpu" value { string: "1" } }` is long.
std::string container(const char* cpu, const char* memory, const char* more = "") {
  std::string text = "resources {";
  for (auto [name, amount] : {std::pair{"cpu", cpu}, {"memory", memory}}) {
    if (*amount == '\0') continue;
    text += std::string(" requests { key: '") + name + "' value { string: '" + amount + "' } }";
  }
  return text + " } " + more;
}

}  // namespace

TEST_GROUP(Facts){};

TEST(Facts, of_a_pod) {
  const auto pod = object<core::Pod>(kinds::pod(), R"(
    metadata { name: "web"
      annotations { key: "controller.kubernetes.io/pod-deletion-cost" value: "-7" } }
    spec { nodeName: "node-1"
      hostname: "h" subdomain: "s" schedulerName: "default-scheduler"
      priority: 5
      schedulingGates { name: "g" }
      initContainers { name: "i" ports { containerPort: 1 } }
      containers { name: "a"
        ports { name: "http" containerPort: 80 hostPort: 8080 protocol: "TCP" }
        resources { requests { key: "cpu" value { string: "250m" } } } } }
    status { phase: "Running" podIP: "10.88.0.5" hostIP: "10.89.0.11"
      conditions { type: "Ready" status: "True" lastTransitionTime { seconds: 1000 } }
      containerStatuses { name: "a" restartCount: 2 }
      containerStatuses { name: "b" restartCount: 4 } })");
  const PodFacts& facts = pod_facts(*pod);
  CHECK_EQUAL(std::string("node-1"), facts.node_name);
  CHECK(facts.phase == PodPhase::Running);
  CHECK(!facts.is_finished());
  CHECK(facts.is_ready);
  LONGS_EQUAL(1000,
              std::chrono::duration_cast<std::chrono::seconds>(facts.ready_since.time_since_epoch())
                  .count());
  CHECK_EQUAL(std::string("10.88.0.5"), facts.pod_ip);
  LONGS_EQUAL(4, facts.restarts);
  LONGS_EQUAL(-7, facts.deletion_cost);
  CHECK(facts.is_gated);
  LONGS_EQUAL(1, facts.ports.size());
  LONGS_EQUAL(8080, facts.ports[0].host_port);
  LONGS_EQUAL(250, facts.requests.cpu_millicores);
  LONGS_EQUAL(0, facts.requests.memory_bytes);
  LONGS_EQUAL(250, facts.score_cpu_millicores);
  LONGS_EQUAL(200 * 1024 * 1024, facts.score_memory_bytes);
}

TEST(Facts, of_a_node) {
  const auto node = object<core::Node>(kinds::node(), R"(
    metadata { name: "node-1" }
    spec { podCIDR: "10.88.1.0/24" unschedulable: true
      taints { key: "k" value: "v" effect: "NoExecute" timeAdded { seconds: 9 } } }
    status { allocatable { key: "cpu" value { string: "2" } }
      allocatable { key: "pods" value { string: "110" } }
      allocatable { key: "example.com/dongle" value { string: "3" } }
      conditions { type: "Ready" status: "Unknown" lastTransitionTime { seconds: 5 }
        lastHeartbeatTime { seconds: 4 } }
      addresses { type: "Hostname" address: "h" }
      addresses { type: "InternalIP" address: "10.89.0.11" }
      daemonEndpoints { kubeletEndpoint { Port: 10250 } } })");
  const NodeFacts& facts = node_facts(*node);
  CHECK(facts.ready == ConditionStatus::Unknown);
  CHECK(facts.is_unschedulable);
  LONGS_EQUAL(2000, facts.allocatable.cpu_millicores);
  LONGS_EQUAL(110, facts.pods_max);
  LONGS_EQUAL(3, facts.allocatable.other("example.com/dongle"));
  CHECK_EQUAL(std::string("10.89.0.11"), facts.internal_ip);
  LONGS_EQUAL(10250, facts.agent_port);
  CHECK_EQUAL(std::string("NoExecute"), facts.taints.at(0).effect);
  CHECK(facts.taints[0].time_added.has_value());
}

TEST(Facts, of_a_service) {
  const auto service = object<core::Service>(kinds::service(), R"(
    metadata { name: "web" namespace: "default" }
    spec { type: "ClusterIP" clusterIP: "None" selector { key: "app" value: "web" }
      sessionAffinity: "ClientIP" sessionAffinityConfig { clientIP { timeoutSeconds: 60 } }
      ports { name: "a" protocol: "TCP" port: 80 targetPort { type: 1 strVal: "http" } }
      ports { name: "b" protocol: "UDP" port: 53 nodePort: 30053 targetPort { intVal: 5353 } } })");
  const ServiceFacts& facts = service_facts(*service);
  CHECK(facts.is_headless());
  CHECK_EQUAL(std::string("web"), *facts.selector.find("app"));
  LONGS_EQUAL(60, facts.affinity_seconds);
  CHECK_EQUAL(std::string("http"), facts.ports.at(0).target_name);
  LONGS_EQUAL(5353, facts.ports.at(1).target_port);
  LONGS_EQUAL(30053, facts.ports[1].node_port);
}

TEST_GROUP(ResourceAmounts){};

TEST(ResourceAmounts, of_a_pod_are_its_peak) {
  struct Case {
    const char* name;
    std::string spec;
    std::int64_t cpu_millicores, memory_bytes;
  };
  const Case cases[] = {
      {"nothing", "", 0, 0},
      {"sum",
       "containers { " + container("100m", "1Ki") + "} containers {" + container("1", "1Ki") + "}",
       1100, 2048},
      {"init is greater",
       "containers { " + container("100m", "1Ki") + "} initContainers {" + container("2", "") + "}",
       2000, 1024},
      {"overhead comes on top",
       "containers { " + container("100m", "1Ki") +
           "} overhead { key: 'cpu' value { string: '10m' } }",
       110, 1024},
      {"restartable init stays",
       "containers { " + container("100m", "") + "} initContainers {" +
           container("1", "", "restartPolicy: 'Always'") + "} initContainers {" +
           container("500m", "") + "}",
       1500, 0},
      {"restartable init after plain",
       "containers { " + container("100m", "") + "} initContainers {" + container("500m", "") +
           "} initContainers {" + container("1", "", "restartPolicy: 'Always'") + "}",
       1100, 0},
      {"beyond an int64",
       "containers { " + container("9E", "8E") + "} containers { " + container("9E", "8E") + "}",
       INT64_MAX, INT64_MAX},
  };
  for (const Case& c : cases) {
    const ResourceAmounts amounts = pod_requests(spec_of(c.spec.c_str()));
    LONGLONGS_EQUAL_TEXT(c.cpu_millicores, amounts.cpu_millicores, c.name);
    LONGLONGS_EQUAL_TEXT(c.memory_bytes, amounts.memory_bytes, c.name);
  }
}

TEST(ResourceAmounts, add_and_subtract_by_name) {
  ResourceAmounts a{.cpu_millicores = 1, .others = {{"x", 2}}};
  const ResourceAmounts b{.cpu_millicores = 10, .memory_bytes = 5, .others = {{"w", 1}, {"x", 3}}};
  a.add(b);
  CHECK((a ==
         ResourceAmounts{.cpu_millicores = 11, .memory_bytes = 5, .others = {{"w", 1}, {"x", 5}}}));
  a.subtract(b);
  LONGS_EQUAL(2, a.other("x"));
  LONGS_EQUAL(0, a.other("w"));
  LONGS_EQUAL(0, a.other("y"));
}

TEST(ResourceAmounts, decide_the_quality_of_service) {
  const char* both =
      "resources { limits { key: 'cpu' value { string: '1' } } limits { key: 'memory' value { "
      "string: '1Gi' } }"
      " requests { key: 'cpu' value { string: '1000m' } } requests { key: 'memory' value { string: "
      "'1Gi' } } }";
  const char* zero = "resources { requests { key: 'cpu' value { string: '0' } } }";
  const char* storage =
      "resources { requests { key: 'ephemeral-storage' value { string: '1Gi' } } }";
  struct Case {
    std::string spec;
    const char* qos;
  };
  const Case cases[] = {
      {"containers {}", "BestEffort"},
      {std::string("containers {") + zero + "}", "BestEffort"},
      {std::string("containers {") + storage + "}", "BestEffort"},
      {std::string("containers {") + both + "}", "Guaranteed"},
      {std::string("containers {") + both + "} containers {}", "Burstable"},
      {std::string("containers {") + both + "} initContainers {}", "Burstable"},
      {"containers {" + container("1", "") + "}", "Burstable"},
  };
  for (const Case& c : cases) {
    CHECK_EQUAL_TEXT(std::string(c.qos), std::string(qos_class_of(spec_of(c.spec.c_str()))),
                     c.spec.c_str());
  }
}
