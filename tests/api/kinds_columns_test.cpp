// Tables as kubectl shows them: cells of every kind, the Pod's reason above all.
#include "api/time_text.h"
#include "tests/api/manifest.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

namespace {

WallTime at(const char* text) {
  const auto time = parse_time(text, false);
  CHECK(time.has_value());
  return WallTime(std::chrono::seconds(time->seconds));
}

const char* now_text = "2024-01-01T12:00:00Z";

std::string row_of(const std::string& yaml) {
  const Manifest manifest = read_manifest(yaml);
  const auto cells = manifest.kind->row(*manifest.message, at(now_text));
  LONGS_EQUAL_TEXT(manifest.kind->columns.size(), cells.size(), yaml.c_str());
  std::string text;
  for (const Cell& cell : cells) {
    if (!text.empty()) text += "|";
    const auto* number = std::get_if<std::int64_t>(&cell);
    text += number ? "#" + std::to_string(*number) : std::get<std::string>(cell);
  }
  return text;
}

struct Case {
  std::string manifest;
  const char* row;
};

void expect(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    CHECK_EQUAL_TEXT(std::string(c.row), row_of(c.manifest), c.manifest.c_str());
  }
}

std::string metadata(const char* more = "") {
  return std::string("metadata: {name: web, creationTimestamp: '2024-01-01T11:55:00Z'") + more +
         "}";
}

// Ready, Status and Restarts of a pod with this much of a spec and a status.
struct PodCase {
  const char* spec;
  const char* status;
  const char* cells;
  const char* more_metadata = "";
};
std::string pod_cells_of(const PodCase& c) {
  const std::string text = "{apiVersion: v1, kind: Pod, " + metadata(c.more_metadata) +
                           ", spec: {containers: [{name: a}, {name: b}]" + c.spec + "}, status: {" +
                           c.status + "}}";
  const std::string row = row_of(text);
  const auto first = row.find('|') + 1;
  return row.substr(first, row.find("|5m") - first);
}

}  // namespace

TEST_GROUP(KindColumns){};

TEST(KindColumns, begin_with_a_name_and_have_one_age) {
  for (const Kind* kind : all_kinds()) {
    const std::string name(kind->kind);
    CHECK_TEXT(kind->row != nullptr, name.c_str());
    const auto names = std::ranges::count(kind->columns, "name", &Column::format);
    LONGS_EQUAL_TEXT(1, names, name.c_str());
    const auto empty = kind->make_message();
    LONGS_EQUAL_TEXT(kind->columns.size(), kind->row(*empty, at(now_text)).size(), name.c_str());
  }
}

TEST(KindColumns, of_pods_say_how_they_are) {
  const PodCase cases[] = {
      {"", "phase: Pending", "0/2|Pending|0"},
      {"", "phase: Failed, reason: Evicted", "0/2|Evicted|0"},
      {"", "phase: Pending, conditions: [{type: PodScheduled, reason: SchedulingGated}]",
       "0/2|SchedulingGated|0"},
      {"",
       "phase: Running, containerStatuses: [{name: a, ready: true, state: {running: {}}}, {name: "
       "b, ready: false, state: {running: {}}}]",
       "1/2|Running|0"},
      {"",
       "phase: Pending, containerStatuses: [{name: a, state: {waiting: {reason: "
       "ErrImagePull}}}]",
       "0/2|ErrImagePull|0"},
      {"",
       "phase: Running, containerStatuses: [{name: a, restartCount: 2, state: {waiting: "
       "{reason: CrashLoopBackOff}}, lastState: {terminated: {finishedAt: "
       "'2024-01-01T11:59:00Z'}}}, {name: b, ready: true, state: {running: {}}, restartCount: "
       "1, lastState: {terminated: {finishedAt: '2024-01-01T11:58:00Z'}}}]",
       "1/2|CrashLoopBackOff|3 (60s ago)"},
      {"", "phase: Failed, containerStatuses: [{name: a, state: {terminated: {exitCode: 3}}}]",
       "0/2|ExitCode:3|0"},
      {"", "phase: Failed, containerStatuses: [{name: a, state: {terminated: {signal: 9}}}]",
       "0/2|Signal:9|0"},
      {"",
       "phase: Failed, containerStatuses: [{name: a, state: {terminated: {reason: OOMKilled}}}, "
       "{name: b, state: {terminated: {reason: Error}}}]",
       "0/2|OOMKilled|0"},
      {"",
       "phase: Running, conditions: [{type: Ready, status: 'True'}], containerStatuses: "
       "[{name: a, state: {terminated: {reason: Completed}}}, {name: b, ready: true, state: "
       "{running: {}}}]",
       "1/2|Running|0"},
      {"",
       "phase: Running, containerStatuses: [{name: a, state: {terminated: {reason: "
       "Completed}}}, {name: b, ready: true, state: {running: {}}}]",
       "1/2|NotReady|0"},
      {"", "phase: Running, containerStatuses: [{name: a, ready: true, state: {running: {}}}]",
       "1/2|Terminating|0", ", deletionTimestamp: '2024-01-01T12:00:30Z'"},
      {"", "phase: Succeeded", "0/2|Succeeded|0", ", deletionTimestamp: '2024-01-01T12:00:30Z'"},
      {"", "phase: Running, reason: NodeLost", "0/2|Unknown|0",
       ", deletionTimestamp: '2024-01-01T12:00:30Z'"},
  };
  for (const PodCase& c : cases) {
    CHECK_EQUAL_TEXT(std::string(c.cells), pod_cells_of(c), c.status);
  }
}

