// Malformed objects of every kind but Pod.
#include "tests/api/manifest.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

namespace {

struct Case {
  std::string manifest;
  std::vector<std::string> findings;
};

void expect(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    CHECK_EQUAL_TEXT(lines(c.findings), lines(create(c.manifest).findings), c.manifest.c_str());
  }
}

std::string of(const char* kind, std::string_view rest) {
  const std::string name(kind);
  const char* api_version = name == "Deployment" || name == "ReplicaSet" ? "apps/v1"
                            : name == "EndpointSlice"                    ? "discovery.k8s.io/v1"
                            : name == "Lease"                            ? "coordination.k8s.io/v1"
                            : name == "PriorityClass"                    ? "scheduling.k8s.io/v1"
                                                                         : "v1";
  return std::string("{apiVersion: ") + api_version + ", kind: " + name +
         ", metadata: {name: a}, " + std::string(rest) + "}";
}

// A Deployment with this much of a spec beside selector and template.
std::string deployment(std::string_view spec) {
  return of("Deployment",
            "spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: "
            "{a: b}}, spec: {containers: [{name: c, image: c}]}}, " +
                std::string(spec) + "}");
}

std::string service(std::string_view spec) {
  return of("Service", "spec: " + std::string(spec));
}

}  // namespace

TEST_GROUP(KindsCheck){};

TEST(KindsCheck, of_metadata) {
  const std::string config = "{apiVersion: v1, kind: ConfigMap, metadata: ";
  expect({
      {config + "{}}", {"metadata.name: Required value: name or generateName is required"}},
      {config + "{name: a, namespace: a.b}}",
       {"metadata.namespace: Invalid value: \"a.b\": must not contain dots"}},
      {config + "{name: a, generateName: 'a.'}}",
       {"metadata.generateName: Invalid value: \"a.\": a lowercase RFC 1123 subdomain must consist "
        "of lower case alphanumeric characters, '-' or '.', and must start and end with an "
        "alphanumeric character (e.g. 'example.com', regex used for validation is "
        "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"}},
      {config + "{name: a, generateName: 'a-'}}", {}},
      {config + "{name: a, labels: {a: 'b c'}}}",
       {"metadata.labels: Invalid value: \"b c\": a valid label must be an empty string or consist "
        "of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
        "character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
        "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"}},
      {config + "{name: a, annotations: {EXAMPLE.com/A: b}}}", {}},
      {config + "{name: a, annotations: {'a/': b}}}",
       {"metadata.annotations: Invalid value: \"a/\": name part must be non-empty",
        "metadata.annotations: Invalid value: \"a/\": name part must consist of alphanumeric "
        "characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. "
        "'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
        "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"}},
      {config + "{name: a, annotations: {a: " + std::string(256 * 1024, 'x') + "}}}",
       {"metadata.annotations: Too long: may not be more than 262144 bytes"}},
      {config + "{name: a, finalizers: [mine]}}",
       {"metadata.finalizers[0]: Invalid value: \"mine\": name is neither a standard finalizer "
        "name nor is it fully qualified"}},
      {config + "{name: a, finalizers: [orphan, foregroundDeletion]}}",
       {"metadata.finalizers: Invalid value: []string{\"orphan\", \"foregroundDeletion\"}: "
        "finalizer orphan and foregroundDeletion cannot be both set"}},
      {config + "{name: a, ownerReferences: [{apiVersion: a/b/c}]}}",
       {"metadata.ownerReferences[0].apiVersion: Invalid value: \"a/b/c\": must be "
        "<group>/<version> or <version>",
        "metadata.ownerReferences[0].kind: Required value: must not be empty",
        "metadata.ownerReferences[0].name: Required value: must not be empty",
        "metadata.ownerReferences[0].uid: Required value: must not be empty"}},
      {"{apiVersion: v1, kind: Namespace, metadata: {name: a.b}}",
       {"metadata.name: Invalid value: \"a.b\": must not contain dots"}},
      {"{apiVersion: v1, kind: Node, metadata: {name: a, namespace: b}}",
       {"metadata.namespace: Forbidden: not allowed on this type"}},
  });
}

