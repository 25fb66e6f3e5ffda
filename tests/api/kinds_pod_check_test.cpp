// Malformed pods: every cause with its path, reason and text. Source of the texts: the rules of
// Kubernetes 1.32.
#include "tests/api/manifest.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

namespace {

struct Case {
  const char* fragment;  // of a pod's spec, or of a container
  std::vector<std::string> findings;
};

void expect(std::string (*manifest_of)(std::string_view), const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    CHECK_EQUAL_TEXT(lines(c.findings), lines(create(manifest_of(c.fragment)).findings),
                     c.fragment);
  }
}

}  // namespace

TEST_GROUP(PodCheck){};

TEST(PodCheck, accepts_what_is_good) {
  const Manifest pod = create(R"(
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  volumes:
  - {name: a, configMap: {name: c, items: [{key: k, path: x/y, mode: 256}]}}
  - {name: b, projected: {sources: [{secret: {name: s}}, {downwardAPI: {items: [
      {path: labels, fieldRef: {fieldPath: metadata.labels}},
      {path: cpu, resourceFieldRef: {containerName: web, resource: limits.cpu, divisor: 1m}}]}}]}}
  - {name: h, hostPath: {path: /etc, type: Directory}}
  initContainers: [{name: first, image: busybox, command: [sh], env: [
    {name: A, valueFrom: {fieldRef: {fieldPath: "metadata.labels['app']"}}}]}]
  containers:
  - name: web
    image: web
    ports: [{name: http, containerPort: 80}, {containerPort: 53, protocol: UDP}]
    resources: {limits: {cpu: "1", memory: 1Gi, example.com/dongle: "2"}}
    volumeMounts: [{name: a, mountPath: /a, subPath: x/y}, {name: b, mountPath: /b}]
    livenessProbe: {httpGet: {port: http}}
    readinessProbe: {exec: {command: [ls]}, successThreshold: 2}
    lifecycle: {preStop: {exec: {command: [sleep, "1"]}}}
    securityContext: {runAsUser: 1000, capabilities: {add: [NET_ADMIN]}}
  tolerations: [{operator: Exists}, {key: a, value: b, effect: NoExecute, tolerationSeconds: 5}]
  hostAliases: [{ip: 10.0.0.1, hostnames: [a.b]}]
  dnsPolicy: None
  dnsConfig: {nameservers: [10.0.0.1], searches: [a.b.], options: [{name: ndots, value: "2"}]}
)");
  CHECK_EQUAL(std::string(), lines(pod.findings));
}

TEST(PodCheck, names_all_causes_at_once) {
  const Manifest pod = create(R"(
apiVersion: v1
kind: Pod
metadata: {name: Web, labels: {"a b": "c d"}}
spec:
  containers: [{name: W, ports: [{containerPort: 70000, protocol: ICMP}]}]
  restartPolicy: Sometimes
)");
  const std::vector<std::string> reasons = {"FieldValueInvalid",      "FieldValueInvalid",
                                            "FieldValueInvalid",      "FieldValueInvalid",
                                            "FieldValueRequired",     "FieldValueInvalid",
                                            "FieldValueNotSupported", "FieldValueNotSupported"};
  CHECK_EQUAL(lines(reasons), lines(pod.reasons));
  FieldErrors errors;
  errors.required(FieldPath("spec") / "containers");
  LONGS_EQUAL(422, http_status_of(errors.to_error("", "Pod", "Web").reason));
}

