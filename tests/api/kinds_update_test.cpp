// What updates may change, and what they keep.
#include "api/names.h"
#include "api/proto/core/v1/pod.pb.h"
#include "api/proto/core/v1/service.pb.h"
#include "api/proto/meta/v1/object_meta.pb.h"
#include "api/proto/meta/v1/time.pb.h"
#include "tests/api/manifest.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

namespace {

struct Case {
  std::string before, after;
  std::vector<std::string> findings;
};

void expect(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const Manifest before = create(c.before);
    CHECK_EQUAL_TEXT(std::string(), lines(before.findings), c.before.c_str());
    CHECK_EQUAL_TEXT(lines(c.findings), lines(update(*before.message, c.after).findings),
                     c.after.c_str());
  }
}

std::string pod(std::string_view spec) {
  return "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: " + std::string(spec) + "}";
}

const std::string only_updatable =
    "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only "
    "additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set "
    "to 1 if it was previously negative)\n";

}  // namespace

TEST_GROUP(KindUpdates){};

TEST(KindUpdates, of_pods_may_change_little) {
  const std::string small = "containers: [{name: a, image: 'a:1'}]";
  expect({
      {pod("{" + small + "}"), pod("{containers: [{name: a, image: 'a:2'}]}"), {}},
      {pod("{" + small + "}"),
       pod("{" + small + ", nodeName: node-1}"),
       {only_updatable + "+ spec.nodeName: \"node-1\"\n"}},
      {pod("{" + small + "}"),
       pod("{containers: [{name: a, image: 'a:1', command: [b]}]}"),
       {only_updatable + "+ spec.containers[0].command: [\"b\"]\n"}},
      {pod("{" + small + "}"),
       pod("{containers: [{name: a, image: 'a:1'}, {name: b, image: b}]}"),
       {"spec.containers: Forbidden: pod updates may not add or remove containers"}},
      {pod("{" + small + "}"), pod("{" + small + ", tolerations: [{key: a}]}"), {}},
      {pod("{" + small + ", tolerations: [{key: a, effect: NoExecute, tolerationSeconds: 1}]}"),
       pod("{" + small + ", tolerations: [{key: a, effect: NoExecute, tolerationSeconds: 2}]}"),
       {}},
      {pod("{" + small + ", tolerations: [{key: a}]}"),
       pod("{" + small + "}"),
       {"spec.tolerations: Forbidden: existing toleration can not be modified except its "
        "tolerationSeconds"}},
      {pod("{" + small + ", activeDeadlineSeconds: 10}"),
       pod("{" + small + ", activeDeadlineSeconds: 11}"),
       {"spec.activeDeadlineSeconds: Invalid value: 11: must be less than or equal to previous "
        "value"}},
      {pod("{" + small + ", activeDeadlineSeconds: 10}"),
       pod("{" + small + ", activeDeadlineSeconds: 9}"),
       {}},
      {pod("{" + small + ", activeDeadlineSeconds: 10}"),
       pod("{" + small + "}"),
       {"spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive integer "
        "to nil value"}},
      {pod("{" + small + ", terminationGracePeriodSeconds: -5}"),
       pod("{" + small + ", terminationGracePeriodSeconds: 1}"),
       {}},
      {pod("{" + small + "}"),
       pod("{" + small + ", terminationGracePeriodSeconds: 1}"),
       {only_updatable + "- spec.terminationGracePeriodSeconds: 30\n+ "
                         "spec.terminationGracePeriodSeconds: 1\n"}},
  });
}