TEST(KindsCheck, of_config_maps_and_secrets) {
  const std::string mebibyte(1024 * 1024, 'x');
  expect({
      {of("ConfigMap", "data: {'a b': c}"),
       {"data[a b]: Invalid value: \"a b\": a valid config key must consist of alphanumeric "
        "characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used "
        "for validation is '[-._a-zA-Z0-9]+')"}},
      {of("ConfigMap", "data: {a: b}, binaryData: {a: Yg==}"),
       {"data[a]: Invalid value: \"a\": duplicate of key present in binaryData"}},
      {of("ConfigMap", "data: {a: b, c: " + mebibyte + "}"),
       {": Too long: may not be more than 1048576 bytes"}},
      {of("Secret", "stringData: {a: b, c: " + mebibyte + "}"),
       {"data: Too long: may not be more than 1048576 bytes"}},
      {of("Secret", "type: kubernetes.io/tls"),
       {"data[tls.crt]: Required value", "data[tls.key]: Required value"}},
      {of("Secret", "type: kubernetes.io/basic-auth"),
       {"data[username]: Required value", "data[password]: Required value"}},
      {of("Secret", "type: kubernetes.io/basic-auth, stringData: {username: u}"), {}},
      {of("Secret", "type: kubernetes.io/ssh-auth, stringData: {ssh-privatekey: ''}"),
       {"data[ssh-privatekey]: Required value"}},
      {of("Secret", "type: kubernetes.io/dockerconfigjson"),
       {"data[.dockerconfigjson]: Required value"}},
      {of("Secret", "type: kubernetes.io/dockerconfigjson, stringData: {.dockerconfigjson: '[]'}"),
       {"data[.dockerconfigjson]: Invalid value: \"<secret contents redacted>\": json: cannot "
        "unmarshal into Go value of type map[string]interface {}"}},
      {of("Secret", "type: kubernetes.io/service-account-token"),
       {"metadata.annotations[kubernetes.io/service-account.name]: Required value"}},
  });
}

TEST(KindsCheck, of_deployments) {
  expect({
      {of("Deployment", "spec: {}"),
       {"spec.selector: Required value",
        "spec.template.metadata.labels: Invalid value: map[string]string(nil): `selector` does not "
        "match template `labels`",
        "spec.template.spec.containers: Required value"}},
      {deployment("replicas: -1"),
       {"spec.replicas: Invalid value: -1: must be greater than or equal to 0"}},
      {deployment("strategy: {type: Blue}"),
       {"spec.strategy: Unsupported value: apps.DeploymentStrategy{Type:\"Blue\", "
        "RollingUpdate:(*apps.RollingUpdateDeployment)(nil)}: supported values: \"Recreate\", "
        "\"RollingUpdate\""}},
      {deployment("strategy: {type: Recreate, rollingUpdate: {}}"),
       {"spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is "
        "'Recreate'"}},
      {deployment("strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0}}"),
       {"spec.strategy.rollingUpdate.maxUnavailable: Invalid value: intstr.IntOrString{Type:0, "
        "IntVal:0, StrVal:\"\"}: may not be 0 when `maxSurge` is 0"}},
      {deployment("strategy: {rollingUpdate: {maxSurge: -1, maxUnavailable: half}}"),
       {"spec.strategy.rollingUpdate.maxUnavailable: Invalid value: intstr.IntOrString{Type:1, "
        "IntVal:0, StrVal:\"half\"}: a valid percent string must be a numeric string followed by "
        "an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
        "spec.strategy.rollingUpdate.maxSurge: Invalid value: -1: must be greater than or equal to "
        "0"}},
      {deployment("strategy: {rollingUpdate: {maxUnavailable: '101%'}}"),
       {"spec.strategy.rollingUpdate.maxUnavailable: Invalid value: intstr.IntOrString{Type:1, "
        "IntVal:0, StrVal:\"101%\"}: must not be greater than 100%"}},
      {deployment("minReadySeconds: 10, progressDeadlineSeconds: 10"),
       {"spec.progressDeadlineSeconds: Invalid value: 10: must be greater than minReadySeconds"}},
      {of("Deployment",
          "spec: {selector: {}, template: {spec: {containers: [{name: c, image: "
          "c}]}}}"),
       {"spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string(nil), "
        "MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: empty selector is invalid for "
        "deployment"}},
      {of("ReplicaSet",
          "spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: "
          "c}}, spec: {containers: [{name: c, image: c}], restartPolicy: Never, "
          "activeDeadlineSeconds: 1}}}"),
       {"spec.template.metadata.labels: Invalid value: map[string]string{\"a\":\"c\"}: `selector` "
        "does not match template `labels`",
        "spec.template.spec.restartPolicy: Unsupported value: \"Never\": supported values: "
        "\"Always\"",
        "spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet "
        "is not Supported"}},
      {of("Deployment",
          "spec: {selector: {matchExpressions: [{key: a, operator: In}]}, template: {spec: "
          "{containers: [{name: c, image: c}]}}}"),
       {"spec.selector.matchExpressions[0].values: Required value: must be specified when "
        "`operator` is 'In' or 'NotIn'",
        "spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string(nil), "
        "MatchExpressions:[]v1.LabelSelectorRequirement{v1.LabelSelectorRequirement{Key:\"a\", "
        "Operator:\"In\", Values:[]string(nil)}}}: invalid label selector"}},
  });
}