TEST(PodCheck, of_containers) {
  const std::vector<std::pair<const char*, std::vector<std::string>>> cases = {
      {"{}", {"spec.containers: Required value"}},
      {"{containers: []}", {"spec.containers: Required value"}},
      {"{containers: [{image: a}]}", {"spec.containers[0].name: Required value"}},
      {"{containers: [{name: a}]}", {"spec.containers[0].image: Required value"}},
      {"{containers: [{name: a, image: ' a'}]}",
       {"spec.containers[0].image: Invalid value: \" a\": must not have leading or trailing "
        "whitespace"}},
      {"{containers: [{name: a.b, image: a}]}",
       {"spec.containers[0].name: Invalid value: \"a.b\": must not contain dots"}},
      {"{containers: [{name: a, image: a}, {name: a, image: b}]}",
       {"spec.containers[1].name: Duplicate value: \"a\""}},
      {"{containers: [{name: a, image: a}], initContainers: [{name: a, image: b}]}",
       {"spec.initContainers[0].name: Duplicate value: \"a\""}},
      {"{containers: [{name: a, image: a}], initContainers: [{name: b, image: b, livenessProbe: "
       "{exec: {command: [a]}}}]}",
       {"spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers "
        "without restartPolicy=Always"}},
      {"{containers: [{name: a, image: a}], initContainers: [{name: b, image: b, restartPolicy: "
       "Never}]}",
       {"spec.initContainers[0].restartPolicy: Unsupported value: \"Never\": supported values: "
        "\"Always\""}},
      {"{containers: [{name: a, image: a, restartPolicy: Always}]}",
       {"spec.containers[0].restartPolicy: Forbidden: may not be set for non-init containers"}},
      {"{containers: [{name: a, image: a}], ephemeralContainers: [{name: a, image: a, "
       "targetContainerName: x, ports: [{containerPort: 1}]}]}",
       {"spec.ephemeralContainers[0].name: Duplicate value: \"a\"",
        "spec.ephemeralContainers[0].targetContainerName: Not found: \"x\"",
        "spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container",
        "spec.ephemeralContainers: Forbidden: cannot be set on create"}},
      {"{hostNetwork: true, containers: [{name: a, image: a, ports: [{containerPort: 80, hostPort: "
       "81}]}]}",
       {"spec.containers[0].ports[0].hostPort: Invalid value: 81: must match `containerPort` when "
        "`hostNetwork` is true"}},
      {"{containers: [{name: a, image: a, ports: [{containerPort: 80, hostPort: 80}]}, {name: b, "
       "image: b, ports: [{containerPort: 81, hostPort: 80}]}]}",
       {"spec.containers[1].ports[0].hostPort: Duplicate value: \"TCP//80\""}},
  };
  for (const auto& [spec, findings] : cases) {
    const std::string text =
        std::string("{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: ") + spec + "}";
    CHECK_EQUAL_TEXT(lines(findings), lines(create(text).findings), spec);
  }
}

TEST(PodCheck, of_ports_and_policies) {
  expect(
      pod_with_container,
      {{"imagePullPolicy: Maybe",
        {"spec.containers[0].imagePullPolicy: Unsupported value: \"Maybe\": supported values: "
         "\"Always\", \"IfNotPresent\", \"Never\""}},
       {"terminationMessagePolicy: Maybe",
        {"spec.containers[0].terminationMessagePolicy: Unsupported value: \"Maybe\": supported "
         "values: \"File\", \"FallbackToLogsOnError\""}},
       {"ports: [{}]", {"spec.containers[0].ports[0].containerPort: Required value"}},
       {"ports: [{containerPort: 65536}]",
        {"spec.containers[0].ports[0].containerPort: Invalid value: 65536: must be between 1 and "
         "65535, inclusive"}},
       {"ports: [{containerPort: 1, hostPort: -1}]",
        {"spec.containers[0].ports[0].hostPort: Invalid value: -1: must be between 1 and 65535, "
         "inclusive"}},
       {"ports: [{containerPort: 1, name: a}, {containerPort: 2, name: a}]",
        {"spec.containers[0].ports[1].name: Duplicate value: \"a\""}},
       {"ports: [{containerPort: 1, name: '80'}]",
        {"spec.containers[0].ports[0].name: Invalid value: \"80\": must contain at least one "
         "letter (a-z)"}},
       {"ports: [{containerPort: 1, protocol: ICMP}]",
        {"spec.containers[0].ports[0].protocol: Unsupported value: \"ICMP\": supported values: "
         "\"SCTP\", \"TCP\", \"UDP\""}}});
}