TEST(KindUpdates, of_gated_pods_may_say_where_to_go) {
  const std::string gated =
      "containers: [{name: a, image: 'a:1'}], schedulingGates: [{name: g}, {name: h}]";
  const std::string required =
      "requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: ";
  expect({
      {pod("{" + gated + "}"), pod("{containers: [{name: a, image: 'a:1'}]}"), {}},
      {pod("{" + gated + "}"),
       pod("{containers: [{name: a, image: 'a:1'}], schedulingGates: [{name: g}, {name: z}]}"),
       {"spec.schedulingGates[1].name: Forbidden: only deletion is allowed, but found new "
        "scheduling gate 'z'"}},
      {pod("{" + gated + "}"), pod("{" + gated + ", nodeSelector: {a: b}}"), {}},
      {pod("{" + gated + ", nodeSelector: {a: b}}"),
       pod("{" + gated + ", nodeSelector: {a: c}}"),
       {"spec.nodeSelector: Invalid value: map[string]string{\"a\":\"c\"}: only additions to "
        "spec.nodeSelector are allowed (no mutations or deletions)"}},
      {pod("{" + gated + "}"),
       pod("{" + gated + ", affinity: {nodeAffinity: {" + required +
           "[{matchExpressions: [{key: a, operator: Exists}]}]}}}}"),
       {}},
      {pod("{" + gated + ", affinity: {nodeAffinity: {" + required +
           "[{matchExpressions: [{key: a, operator: Exists}]}]}}}}"),
       pod("{" + gated + ", affinity: {nodeAffinity: {" + required +
           "[{matchExpressions: [{key: b, operator: Exists}]}]}}}}"),
       {"spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
        "nodeSelectorTerms[0]: Invalid value: \"\": only additions are allowed (no mutations or "
        "deletions)"}},
  });
}

TEST(KindUpdates, of_immutable_fields_are_refused) {
  const std::string config = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, ";
  const std::string secret = "{apiVersion: v1, kind: Secret, metadata: {name: a}, ";
  const std::string slice =
      "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: a}, endpoints: [], ";
  const std::string priority =
      "{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: a}, ";
  const std::string frozen = "Forbidden: field is immutable when `immutable` is set";
  const auto deployment = [](const char* label) {
    return std::string("{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: ") +
           "{selector: {matchLabels: {app: " + label +
           "}}, template: {metadata: {labels: {app: " + label +
           "}}, spec: {containers: [{name: a, image: a}]}}}}";
  };
  expect({
      {config + "immutable: true, data: {a: b}}",
       config + "data: {a: c}, binaryData: {d: Yg==}}",
       {"immutable: " + frozen, "data: " + frozen, "binaryData: " + frozen}},
      {secret + "immutable: true, data: {a: Yg==}}",
       secret + "immutable: true, data: {a: Yg==}, metadata: {name: a, labels: {b: c}}}",
       {}},
      {secret + "immutable: true, data: {a: Yg==}}",
       secret + "immutable: true, stringData: {a: c}}",
       {"data: " + frozen}},
      {secret + "type: a}",
       secret + "type: b}",
       {"type: Invalid value: \"b\": field is immutable"}},
      {deployment("a"),
       deployment("b"),
       {"spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string{\"app\":"
        "\"b\"}, MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: field is immutable"}},
      {slice + "addressType: IPv4}",
       slice + "addressType: IPv6}",
       {"addressType: Invalid value: \"IPv6\": field is immutable"}},
      {priority + "value: 1}",
       priority + "value: 2, preemptionPolicy: Never}",
       {"value: Forbidden: may not be changed in an update.",
        "preemptionPolicy: Invalid value: \"Never\": field is immutable"}},
      {"{apiVersion: v1, kind: Node, metadata: {name: a}, spec: {podCIDR: 10.0.0.0/24, providerID: "
       "a}}",
       "{apiVersion: v1, kind: Node, metadata: {name: a}, spec: {podCIDR: 10.0.1.0/24, providerID: "
       "b}}",
       {"spec.podCIDRs: Forbidden: node updates may not change podCIDR except from \"\" to valid",
        "spec.providerID: Forbidden: node updates may not change providerID except from \"\" to "
        "valid"}},
  });
}