TEST(KindsCheck, of_services) {
  expect({
      {of("Service", "spec: {}"), {"spec.ports: Required value"}},
      {"{apiVersion: v1, kind: Service, metadata: {name: 9a}, spec: {ports: [{port: 80}]}}",
       {"metadata.name: Invalid value: \"9a\": a DNS-1035 label must consist of lower case "
        "alphanumeric characters or '-', start with an alphabetic character, and end with an "
        "alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
        "'[a-z]([-a-z0-9]*[a-z0-9])?')"}},
      {service("{type: Magic, ports: [{port: 80}]}"),
       {"spec.type: Unsupported value: \"Magic\": supported values: \"ClusterIP\", "
        "\"ExternalName\", \"LoadBalancer\", \"NodePort\""}},
      {service("{type: ExternalName}"), {"spec.externalName: Required value"}},
      {service("{type: ExternalName, externalName: a.b., clusterIP: 10.0.0.1}"),
       {"spec.clusterIPs: Forbidden: may not be set for ExternalName services"}},
      {service("{type: NodePort, clusterIP: None, ports: [{port: 80}]}"),
       {"spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort "
        "services"}},
      {service("{ports: [{port: 0}]}"),
       {"spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
        "spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive"}},
      {service("{ports: [{port: 80, protocol: ICMP, targetPort: A}]}"),
       {"spec.ports[0].protocol: Unsupported value: \"ICMP\": supported values: \"SCTP\", \"TCP\", "
        "\"UDP\"",
        "spec.ports[0].targetPort: Invalid value: \"A\": must contain only alpha-numeric "
        "characters (a-z, 0-9), and hyphens (-)",
        "spec.ports[0].targetPort: Invalid value: \"A\": must contain at least one letter "
        "(a-z)"}},
      {service("{ports: [{port: 80}, {port: 80, name: a}]}"),
       {"spec.ports[0].name: Required value",
        "spec.ports[1]: Duplicate value: core.ServicePort{Name:\"\", Protocol:\"TCP\", "
        "AppProtocol:(*string)(nil), Port:80, TargetPort:intstr.IntOrString{Type:0, IntVal:0, "
        "StrVal:\"\"}, NodePort:0}"}},
      {service("{ports: [{port: 80, nodePort: 30000}]}"),
       {"spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"}},
      {service("{type: NodePort, ports: [{name: a, port: 80, nodePort: 30000}, {name: b, port: 81, "
               "nodePort: 30000}]}"),
       {"spec.ports[1].nodePort: Duplicate value: 30000"}},
      {service("{ports: [{port: 80}], sessionAffinity: Cookie}"),
       {"spec.sessionAffinity: Unsupported value: \"Cookie\": supported values: \"ClientIP\", "
        "\"None\""}},
      {service("{ports: [{port: 80}], sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: "
               "{timeoutSeconds: 86401}}}"),
       {"spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 86401: must be greater "
        "than 0 and less than 86400"}},
      {service("{ports: [{port: 80}], clusterIP: web}"),
       {"spec.clusterIPs[0]: Invalid value: \"web\": must be a valid IP address, (e.g. 10.9.8.7 or "
        "2001:db8::ffff)"}},
      {service("{ports: [{port: 80}], clusterIP: 10.0.0.1, clusterIPs: [10.0.0.2]}"),
       {"spec.clusterIPs: Invalid value: []string{\"10.0.0.2\"}: first value must match "
        "`clusterIP`"}},
      {service("{ports: [{port: 80}], ipFamilies: [IPv6], ipFamilyPolicy: RequireDualStack}"),
       {"spec.ipFamilies[0]: Invalid value: \"IPv6\": not configured on this cluster",
        "spec.ipFamilyPolicy: Invalid value: \"RequireDualStack\": this cluster is not configured "
        "for dual-stack services"}},
      {service("{ports: [{port: 80}], externalIPs: [127.0.0.1]}"),
       {"spec.externalIPs[0]: Invalid value: \"127.0.0.1\": may not be in the loopback range "
        "(127.0.0.0/8, ::1/128)"}},
      {service("{ports: [{port: 80}], externalTrafficPolicy: Local}"),
       {"spec.externalTrafficPolicy: Invalid value: \"Local\": may only be set for "
        "externally-accessible services"}},
      {service("{ports: [{port: 80}], internalTrafficPolicy: Never}"),
       {"spec.internalTrafficPolicy: Unsupported value: \"Never\": supported values: \"Cluster\", "
        "\"Local\""}},
      {service("{ports: [{port: 80}], loadBalancerClass: a}"),
       {"spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'"}},
      {service("{ports: [{port: 80}], healthCheckNodePort: 30000}"),
       {"spec.healthCheckNodePort: Invalid value: 30000: may only be set when `type` is "
        "'LoadBalancer' and `externalTrafficPolicy` is 'Local'"}},
  });
}