TEST(PodCheck, of_environments) {
  expect(
      pod_with_container,
      {{"env: [{value: a}]", {"spec.containers[0].env[0].name: Required value"}},
       {"env: [{name: 'a=b'}]",
        {"spec.containers[0].env[0].name: Invalid value: \"a=b\": a valid environment variable "
         "name must consist only of printable ASCII characters other than '='"}},
       {"env: [{name: A, value: a, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]",
        {"spec.containers[0].env[0].valueFrom: Invalid value: \"\": may not be specified when "
         "`value` is not empty"}},
       {"env: [{name: A, valueFrom: {}}]",
        {"spec.containers[0].env[0].valueFrom: Invalid value: \"\": must specify one of: "
         "`fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"}},
       {"env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}, secretKeyRef: {name: s, "
        "key: k}}}]",
        {"spec.containers[0].env[0].valueFrom: Invalid value: \"\": may not have more than one "
         "field specified at a time"}},
       {"env: [{name: A, valueFrom: {fieldRef: {fieldPath: status.phase}}}]",
        {"spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "
         "\"status.phase\": supported values: \"metadata.name\", \"metadata.namespace\", "
         "\"metadata.uid\", \"spec.nodeName\", \"spec.serviceAccountName\", \"status.hostIP\", "
         "\"status.hostIPs\", \"status.podIP\", \"status.podIPs\""}},
       {"env: [{name: A, valueFrom: {fieldRef: {fieldPath: spec.bogus}}}]",
        {"spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: \"spec.bogus\": "
         "error converting fieldPath: field label not supported: spec.bogus"}},
       {"env: [{name: A, valueFrom: {fieldRef: {fieldPath: \"spec.x['a']\"}}}]",
        {"spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: \"spec.x['a']\": "
         "error converting fieldPath: field label does not support subscript: spec.x['a']"}},
       {"env: [{name: A, valueFrom: {resourceFieldRef: {resource: limits.gpu}}}]",
        {"spec.containers[0].env[0].valueFrom.resourceFieldRef.resource: Unsupported value: "
         "\"limits.gpu\": supported values: \"limits.cpu\", \"limits.ephemeral-storage\", "
         "\"limits.memory\", \"requests.cpu\", \"requests.ephemeral-storage\", "
         "\"requests.memory\""}},
       {"env: [{name: A, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: 2m}}}]",
        {"spec.containers[0].env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "
         "\"limits.cpu\": only divisor's values 1m and 1 are supported with the cpu resource"}},
       {"env: [{name: A, valueFrom: {configMapKeyRef: {name: c}}}]",
        {"spec.containers[0].env[0].valueFrom.configMapKeyRef.key: Required value"}},
       {"envFrom: [{prefix: A_}]",
        {"spec.containers[0].envFrom: Invalid value: \"\": must specify one of: `configMapRef` or "
         "`secretRef`"}},
       {"envFrom: [{configMapRef: {name: c}, secretRef: {name: s}}]",
        {"spec.containers[0].envFrom: Invalid value: \"\": may not have more than one field "
         "specified at a time"}},
       {"envFrom: [{secretRef: {}}]",
        {"spec.containers[0].envFrom[0].secretRef.name: Required value"}}});
}

TEST(PodCheck, of_mounts) {
  expect(
      pod_with_container,
      {{"volumeMounts: [{name: nope, mountPath: /a}]",
        {"spec.containers[0].volumeMounts[0].name: Not found: \"nope\""}},
       {"volumeMounts: [{name: data}]",
        {"spec.containers[0].volumeMounts[0].mountPath: Required value"}},
       {"volumeMounts: [{name: data, mountPath: /a}, {name: data, mountPath: /a}]",
        {"spec.containers[0].volumeMounts[1].mountPath: Invalid value: \"/a\": must be unique"}},
       {"volumeMounts: [{name: data, mountPath: /a, subPath: a/../b}]",
        {"spec.containers[0].volumeMounts.subPath: Invalid value: \"a/../b\": must not contain "
         "'..'"}},
       {"volumeMounts: [{name: data, mountPath: /a, subPath: /a}]",
        {"spec.containers[0].volumeMounts.subPath: Invalid value: \"/a\": must be a relative "
         "path"}},
       {"volumeMounts: [{name: data, mountPath: /a, mountPropagation: Bidirectional}]",
        {"spec.containers[0].volumeMounts.mountPropagation: Forbidden: Bidirectional mount "
         "propagation is available only to privileged containers"}},
       {"volumeMounts: [{name: data, mountPath: /a, recursiveReadOnly: Enabled}]",
        {"spec.containers[0].volumeMounts.recursiveReadOnly: Forbidden: may only be specified when "
         "readOnly is true"}},
       {"volumeDevices: [{name: data, devicePath: /dev/x}]",
        {"spec.containers[0].volumeDevices[0].name: Invalid value: \"data\": can only use volume "
         "source type of PersistentVolumeClaim or Ephemeral for block mode"}},
       {"resizePolicy: [{resourceName: disk, restartPolicy: NotRequired}]",
        {"spec.containers[0].resizePolicy: Unsupported value: \"disk\": supported values: \"cpu\", "
         "\"memory\""}}});
}