TEST(KindColumns, of_pods_say_how_far_they_are_initialized) {
  const char* init = ", initContainers: [{name: i}, {name: j}]";
  const char* sidecar = ", initContainers: [{name: i, restartPolicy: Always}]";
  const PodCase cases[] = {
      {init, "phase: Pending, initContainerStatuses: [{name: i, state: {running: {}}}]",
       "0/2|Init:0/2|0"},
      {init,
       "phase: Pending, initContainerStatuses: [{name: i, state: {terminated: {exitCode: "
       "0}}}, {name: j, state: {waiting: {reason: PodInitializing}}}]",
       "0/2|Init:1/2|0"},
      {init,
       "phase: Pending, initContainerStatuses: [{name: i, restartCount: 2, state: {waiting: "
       "{reason: CrashLoopBackOff}}}]",
       "0/2|Init:CrashLoopBackOff|2"},
      {init,
       "phase: Failed, initContainerStatuses: [{name: i, state: {terminated: {exitCode: 1, "
       "reason: Error}}}]",
       "0/2|Init:Error|0"},
      {init,
       "phase: Failed, initContainerStatuses: [{name: i, state: {terminated: {exitCode: "
       "7}}}]",
       "0/2|Init:ExitCode:7|0"},
      {init,
       "phase: Failed, initContainerStatuses: [{name: i, state: {terminated: {exitCode: 137, "
       "signal: 9}}}]",
       "0/2|Init:Signal:9|0"},
      {init,
       "phase: Running, initContainerStatuses: [{name: i, restartCount: 4, state: "
       "{terminated: {exitCode: 0}}}, {name: j, state: {terminated: {exitCode: 0}}}], "
       "containerStatuses: [{name: a, ready: true, state: {running: {}}}]",
       "1/2|Running|0"},
      {sidecar,
       "phase: Running, initContainerStatuses: [{name: i, started: true, ready: true, "
       "restartCount: 1, state: {running: {}}}], containerStatuses: [{name: a, ready: "
       "true, state: {running: {}}}, {name: b, ready: true, state: {running: {}}}]",
       "3/3|Running|1"},
  };
  for (const PodCase& c : cases) {
    CHECK_EQUAL_TEXT(std::string(c.cells), pod_cells_of(c), c.status);
  }
}

TEST(KindColumns, of_pods_show_where_they_are_with_wide) {
  expect({{"{apiVersion: v1, kind: Pod, " + metadata() +
               ", spec: {nodeName: node-1, readinessGates: [{conditionType: a}, {conditionType: "
               "b}]}, status: {phase: Running, podIPs: [{ip: 10.88.0.5}], nominatedNodeName: "
               "node-2, conditions: [{type: a, status: 'True'}]}}",
           "web|0/0|Running|0|5m|10.88.0.5|node-1|node-2|1/2"},
          {"{apiVersion: v1, kind: Pod, " + metadata() + ", status: {phase: Pending}}",
           "web|0/0|Pending|0|5m|<none>|<none>|<none>|<none>"}});
}

TEST(KindColumns, of_nodes) {
  const std::string node = "{apiVersion: v1, kind: Node, ";
  expect({{node + metadata() + "}",
           "web|Unknown|<none>|5m||<none>|<none>|<unknown>|<unknown>|<unknown>"},
          {node +
               metadata(", labels: {node-role.kubernetes.io/worker: '', "
                        "node-role.kubernetes.io/control-plane: '', kubernetes.io/role: old}") +
               ", spec: {unschedulable: true}, status: {conditions: [{type: Ready, status: "
               "'False'}], addresses: [{type: InternalIP, address: 10.89.0.11}], nodeInfo: "
               "{kubeletVersion: v1.32.0, osImage: Debian, kernelVersion: '6.18', "
               "containerRuntimeVersion: 'keelson://0.1'}}}",
           "web|NotReady,SchedulingDisabled|control-plane,old,worker|5m|v1.32.0|10.89.0.11|<none>|"
           "Debian|6.18|keelson://0.1"}});
}

