// Defaults, as `get -o yaml` shows them.
#include "tests/api/manifest.h"

#include "api/proto/core/v1/pod.pb.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

namespace {

constexpr const char* small_pod = R"(
apiVersion: v1
kind: Pod
metadata: {name: web}
spec: {containers: [{name: web, image: "web:1"}]}
)";
constexpr const char* small_pod_with_defaults = R"(
apiVersion: "v1"
kind: "Pod"
metadata:
  creationTimestamp: null
  name: "web"
  namespace: "default"
spec:
  containers:
  - image: "web:1"
    imagePullPolicy: "IfNotPresent"
    name: "web"
    resources: {}
    terminationMessagePath: "/dev/termination-log"
    terminationMessagePolicy: "File"
  dnsPolicy: "ClusterFirst"
  enableServiceLinks: true
  restartPolicy: "Always"
  schedulerName: "default-scheduler"
  securityContext: {}
  terminationGracePeriodSeconds: 30
status:
  phase: "Pending"
  qosClass: "BestEffort"
)";

constexpr const char* full_pod = R"(
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  hostNetwork: true
  serviceAccount: old
  schedulingGates: [{name: wait}]
  volumes:
  - {name: a}
  - {name: b, configMap: {name: c}}
  - {name: d, secret: {secretName: s}}
  - {name: e, hostPath: {path: /e}}
  - {name: f, downwardAPI: {items: [{path: p, fieldRef: {fieldPath: metadata.name}}]}}
  - {name: g, projected: {sources: [{serviceAccountToken: {path: t}}]}}
  initContainers: [{name: i, image: i, ports: [{containerPort: 1}]}]
  containers:
  - name: web
    image: web
    env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
    ports: [{containerPort: 80}]
    resources: {limits: {cpu: 1500m, memory: 1Gi}, requests: {cpu: 500m}}
    livenessProbe: {httpGet: {port: 80}}
    startupProbe: {grpc: {port: 80}, periodSeconds: 2}
    lifecycle: {preStop: {httpGet: {port: 80, scheme: HTTPS}}}
)";
constexpr const char* full_pod_with_defaults = R"(
apiVersion: "v1"
kind: "Pod"
metadata:
  creationTimestamp: null
  name: "web"
  namespace: "default"
spec:
  containers:
  - env:
    - name: "A"
      valueFrom:
        fieldRef:
          apiVersion: "v1"
          fieldPath: "metadata.name"
    image: "web"
    imagePullPolicy: "Always"
    lifecycle:
      preStop:
        httpGet:
          path: "/"
          port: 80
          scheme: "HTTPS"
    livenessProbe:
      failureThreshold: 3
      httpGet:
        path: "/"
        port: 80
        scheme: "HTTP"
      periodSeconds: 10
      successThreshold: 1
      timeoutSeconds: 1
    name: "web"
    ports:
    - containerPort: 80
      hostPort: 80
      protocol: "TCP"
    resources:
      limits:
        cpu: "1500m"
        memory: "1Gi"
      requests:
        cpu: "500m"
        memory: "1Gi"
    startupProbe:
      failureThreshold: 3
      grpc:
        port: 80
        service: ""
      periodSeconds: 2
      successThreshold: 1
      timeoutSeconds: 1
    terminationMessagePath: "/dev/termination-log"
    terminationMessagePolicy: "File"
  dnsPolicy: "ClusterFirst"
  enableServiceLinks: true
  hostNetwork: true
  initContainers:
  - image: "i"
    imagePullPolicy: "Always"
    name: "i"
    ports:
    - containerPort: 1
      hostPort: 1
      protocol: "TCP"
    resources: {}
    terminationMessagePath: "/dev/termination-log"
    terminationMessagePolicy: "File"
  restartPolicy: "Always"
  schedulerName: "default-scheduler"
  schedulingGates:
  - name: "wait"
  securityContext: {}
  serviceAccount: "old"
  serviceAccountName: "old"
  terminationGracePeriodSeconds: 30
  volumes:
  - emptyDir: {}
    name: "a"
  - configMap:
      defaultMode: 420
      name: "c"
    name: "b"
  - name: "d"
    secret:
      defaultMode: 420
      secretName: "s"
  - hostPath:
      path: "/e"
      type: ""
    name: "e"
  - downwardAPI:
      defaultMode: 420
      items:
      - fieldRef:
          apiVersion: "v1"
          fieldPath: "metadata.name"
        path: "p"
    name: "f"
  - name: "g"
    projected:
      defaultMode: 420
      sources:
      - serviceAccountToken:
          expirationSeconds: 3600
          path: "t"
status:
  conditions:
  - lastProbeTime: null
    lastTransitionTime: null
    message: "Scheduling is blocked due to non-empty scheduling gates"
    reason: "SchedulingGated"
    status: "False"
    type: "PodScheduled"
  phase: "Pending"
  qosClass: "Burstable"
)";

constexpr const char* deployment = R"(
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:1", resources: {limits: {cpu: "1"}}}]}
)";
constexpr const char* deployment_with_defaults = R"(
apiVersion: "apps/v1"
kind: "Deployment"
metadata:
  creationTimestamp: null
  name: "web"
  namespace: "default"
spec:
  progressDeadlineSeconds: 600
  replicas: 1
  revisionHistoryLimit: 10
  selector:
    matchLabels:
      app: "web"
  strategy:
    rollingUpdate:
      maxSurge: "25%"
      maxUnavailable: "25%"
    type: "RollingUpdate"
  template:
    metadata:
      creationTimestamp: null
      labels:
        app: "web"
    spec:
      containers:
      - image: "web:1"
        imagePullPolicy: "IfNotPresent"
        name: "web"
        resources:
          limits:
            cpu: "1"
        terminationMessagePath: "/dev/termination-log"
        terminationMessagePolicy: "File"
      dnsPolicy: "ClusterFirst"
      restartPolicy: "Always"
      schedulerName: "default-scheduler"
      securityContext: {}
      terminationGracePeriodSeconds: 30