TEST(PodCheck, of_resources) {
  expect(
      pod_with_container,
      {{"resources: {requests: {cpu: '2'}, limits: {cpu: '1'}}",
        {"spec.containers[0].resources.requests: Invalid value: \"2\": must be less than or equal "
         "to cpu limit of 1"}},
       {"resources: {requests: {memory: '-1'}}",
        {"spec.containers[0].resources.requests[memory]: Invalid value: \"-1\": must be greater "
         "than or equal to 0"}},
       {"resources: {limits: {gpu: '1'}}",
        {"spec.containers[0].resources.limits[gpu]: Invalid value: \"gpu\": must be a standard "
         "resource type or fully qualified",
         "spec.containers[0].resources.limits[gpu]: Invalid value: \"gpu\": must be a standard "
         "resource for containers",
         "spec.containers[0].resources.requests[gpu]: Invalid value: \"gpu\": must be a standard "
         "resource type or fully qualified",
         "spec.containers[0].resources.requests[gpu]: Invalid value: \"gpu\": must be a standard "
         "resource for containers"}},
       {"resources: {requests: {example.com/dongle: '1'}}",
        {"spec.containers[0].resources.limits: Required value: Limit must be set for non "
         "overcommitable resources"}},
       {"resources: {requests: {example.com/dongle: '1'}, limits: {example.com/dongle: '2'}}",
        {"spec.containers[0].resources.requests: Invalid value: \"1\": must be equal to "
         "example.com/dongle limit of 2"}},
       {"resources: {limits: {example.com/dongle: 1500m}}",
        {"spec.containers[0].resources.limits[example.com/dongle]: Invalid value: \"1500m\": must "
         "be an integer",
         "spec.containers[0].resources.requests[example.com/dongle]: Invalid value: \"1500m\": "
         "must be an integer"}},
       {"resources: {limits: {hugepages-2Mi: 4Mi}}",
        {"spec.containers[0].resources: Forbidden: HugePages require cpu or memory"}},
       {"resources: {limits: {hugepages-2Mi: 3Mi, cpu: '1'}}",
        {"spec.containers[0].resources.limits[hugepages-2Mi]: Invalid value: \"3Mi\": 3Mi is not "
         "positive integer multiple of hugepages-2Mi",
         "spec.containers[0].resources.requests[hugepages-2Mi]: Invalid value: \"3Mi\": 3Mi is not "
         "positive integer multiple of hugepages-2Mi"}},
       {"resources: {claims: [{name: c}, {name: c}]}",
        {"spec.containers[0].resources.claims[0]: Not found: \"c\": must be one of the names in "
         "pod.spec.resourceClaims which is empty",
         "spec.containers[0].resources.claims[1]: Duplicate value: \"c\"",
         "spec.containers[0].resources.claims[1]: Not found: \"c\": must be one of the names in "
         "pod.spec.resourceClaims which is empty"}}});
}