TEST(KindsCheck, of_nodes_and_namespaces) {
  expect({
      {of("Node", "spec: {taints: [{key: a, effect: Sometimes}, {key: a}]}"),
       {"metadata.taints[0].effect: Unsupported value: \"Sometimes\": supported values: "
        "\"NoSchedule\", \"PreferNoSchedule\", \"NoExecute\"",
        "metadata.taints[1].effect: Required value"}},
      {of("Node", "spec: {taints: [{key: a, effect: NoSchedule}, {key: a, effect: NoSchedule}]}"),
       {"metadata.taints[1]: Duplicate value: core.Taint{Key:\"a\", Value:\"\", "
        "Effect:\"NoSchedule\", TimeAdded:<nil>}: taints must be unique by key and effect pair"}},
      {of("Node", "spec: {podCIDRs: [10.0.0.0/24, 10.0.1.0/24]}"),
       {"spec.podCIDRs: Invalid value: []string{\"10.0.0.0/24\", \"10.0.1.0/24\"}: may specify no "
        "more than one CIDR for each IP family"}},
      {of("Node", "status: {capacity: {pods: 1500m}}"),
       {"status.capacity.pods: Invalid value: \"1500m\": must be an integer",
        "status.allocatable.pods: Invalid value: \"1500m\": must be an integer"}},
      {of("Namespace", "spec: {finalizers: [mine]}"),
       {"spec.finalizers: Invalid value: \"mine\": name is neither a standard finalizer name nor "
        "is it fully qualified"}},
  });
}