TEST(KindUpdates, of_services_keep_what_was_allocated) {
  const std::string service = "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: ";
  const Manifest before =
      create(service +
             "{type: NodePort, clusterIP: 10.96.0.7, ports: [{name: a, port: 80, nodePort: "
             "30080}]}}");
  const auto updated = [&](const char* spec) {
    Manifest after = update(*before.message, service + spec + "}");
    CHECK_EQUAL_TEXT(std::string(), lines(after.findings), spec);
    return static_cast<const core::Service&>(*after.message).spec();
  };
  const auto same = updated("{type: NodePort, ports: [{name: a, port: 81}, {name: b, port: 82}]}");
  CHECK_EQUAL(std::string("10.96.0.7"), same.clusterip());
  LONGS_EQUAL(1, same.clusterips_size());
  LONGS_EQUAL(30080, same.ports(0).nodeport());
  LONGS_EQUAL(0, same.ports(1).nodeport());
  const auto inner = updated(
      "{type: ClusterIP, externalTrafficPolicy: Cluster, ports: [{name: a, port: 80, nodePort: "
      "30080}]}");
  LONGS_EQUAL(0, inner.ports(0).nodeport());
  CHECK(inner.externaltrafficpolicy().empty());
  const auto outside = updated(
      "{type: ExternalName, externalName: a.b, clusterIP: 10.96.0.7, clusterIPs: [10.96.0.7], "
      "ipFamilies: [IPv4]}");
  CHECK(outside.clusterip().empty() && outside.clusterips().empty());
  CHECK_EQUAL(lines({"spec.clusterIPs[0]: Invalid value: []string{\"10.96.0.8\"}: may not change "
                     "once set"}),
              lines(update(*before.message,
                           service + "{type: NodePort, clusterIP: 10.96.0.8, ports: [{port: 80}]}}")
                        .findings));
}

TEST(KindUpdates, of_metadata) {
  const Manifest before = create("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}");
  auto& metadata = mutable_metadata_of(*before.message);
  metadata.set_uid("1");
  metadata.set_generation(2);
  metadata.add_finalizers("example.com/a");
  metadata.mutable_deletiontimestamp()->set_seconds(5);
  meta::ObjectMeta after = metadata;
  after.set_uid("2");
  after.set_generation(1);
  after.add_finalizers("example.com/c");
  after.add_finalizers("example.com/b");
  after.clear_deletiontimestamp();
  FieldErrors errors;
  check_metadata_update(metadata, after, errors);
  std::vector<std::string> findings;
  for (const Cause& cause : errors.causes()) findings.push_back(cause.field + ": " + cause.message);
  CHECK_EQUAL(
      lines({"metadata.finalizers: Forbidden: no new finalizers can be added if the object is "
             "being deleted, found new finalizers []string{\"example.com/b\", \"example.com/c\"}",
             "metadata.generation: Invalid value: 1: must not be decremented",
             "metadata.uid: Invalid value: \"2\": field is immutable",
             "metadata.deletionTimestamp: Invalid value: null: field is immutable"}),
      lines(findings));
}

TEST(KindUpdates, of_the_object_keep_its_status) {
  Manifest before = create(pod("{containers: [{name: a, image: a}]}"));
  auto& kept = static_cast<core::Pod&>(*before.message);
  kept.mutable_status()->set_podip("10.0.0.1");
  const Manifest after =
      update(kept,
             "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: a, "
             "image: b}]}, status: {podIP: 10.0.0.2}}");
  const auto& pod_after = static_cast<const core::Pod&>(*after.message);
  CHECK_EQUAL(std::string("10.0.0.1"), pod_after.status().podip());
  CHECK_EQUAL(std::string("b"), pod_after.spec().containers(0).image());
}

TEST(KindUpdates, of_status_keep_the_spec) {
  Manifest before = create(pod("{containers: [{name: a, image: a}], restartPolicy: Never}"));
  auto& kept = static_cast<core::Pod&>(*before.message);
  auto& ended = *kept.mutable_status()->add_containerstatuses();
  ended.set_name("a");
  ended.mutable_state()->mutable_terminated()->set_exitcode(1);
  const Manifest after = update_status(
      kept,
      "{apiVersion: v1, kind: Pod, metadata: {name: a, ownerReferences: [{uid: x}]}, spec: "
      "{nodeName: elsewhere}, status: {phase: Running, qosClass: Guaranteed, conditions: [{type: "
      "'a "
      "b'}], podIPs: [{ip: nope}], containerStatuses: [{name: a, state: {running: {}}}]}}");
  const auto& pod_after = static_cast<const core::Pod&>(*after.message);
  CHECK(pod_after.spec().nodename().empty());
  CHECK(pod_after.metadata().ownerreferences().empty());
  CHECK_EQUAL(
      lines({"status.qosClass: Invalid value: \"Guaranteed\": field is immutable",
             "metadata.conditions[0].Type: Invalid value: \"a b\": name part must consist of "
             "alphanumeric characters, '-', '_' or '.', and must start and end with an "
             "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
             "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
             "status.podIPs[0]: Invalid value: \"nope\": must be a valid IP address, (e.g. "
             "10.9.8.7 or 2001:db8::ffff)",
             "status.containerStatuses[0].state: Forbidden: may not be transitioned to "
             "non-terminated state"}),
      lines(after.findings));
}