TEST(PodCheck, of_probes_and_handlers) {
  expect(
      pod_with_container,
      {{"livenessProbe: {}",
        {"spec.containers[0].livenessProbe: Required value: must specify a handler type"}},
       {"livenessProbe: {exec: {command: [a]}, tcpSocket: {port: 1}}",
        {"spec.containers[0].livenessProbe.tcpSocket: Forbidden: may not specify more than 1 "
         "handler type"}},
       {"livenessProbe: {exec: {}}",
        {"spec.containers[0].livenessProbe.exec.command: Required value"}},
       {"livenessProbe: {exec: {command: [a]}, successThreshold: 2}",
        {"spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1"}},
       {"startupProbe: {exec: {command: [a]}, successThreshold: 2}",
        {"spec.containers[0].startupProbe.successThreshold: Invalid value: 2: must be 1"}},
       {"readinessProbe: {exec: {command: [a]}, terminationGracePeriodSeconds: 1}",
        {"spec.containers[0].readinessProbe.terminationGracePeriodSeconds: Invalid value: 1: must "
         "not be set for readinessProbes"}},
       {"readinessProbe: {httpGet: {port: 0, scheme: FTP}, initialDelaySeconds: -1}",
        {"spec.containers[0].readinessProbe.httpGet.port: Invalid value: 0: must be between 1 and "
         "65535, inclusive",
         "spec.containers[0].readinessProbe.httpGet.scheme: Unsupported value: \"FTP\": supported "
         "values: \"HTTP\", \"HTTPS\"",
         "spec.containers[0].readinessProbe.initialDelaySeconds: Invalid value: -1: must be "
         "greater than or equal to 0"}},
       {"readinessProbe: {httpGet: {port: 80, httpHeaders: [{name: 'a b', value: c}]}}",
        {"spec.containers[0].readinessProbe.httpGet.httpHeaders: Invalid value: \"a b\": a valid "
         "HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex "
         "used for validation is '[-A-Za-z0-9]+')"}},
       {"livenessProbe: {grpc: {port: 0}}",
        {"spec.containers[0].livenessProbe.grpc.port: Invalid value: 0: must be between 1 and "
         "65535, inclusive"}},
       {"lifecycle: {preStop: {sleep: {seconds: 31}}}",
        {"spec.containers[0].lifecycle.preStop.sleep: Invalid value: 31: must be greater than 0 "
         "and less than terminationGracePeriodSeconds (30). Enable "
         "AllowPodLifecycleSleepActionZeroValue feature gate for zero sleep."}},
       {"lifecycle: {postStart: {}}",
        {"spec.containers[0].lifecycle.postStart: Required value: must specify a handler type"}}});
}

TEST(PodCheck, of_volumes) {
  expect(
      pod_with,
      {{"volumes: [{emptyDir: {}}]", {"spec.volumes[0].name: Required value"}},
       {"volumes: [{name: A, emptyDir: {}}]",
        {"spec.volumes[0].name: Invalid value: \"A\": a lowercase RFC 1123 label must consist of "
         "lower case alphanumeric characters or '-', and must start and end with an alphanumeric "
         "character (e.g. 'my-name',  or '123-abc', regex used for validation is "
         "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"}},
       {"volumes: [{name: a, emptyDir: {}}, {name: a, emptyDir: {}}]",
        {"spec.volumes[1].name: Duplicate value: \"a\""}},
       {"volumes: [{name: a, emptyDir: {}, hostPath: {path: /a}}]",
        {"spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type"}},
       {"volumes: [{name: a, emptyDir: {sizeLimit: '-1'}}]",
        {"spec.volumes[0].emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource "
         "quantity"}},
       {"volumes: [{name: a, hostPath: {path: ''}}]",
        {"spec.volumes[0].hostPath.path: Required value"}},
       {"volumes: [{name: a, hostPath: {path: /a/../b, type: Folder}}]",
        {"spec.volumes[0].hostPath.path: Invalid value: \"/a/../b\": must not contain '..'",
         "spec.volumes[0].hostPath.type: Unsupported value: \"Folder\": supported values: \"\", "
         "\"BlockDevice\", \"CharDevice\", \"Directory\", \"DirectoryOrCreate\", \"File\", "
         "\"FileOrCreate\", \"Socket\""}},
       {"volumes: [{name: a, configMap: {}}]", {"spec.volumes[0].configMap.name: Required value"}},
       {"volumes: [{name: a, configMap: {name: c, defaultMode: 512, items: [{}]}}]",
        {"spec.volumes[0].configMap.defaultMode: Invalid value: 512: must be a number between 0 "
         "and 0777 (octal), both inclusive",
         "spec.volumes[0].configMap.items[0].key: Required value",
         "spec.volumes[0].configMap.items[0].path: Required value"}},
       {"volumes: [{name: a, secret: {secretName: s, items: [{key: k, path: ..x}]}}]",
        {"spec.volumes[0].secret.items[0].path: Invalid value: \"..x\": must not start with "
         "'..'"}},
       {"volumes: [{name: a, secret: {}}]", {"spec.volumes[0].secret.secretName: Required value"}},
       {"volumes: [{name: a, persistentVolumeClaim: {claimName: ''}}]",
        {"spec.volumes[0].persistentVolumeClaim.claimName: Required value"}},
       {"volumes: [{name: a, nfs: {server: s, path: a}}]",
        {"spec.volumes[0].nfs.path: Invalid value: \"a\": must be an absolute path"}},
       {"volumes: [{name: a, csi: {driver: ''}}]", {"spec.volumes[0].csi.driver: Required value"}},
       {"volumes: [{name: a, downwardAPI: {items: [{path: p}]}}]",
        {"spec.volumes[0].downwardAPI: Required value: one of fieldRef and resourceFieldRef is "
         "required"}},
       {"volumes: [{name: a, downwardAPI: {items: [{path: p, fieldRef: {fieldPath: "
        "status.podIP}}]}}]",
        {"spec.volumes[0].downwardAPI.fieldRef.fieldPath: Unsupported value: \"status.podIP\": "
         "supported values: \"metadata.annotations\", \"metadata.labels\", \"metadata.name\", "
         "\"metadata.namespace\", \"metadata.uid\""}},
       {"volumes: [{name: a, downwardAPI: {items: [{path: p, resourceFieldRef: {resource: "
        "limits.cpu}}]}}]",
        {"spec.volumes[0].downwardAPI.resourceFieldRef.containerName: Required value"}},
       {"volumes: [{name: a, projected: {sources: [{secret: {name: s, items: [{key: a, path: p}, "
        "{key: b, path: p}]}}]}}]",
        {"spec.volumes[0].projected: Invalid value: \"s\": conflicting duplicate paths"}},
       {"volumes: [{name: a, projected: {sources: [{secret: {name: s}, configMap: {name: c}}]}}]",
        {"spec.volumes[0].projected.sources[0]: Forbidden: may not specify more than 1 volume type "
         "per source"}},
       {"volumes: [{name: a, projected: {sources: [{serviceAccountToken: {path: t, "
        "expirationSeconds: 1}}]}}]",
        {"spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid "
         "value: 1: may not specify a duration less than 10 minutes"}}});
}