TEST(KindColumns, of_services_and_endpoints) {
  const std::string service = "{apiVersion: v1, kind: Service, " + metadata() + ", spec: ";
  const std::string slice = "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, " + metadata() +
                            ", addressType: IPv4, ";
  expect({
      {service + "{type: ClusterIP, clusterIP: 10.96.0.7, ports: [{port: 80, protocol: TCP}, "
                 "{port: 53, protocol: UDP}], selector: {b: c, a: b}}}",
       "web|ClusterIP|10.96.0.7|<none>|80/TCP,53/UDP|5m|a=b,b=c"},
      {service + "{type: NodePort, clusterIP: 10.96.0.7, externalIPs: [192.0.2.1], ports: [{port: "
                 "80, nodePort: 30080, protocol: TCP}]}}",
       "web|NodePort|10.96.0.7|192.0.2.1|80:30080/TCP|5m|<none>"},
      {service + "{type: LoadBalancer, clusterIP: 10.96.0.7}}",
       "web|LoadBalancer|10.96.0.7|<pending>|<none>|5m|<none>"},
      {service + "{type: LoadBalancer, clusterIP: 10.96.0.7}, status: {loadBalancer: {ingress: "
                 "[{hostname: lb.example.com}]}}}",
       "web|LoadBalancer|10.96.0.7|lb.example.com|<none>|5m|<none>"},
      {service + "{type: ExternalName, externalName: example.com}}",
       "web|ExternalName|<none>|example.com|<none>|5m|<none>"},
      {"{apiVersion: v1, kind: Endpoints, " + metadata() + "}", "web|<none>|5m"},
      {"{apiVersion: v1, kind: Endpoints, " + metadata() +
           ", subsets: [{addresses: [{ip: 10.0.0.1}, {ip: 10.0.0.2}], ports: [{port: 80}, {port: "
           "81}]}]}",
       "web|10.0.0.1:80,10.0.0.2:80,10.0.0.1:81 + 1 more...|5m"},
      {slice + "endpoints: []}", "web|IPv4|<unset>|<unset>|5m"},
      {slice + "ports: [{port: 80}, {name: x}, {}], endpoints: [{addresses: [10.0.0.1]}]}",
       "web|IPv4|80,x,*|10.0.0.1|5m"},
  });
}

TEST(KindColumns, of_workloads) {
  const std::string spec =
      ", spec: {replicas: 3, selector: {matchLabels: {app: web}}, template: {spec: {containers: "
      "[{name: a, image: a:1}, {name: b, image: b:2}]}}}, ";
  expect({{"{apiVersion: apps/v1, kind: Deployment, " + metadata() + spec +
               "status: {readyReplicas: 2, updatedReplicas: 1, availableReplicas: 2}}",
           "web|2/3|#1|#2|5m|a,b|a:1,b:2|app=web"},
          {"{apiVersion: apps/v1, kind: ReplicaSet, " + metadata() + spec +
               "status: {replicas: 3, readyReplicas: 2}}",
           "web|#3|#3|#2|5m|a,b|a:1,b:2|app=web"}});
}

TEST(KindColumns, of_events) {
  const std::string event = "{apiVersion: v1, kind: Event, " + metadata() + ", ";
  expect(
      {{event +
            "involvedObject: {kind: Pod, name: web-1, fieldPath: 'spec.containers{web}'}, type: "
            "Warning, reason: BackOff, message: \"Back-off \\n\", source: {component: kubelet, "
            "host: node-1}, firstTimestamp: '2024-01-01T11:00:00Z', lastTimestamp: "
            "'2024-01-01T11:59:30Z', count: 7}",
        "30s|Warning|BackOff|pod/web-1|spec.containers{web}|kubelet, node-1|Back-off|60m|#7|"
        "web"},
       {event + "involvedObject: {kind: Node}, eventTime: '2024-01-01T11:59:50.000000Z', "
                "reportingComponent: scheduler}",
        "10s|||node||scheduler||10s|#1|web"},
       {event + "involvedObject: {kind: Node}, eventTime: '2024-01-01T11:00:00.000000Z', series: "
                "{count: 4, lastObservedTime: '2024-01-01T11:59:58.000000Z'}}",
        "2s|||node||||60m|#4|web"},
       {"{apiVersion: events.k8s.io/v1, kind: Event, " + metadata() +
            ", regarding: {kind: Pod, name: a}, note: hello, eventTime: "
            "'2024-01-01T11:59:50.000000Z'}",
        "10s|||pod/a|||hello|10s|#1|web"}});
}

TEST(KindColumns, of_the_small_kinds) {
  expect({
      {"{apiVersion: v1, kind: ConfigMap, " + metadata() + ", data: {a: b}, binaryData: {c: Yg==}}",
       "web|#2|5m"},
      {"{apiVersion: v1, kind: Secret, " + metadata() + ", type: Opaque, data: {c: Yg==}}",
       "web|Opaque|#1|5m"},
      {"{apiVersion: v1, kind: ServiceAccount, " + metadata() + "}", "web|#0|5m"},
      {"{apiVersion: v1, kind: Namespace, " + metadata() + ", status: {phase: Active}}",
       "web|Active|5m"},
      {"{apiVersion: coordination.k8s.io/v1, kind: Lease, " + metadata() +
           ", spec: {holderIdentity: node-1}}",
       "web|node-1|5m"},
      {"{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, " + metadata() +
           ", value: 7, preemptionPolicy: Never}",
       "web|#7|false|5m|Never"},
  });
}
