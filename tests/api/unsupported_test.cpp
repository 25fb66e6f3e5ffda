// Warnings: what is accepted and not honoured, deprecated, or probably not meant.
#include "api/unsupported.h"

#include "api/field_walk.h"
#include "api/proto/core/v1/pod.pb.h"
#include "tests/api/manifest.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

namespace {

struct Case {
  std::string manifest;
  std::vector<std::string> warnings;
};

void expect(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    CHECK_EQUAL_TEXT(lines(c.warnings), lines(create(c.manifest).warnings), c.manifest.c_str());
  }
}

const std::string not_yet = " is not supported by keelson yet: ";

}  // namespace

TEST_GROUP(Warnings){};

TEST(Warnings, name_what_is_not_honoured) {
  expect({
      {pod_with(""), {}},
      {pod_with("volumes: [{name: a, emptyDir: {}}, {name: b, persistentVolumeClaim: {claimName: "
                "c}}]"),
       {"spec.volumes[1].persistentVolumeClaim" + not_yet + "the pod will not start"}},
      {pod_with("shareProcessNamespace: true"),
       {"spec.shareProcessNamespace: true" + not_yet +
        "each container has a process namespace of its own"}},
      {pod_with("shareProcessNamespace: false\n  hostPID: true"), {}},
      {pod_with("hostUsers: true"), {}},
      {pod_with("securityContext: {seccompProfile: {type: Localhost, localhostProfile: a}}"),
       {"spec.securityContext.seccompProfile.type: Localhost" + not_yet +
        "the pod will not start"}},
      {pod_with("securityContext: {seccompProfile: {type: RuntimeDefault}}"), {}},
      {pod_with("affinity: {nodeAffinity: {}, podAffinity: {}}"),
       {"spec.affinity.podAffinity" + not_yet + "it does not affect where the pod runs"}},
      {pod_with_container("resources: {limits: {cpu: '1', hugepages-2Mi: 2Mi}}"),
       {"spec.containers[0].resources.limits[hugepages-2Mi]" + not_yet +
        "the amount is not reserved"}},
      {pod_with_container("livenessProbe: {grpc: {port: 80}}"),
       {"spec.containers[0].livenessProbe.grpc" + not_yet + "the probe fails"}},
      {"{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {selector: "
       "{matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {runtimeClassName: "
       "gvisor, containers: [{name: a, image: a}]}}}}",
       {"spec.template.spec.runtimeClassName" + not_yet + "the only runtime is used"}},
      {"{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {type: LoadBalancer, "
       "externalIPs: [192.0.2.1], ports: [{port: 80, protocol: SCTP}]}}",
       {"spec.type: LoadBalancer" + not_yet + "no load balancer is made; the node ports work",
        "spec.externalIPs" + not_yet + "they are not answered",
        "spec.ports[0].protocol: SCTP" + not_yet + "the port is not served"}},
  });
}

TEST(Warnings, name_what_is_deprecated_or_not_meant) {
  expect({
      {pod_with("nodeSelector: {beta.kubernetes.io/os: linux}"),
       {"spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "
        "\"kubernetes.io/os\" instead"}},
      {pod_with("terminationGracePeriodSeconds: -1"),
       {"spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be "
        "treated as 1"}},
      {pod_with("hostAliases: [{ip: 10.0.0.1}, {ip: 10.0.0.1}]"),
       {"spec.hostAliases[1].ip: duplicate ip \"10.0.0.1\""}},
      {pod_with_container("env: [{name: A, value: a}, {name: A, value: $(A)b}, {name: A, value: "
                          "c}]"),
       {"spec.containers[0].env[2]: hides previous definition of \"A\", which may be dropped when "
        "using apply"}},
      {pod_with_container("ports: [{containerPort: 80}, {containerPort: 80, name: b}, "
                          "{containerPort: 80, hostPort: 1}]"),
       {"spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]",
        "spec.containers[0].ports[2]: overlapping port definition with "
        "spec.containers[0].ports[0]",
        "spec.containers[0].ports[2]: overlapping port definition with "
        "spec.containers[0].ports[1]"}},
      {pod_with_container("resources: {requests: {memory: 100m}}"),
       {"spec.containers[0].resources.requests[memory]: fractional byte value \"100m\" is invalid, "
        "must be an integer"}},
      {"{apiVersion: v1, kind: Pod, metadata: {name: a, annotations: "
       "{seccomp.security.alpha.kubernetes.io/pod: runtime/default}}, spec: {containers: [{name: "
       "a, image: a}]}}",
       {"metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: non-functional in v1.27+; "
        "use the \"seccompProfile\" field instead"}},
  });
}

TEST(Warnings, come_from_a_walk_of_what_is_set) {
  FieldWalk walk(*core::PodSpec::descriptor());
  walk.add("containers[*].name");
  walk.add("volumes[*].hostPath.type", "Socket");
  walk.add("nodeSelector[example.com/*]");
  walk.add("containers");
  const Manifest pod = create(pod_with(
      "volumes: [{name: a, hostPath: {path: /a, type: Socket}}, {name: b, hostPath: {path: /b}}]\n"
      "  nodeSelector: {example.com/a: b, other: c}"));
  std::vector<std::string> found;
  walk.visit(static_cast<const core::Pod&>(*pod.message).spec(), FieldPath("x"),
             [&](std::size_t path, const FieldPath& at) {
               found.push_back(std::to_string(path) + " " + at.text());
             });
  CHECK_EQUAL(lines({"3 x.containers", "0 x.containers[0].name", "1 x.volumes[0].hostPath.type",
                     "2 x.nodeSelector[example.com/a]"}),
              lines(found));
}