TEST(PodCheck, of_security_contexts) {
  expect(
      pod_with_container,
      {{"securityContext: {runAsUser: -1, runAsGroup: 4294967296}",
        {"spec.containers[0].securityContext.runAsUser: Invalid value: -1: must be between 0 and "
         "2147483647, inclusive",
         "spec.containers[0].securityContext.runAsGroup: Invalid value: 4294967296: must be "
         "between 0 and 2147483647, inclusive"}},
       {"securityContext: {privileged: true, allowPrivilegeEscalation: false}",
        {"spec.containers[0].securityContext: Invalid value: "
         "{\"privileged\":true,\"allowPrivilegeEscalation\":false}: cannot set "
         "`allowPrivilegeEscalation` to false and `privileged` to true"}},
       {"securityContext: {seccompProfile: {type: Localhost}}",
        {"spec.containers[0].securityContext.seccompProfile.localhostProfile: Required value: must "
         "be set when seccomp type is Localhost"}},
       {"securityContext: {seccompProfile: {type: Localhost, localhostProfile: ../a}}",
        {"spec.containers[0].securityContext.seccompProfile.localhostProfile: Invalid value: "
         "\"../a\": must not contain '..'"}},
       {"securityContext: {seccompProfile: {}}",
        {"spec.containers[0].securityContext.seccompProfile.type: Required value: type is required "
         "when seccompProfile is set"}},
       {"securityContext: {seccompProfile: {type: Strict}}",
        {"spec.containers[0].securityContext.seccompProfile.type: Unsupported value: \"Strict\": "
         "supported values: \"Localhost\", \"RuntimeDefault\", \"Unconfined\""}},
       {"securityContext: {procMount: Unmasked}",
        {"spec.containers[0].securityContext.procMount: Invalid value: \"Unmasked\": `hostUsers` "
         "must be false to use `Unmasked`"}},
       {"securityContext: {appArmorProfile: {type: Localhost}}",
        {"spec.containers[0].securityContext.appArmorProfile.localhostProfile: Required value: "
         "must be set when AppArmor type is Localhost"}}});
  expect(pod_with,
         {{"securityContext: {fsGroup: -1, supplementalGroups: [1, -2]}",
           {"spec.securityContext.fsGroup: Invalid value: -1: must be between 0 and 2147483647, "
            "inclusive",
            "spec.securityContext.supplementalGroups[1]: Invalid value: -2: must be between 0 and "
            "2147483647, inclusive"}},
          {"securityContext: {sysctls: [{name: net.a, value: '1'}, {name: net.a, value: '2'}, "
           "{name: A, value: '1'}]}",
           {"spec.securityContext.sysctls[1].name: Duplicate value: \"net.a\"",
            "spec.securityContext.sysctls[2].name: Invalid value: \"A\": must have at most 253 "
            "characters and match regex "
            "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"}},
          {"securityContext: {fsGroupChangePolicy: Sometimes}",
           {"spec.securityContext.fsGroupChangePolicy: Unsupported value: \"Sometimes\": supported "
            "values: \"Always\", \"OnRootMismatch\""}}});
}