status: {}
)";

constexpr const char* service = R"(
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: w, port: 80}, {name: x, port: 81, targetPort: http}],
  sessionAffinity: ClientIP, clusterIP: None}
)";
constexpr const char* service_with_defaults = R"(
apiVersion: "v1"
kind: "Service"
metadata:
  creationTimestamp: null
  name: "web"
  namespace: "default"
spec:
  clusterIP: "None"
  clusterIPs:
  - "None"
  internalTrafficPolicy: "Cluster"
  ipFamilies:
  - "IPv4"
  ipFamilyPolicy: "SingleStack"
  ports:
  - name: "w"
    port: 80
    protocol: "TCP"
    targetPort: 80
  - name: "x"
    port: 81
    protocol: "TCP"
    targetPort: "http"
  selector:
    app: "web"
  sessionAffinity: "ClientIP"
  sessionAffinityConfig:
    clientIP:
      timeoutSeconds: 10800
  type: "ClusterIP"
status:
  loadBalancer: {}
)";

void expect_yaml(const char* manifest, const char* expected) {
  const Manifest created = create(manifest);
  CHECK_EQUAL_TEXT(std::string(), lines(created.findings), manifest);
  STRCMP_EQUAL(expected, ("\n" + created.yaml()).c_str());
}

}  // namespace

TEST_GROUP(KindDefaults){};

TEST(KindDefaults, of_a_small_pod) {
  expect_yaml(small_pod, small_pod_with_defaults);
}

TEST(KindDefaults, of_a_pod_with_everything_that_has_defaults) {
  expect_yaml(full_pod, full_pod_with_defaults);
}

TEST(KindDefaults, of_a_pull_policy_follow_the_tag) {
  const std::pair<const char*, const char*> cases[] = {
      {"a", "Always"},
      {"a:latest", "Always"},
      {"a:1", "IfNotPresent"},
      {"reg:5000/a", "Always"},
      {"reg:5000/a:1", "IfNotPresent"},
      {"a@sha256:0123", "IfNotPresent"},
      {"a:latest@sha256:0123", "Always"},
  };
  for (const auto& [image, policy] : cases) {
    const Manifest pod = create(std::string("{apiVersion: v1, kind: Pod, metadata: {name: a}, ") +
                                "spec: {containers: [{name: a, image: '" + image + "'}]}}");
    const auto& made = static_cast<const core::Pod&>(*pod.message);
    CHECK_EQUAL_TEXT(std::string(policy), made.spec().containers(0).imagepullpolicy(), image);
  }
}

TEST(KindDefaults, of_a_deployment) {
  expect_yaml(deployment, deployment_with_defaults);
}

TEST(KindDefaults, of_services) {
  expect_yaml(service, service_with_defaults);
}

TEST(KindDefaults, of_other_kinds) {
  struct Case {
    const char* manifest;
    const char* line;
  };
  const Case cases[] = {
      {"{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {a: b}}",
       "data:\n  a: \"Yg==\"\n"},
      {"{apiVersion: v1, kind: Secret, metadata: {name: s}}", "type: \"Opaque\"\n"},
      {"{apiVersion: v1, kind: Namespace, metadata: {name: one}}",
       "  labels:\n    kubernetes.io/metadata.name: \"one\"\n  name: \"one\"\nspec:\n  "
       "finalizers:\n  - \"kubernetes\"\nstatus:\n  phase: \"Active\"\n"},
      {"{apiVersion: v1, kind: Node, metadata: {name: a}, spec: {podCIDR: 10.0.0.0/24}, status: "
       "{capacity: {cpu: '2'}}}",
       "spec:\n  podCIDR: \"10.0.0.0/24\"\n  podCIDRs:\n  - \"10.0.0.0/24\"\nstatus:\n  "
       "allocatable:\n    cpu: \"2\"\n  capacity:\n    cpu: \"2\"\n"},
      {"{apiVersion: v1, kind: Endpoints, metadata: {name: e}, subsets: [{addresses: [{ip: "
       "10.0.0.1}], ports: [{port: 80}]}]}",
       "  ports:\n  - port: 80\n    protocol: \"TCP\"\n"},
      {"{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: e}, addressType: "
       "IPv4, ports: [{port: 80}], endpoints: []}",
       "ports:\n- name: \"\"\n  port: 80\n  protocol: \"TCP\"\n"},
      {"{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: p}, value: 1}",
       "preemptionPolicy: \"PreemptLowerPriority\"\n"},
      {"{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: r}, spec: {selector: "
       "{matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: "
       "c, image: c}]}}}}",
       "spec:\n  replicas: 1\n"},
      {"{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {type: NodePort, ports: [{port: "
       "80}]}}",
       "  externalTrafficPolicy: \"Cluster\"\n"},
      {"{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {type: LoadBalancer, ports: "
       "[{port: 80}]}}",
       "  allocateLoadBalancerNodePorts: true\n"},
  };
  for (const Case& c : cases) {
    const Manifest made = create(c.manifest);
    CHECK_EQUAL_TEXT(std::string(), lines(made.findings), c.manifest);
    CHECK_TEXT(made.yaml().contains(c.line), (c.manifest + ("\n" + made.yaml())).c_str());
  }
}

TEST(KindDefaults, are_the_same_when_set_twice) {
  const Manifest once = create(pod_with_container("livenessProbe: {httpGet: {port: 80}}"));
  const std::string before = once.yaml();
  once.kind->set_defaults(*once.message);
  STRCMP_EQUAL(before.c_str(), once.yaml().c_str());
}