TEST(KindUpdates, of_a_slice_count_in_its_generation) {
  const std::string slice =
      "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, addressType: "
      "IPv4, metadata: {name: a, generation: 4";
  const Manifest before = create(slice + "}, endpoints: []}");
  const auto generation_of = [&](const std::string& yaml) {
    return metadata_of(*update(*before.message, yaml).message).generation();
  };
  LONGS_EQUAL(4, generation_of(slice + ", annotations: {a: b}}, endpoints: []}"));
  LONGS_EQUAL(5, generation_of(slice + ", labels: {a: b}}, endpoints: []}"));
  LONGS_EQUAL(5, generation_of(slice + "}, endpoints: [{addresses: [10.0.0.1]}]}"));
}

TEST(KindUpdates, of_workload_status_add_up) {
  const Manifest before = create(
      "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {selector: {matchLabels: "
      "{a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: "
      "a}]}}}}");
  const Manifest after = update_status(
      *before.message,
      "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a, labels: {c: d}}, status: "
      "{replicas: 1, readyReplicas: 2, availableReplicas: 3, unavailableReplicas: -1}}");
  CHECK_EQUAL(lines({"status.readyReplicas: Invalid value: 2: cannot be greater than "
                     "status.replicas",
                     "status.availableReplicas: Invalid value: 3: cannot be greater than "
                     "status.replicas",
                     "status.availableReplicas: Invalid value: 3: cannot be greater than "
                     "readyReplicas",
                     "status.unavailableReplicas: Invalid value: -1: must be greater than or equal "
                     "to 0"}),
              lines(after.findings));
  CHECK(metadata_of(*after.message).labels().empty());
}

TEST(KindUpdates, of_a_services_status_are_of_load_balancers) {
  const auto status_of = [](const char* type, const char* ingress) {
    const std::string service =
        std::string("{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {type: ") + type +
        ", ports: [{port: 80}]}";
    const Manifest before = create(service + "}");
    return lines(update_status(*before.message,
                               service + ", status: {loadBalancer: {ingress: [" + ingress + "]}}}")
                     .findings);
  };
  CHECK_EQUAL(std::string(), status_of("LoadBalancer", "{ip: 192.0.2.1}"));
  CHECK_EQUAL(lines({"status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is "
                     "'LoadBalancer'"}),
              status_of("ClusterIP", "{ip: 192.0.2.1}"));
  CHECK_EQUAL(lines({"status.loadBalancer.ingress[0].ipMode: Forbidden: may not be specified when "
                     "`ip` is not set",
                     "status.loadBalancer.ingress[0].hostname: Invalid value: \"192.0.2.1\": must "
                     "be a DNS name, not an IP address"}),
              status_of("LoadBalancer", "{hostname: 192.0.2.1, ipMode: VIP}"));
}

TEST(KindUpdates, of_a_namespaces_phase_follow_its_deletion) {
  const Manifest before = create("{apiVersion: v1, kind: Namespace, metadata: {name: a}}");
  CHECK_EQUAL(lines({"status.Phase: Invalid value: \"Terminating\": may only be 'Active' if "
                     "`deletionTimestamp` is empty"}),
              lines(update_status(*before.message,
                                  "{apiVersion: v1, kind: Namespace, metadata: {name: a}, "
                                  "status: {phase: Terminating}}")
                        .findings));
}