TEST(PodCheck, of_node_selectors_and_tolerations) {
  expect(
      pod_with,
      {{"nodeSelector: {'a b': c}",
        {"spec.nodeSelector: Invalid value: \"a b\": name part must consist of alphanumeric "
         "characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. "
         "'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
         "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"}},
       {"tolerations: [{}]",
        {"spec.tolerations[0].operator: Invalid value: \"\": operator must be Exists when `key` is "
         "empty, which means \"match all values and all keys\""}},
       {"tolerations: [{key: a, operator: In}]",
        {"spec.tolerations[0].operator: Unsupported value: \"In\": supported values: \"Equal\", "
         "\"Exists\""}},
       {"tolerations: [{key: a, operator: Exists, value: b, effect: Sometimes}]",
        {"spec.tolerations[0].operator: Invalid value: \"b\": value must be empty when `operator` "
         "is 'Exists'",
         "spec.tolerations[0].effect: Unsupported value: \"Sometimes\": supported values: "
         "\"NoSchedule\", \"PreferNoSchedule\", \"NoExecute\""}},
       {"tolerations: [{key: a, effect: NoSchedule, tolerationSeconds: 1}]",
        {"spec.tolerations[0].effect: Invalid value: \"NoSchedule\": effect must be 'NoExecute' "
         "when `tolerationSeconds` is set"}}});
}

TEST(PodCheck, of_affinity_and_spread) {
  expect(
      pod_with,
      {{"affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
        "{nodeSelectorTerms: []}}}",
        {"spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
         "nodeSelectorTerms: Required value: must have at least one node selector term"}},
       {"affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 101, "
        "preference: {matchExpressions: [{key: a, operator: Like}, {key: a, operator: In}, {key: "
        "a, "
        "operator: Exists, values: [b]}, {key: a, operator: Gt, values: []}], matchFields: [{key: "
        "a, operator: In, values: [b]}]}}]}}",
        {"spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: "
         "Invalid value: 101: must be in the range 1-100",
         "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference."
         "matchExpressions[0].operator: Invalid value: \"Like\": not a valid selector operator",
         "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference."
         "matchExpressions[1].values: Required value: must be specified when `operator` is 'In' or "
         "'NotIn'",
         "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference."
         "matchExpressions[2].values: Forbidden: may not be specified when `operator` is 'Exists' "
         "or 'DoesNotExist'",
         "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference."
         "matchExpressions[3].values: Required value: must be specified single value when "
         "`operator` is 'Lt' or 'Gt'",
         "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference."
         "matchFields[0].key: Invalid value: \"a\": not a valid field selector key"}},
       {"affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
        "[{topologyKey: '', namespaces: [A]}]}}",
        {"spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]."
         "namespace: Invalid value: \"A\": a lowercase RFC 1123 label must consist of lower case "
         "alphanumeric characters or '-', and must start and end with an alphanumeric character "
         "(e.g. 'my-name',  or '123-abc', regex used for validation is "
         "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
         "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]."
         "topologyKey: Required value: can not be empty",
         "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]."
         "topologyKey: Invalid value: \"\": name part must be non-empty",
         "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]."
         "topologyKey: Invalid value: \"\": name part must consist of alphanumeric characters, "
         "'-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  "
         "or 'my.name',  or '123-abc', regex used for validation is "
         "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"}},
       {"topologySpreadConstraints: [{maxSkew: 0, topologyKey: '', whenUnsatisfiable: Never, "
        "minDomains: 0}]",
        {"spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero",
         "spec.topologySpreadConstraints[0].topologyKey: Required value: can not be empty",
         "spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: \"Never\": "
         "supported values: \"DoNotSchedule\", \"ScheduleAnyway\"",
         "spec.topologySpreadConstraints[0].minDomains: Invalid value: 0: must be greater than "
         "zero",
         "spec.topologySpreadConstraints[0].minDomains: Invalid value: 0: can only use minDomains "
         "if whenUnsatisfiable=DoNotSchedule, not Never"}},
       {"topologySpreadConstraints: [{maxSkew: 1, topologyKey: z, whenUnsatisfiable: "
        "ScheduleAnyway}, {maxSkew: 1, topologyKey: z, whenUnsatisfiable: ScheduleAnyway}]",
        {"spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value: "
         "\"{z, ScheduleAnyway}\""}}});
}