TEST(KindsCheck, of_endpoints) {
  expect({
      {of("Endpoints", "subsets: [{ports: [{port: 80}]}]"),
       {"subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`"}},
      {of("Endpoints",
          "subsets: [{addresses: [{ip: 127.0.0.1}], ports: [{port: 0}, {name: a, "
          "port: 1, protocol: ICMP}]}]"),
       {"subsets[0].addresses[0].ip: Invalid value: \"127.0.0.1\": may not be in the loopback "
        "range (127.0.0.0/8, ::1/128)",
        "subsets[0].ports[0].name: Required value",
        "subsets[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
        "subsets[0].ports[1].protocol: Unsupported value: \"ICMP\": supported values: \"SCTP\", "
        "\"TCP\", \"UDP\""}},
      {of("EndpointSlice", "endpoints: [{addresses: []}]"),
       {"addressType: Required value",
        "endpoints[0].addresses: Required value: must contain at least 1 address"}},
      {of("EndpointSlice",
          "addressType: IPv4, endpoints: [{addresses: ['::1'], hostname: a.b}], "
          "ports: [{name: a}, {name: a, port: 0}]"),
       {"endpoints[0].addresses[0]: Invalid value: \"::1\": must be a valid IPv4 address",
        "endpoints[0].addresses[0]: Invalid value: \"::1\": may not be in the loopback range "
        "(127.0.0.0/8, ::1/128)",
        "endpoints[0].hostname: Invalid value: \"a.b\": must not contain dots",
        "ports[1].name: Duplicate value: \"a\"",
        "ports[1].port: Invalid value: 0: must be between 1 and 65535, inclusive"}},
      {of("EndpointSlice", "addressType: Name, endpoints: []"),
       {"addressType: Unsupported value: \"Name\": supported values: \"FQDN\", \"IPv4\", "
        "\"IPv6\""}},
  });
}

TEST(KindsCheck, of_the_rest) {
  expect({
      {of("Lease", "spec: {leaseDurationSeconds: 0, leaseTransitions: -1}"),
       {"spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0",
        "spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0"}},
      {of("PriorityClass", "value: 1000000001"),
       {"value: Forbidden: maximum allowed value of a user defined priority is 1000000000"}},
      {of("PriorityClass", "value: 1, preemptionPolicy: Maybe"),
       {"preemptionPolicy: Unsupported value: \"Maybe\": supported values: "
        "\"PreemptLowerPriority\", \"Never\""}},
      {"{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: system-x}, value: "
       "1}",
       {"metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for "
        "system use only. error: system-x is not a known system priority class"}},
      {"{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: "
       "system-node-critical}, value: 2000001000}",
       {}},
      {of("Event", "involvedObject: {namespace: other, name: a}"),
       {"involvedObject.namespace: Invalid value: \"other\": does not match event.namespace"}},
      {of("Event", "involvedObject: {kind: Node, name: node-1}"), {}},
      {of("Event",
          "involvedObject: {namespace: default}, eventTime: "
          "'2024-01-01T00:00:00.000000Z'"),
       {"reportingComponent: Required value",
        "reportingComponent: Invalid value: \"\": name part must be non-empty",
        "reportingComponent: Invalid value: \"\": name part must consist of alphanumeric "
        "characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. "
        "'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
        "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
        "reportingInstance: Required value", "action: Required value", "reason: Required value"}},
      {"{apiVersion: events.k8s.io/v1, kind: Event, metadata: {name: a}, regarding: {namespace: "
       "default}, type: Odd, deprecatedCount: 1, eventTime: null}",
       {"eventTime: Required value", "type: Invalid value: \"\": has invalid value: Odd",
        "deprecatedCount: Invalid value: \"\": needs to be unset"}},
  });
}