TEST(PodCheck, of_the_rest) {
  expect(
      pod_with,
      {{"restartPolicy: Sometimes",
        {"spec.restartPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", "
         "\"OnFailure\", \"Never\""}},
       {"dnsPolicy: None",
        {"spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"}},
       {"dnsPolicy: Sometimes",
        {"spec.dnsPolicy: Unsupported value: \"Sometimes\": supported values: "
         "\"ClusterFirstWithHostNet\", \"ClusterFirst\", \"Default\", \"None\""}},
       {"dnsConfig: {nameservers: [a, 1.1.1.1, 1.1.1.2, 1.1.1.3], options: [{value: a}]}",
        {"spec.dnsConfig.nameservers: Invalid value: []string{\"a\", \"1.1.1.1\", \"1.1.1.2\", "
         "\"1.1.1.3\"}: must not have more than 3 nameservers",
         "spec.dnsConfig.nameservers[0]: Invalid value: \"a\": must be a valid IP address, (e.g. "
         "10.9.8.7 or 2001:db8::ffff)",
         "spec.dnsConfig.options[0]: Required value: must not be empty"}},
       {"hostAliases: [{ip: a, hostnames: [b]}]",
        {"spec.hostAliases[0].ip: Invalid value: \"a\": must be a valid IP address, (e.g. 10.9.8.7 "
         "or 2001:db8::ffff)"}},
       {"activeDeadlineSeconds: 0",
        {"spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, "
         "inclusive"}},
       {"hostname: a.b", {"spec.hostname: Invalid value: \"a.b\": must not contain dots"}},
       {"preemptionPolicy: Maybe",
        {"spec.preemptionPolicy: Unsupported value: \"Maybe\": supported values: "
         "\"PreemptLowerPriority\", \"Never\""}},
       {"overhead: {gpu: '1'}",
        {"spec.overhead.limits[gpu]: Invalid value: \"gpu\": must be a standard resource type or "
         "fully qualified",
         "spec.overhead.limits[gpu]: Invalid value: \"gpu\": must be a standard resource for "
         "containers"}},
       {"readinessGates: [{conditionType: 'a b'}]",
        {"spec.readinessGates[0].conditionType: Invalid value: \"a b\": name part must consist of "
         "alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
         "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
         "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"}},
       {"schedulingGates: [{name: a}, {name: a}]",
        {"spec.schedulingGates[1]: Duplicate value: \"a\""}},
       {"schedulingGates: [{name: a}]\n  nodeName: node-1",
        {"spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared"}},
       {"os: {name: plan9}",
        {"spec.os: Unsupported value: \"plan9\": supported values: \"linux\", \"windows\""}},
       {"hostUsers: false\n  hostPID: true",
        {"spec.HostPID: Forbidden: when `pod.Spec.HostUsers` is false"}},
       {"shareProcessNamespace: true\n  hostPID: true",
        {"spec.securityContext.shareProcessNamespace: Invalid value: true: ShareProcessNamespace "
         "and HostPID cannot both be enabled"}}});
}
