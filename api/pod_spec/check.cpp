// A pod spec from top to bottom. Source: the rules of k8s.io/kubernetes pkg/apis/core/validation
// (1.32), in its words.
#include <algorithm>

#include "api/pod_spec.h"
#include "api/pod_spec/parts.h"
#include "api/proto/core/v1/pod_template.pb.h"
#include "api/proto/core/v1/reference.pb.h"
#include "api/proto/meta/v1/object_meta.pb.h"

namespace keelson {
namespace pod_spec {
namespace {

void check_resource_claims(Checker& checker, const FieldPath& path) {
  for (const auto& claim : checker.spec.resourceclaims()) {
    if (!claim.name().empty()) checker.claims.insert(claim.name());
  }
  std::set<std::string_view> names;
  each(path, checker.spec.resourceclaims(),
       [&](const FieldPath& at, const core::PodResourceClaim& claim) {
         if (claim.name().empty()) {
           checker.errors.required(at / "name");
         } else if (!names.insert(claim.name()).second) {
           checker.errors.duplicate(at / "name", claim.name());
         } else {
           check_value(at / "name", claim.name(), check_dns_label, checker.errors);
         }
         if (claim.has_resourceclaimname() == claim.has_resourceclaimtemplatename()) {
           checker.errors.invalid(
               at, claim.name(),
               claim.has_resourceclaimname()
                   ? "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be "
                     "specified"
                   : "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`");
         }
       });
}

void check_gates(Checker& checker, const FieldPath& path) {
  each(path / "readinessGates", checker.spec.readinessgates(),
       [&](const FieldPath& at, const core::PodReadinessGate& gate) {
         check_value(at / "conditionType", gate.conditiontype(), check_qualified_name,
                     checker.errors);
       });
  std::set<std::string_view> names;
  each(path / "schedulingGates", checker.spec.schedulinggates(),
       [&](const FieldPath& at, const core::PodSchedulingGate& gate) {
         check_value(at, gate.name(), check_qualified_name, checker.errors);
         if (!names.insert(gate.name()).second) checker.errors.duplicate(at, gate.name());
       });
}

void check_host_users(Checker& checker, const FieldPath& path) {
  const core::PodSpec& spec = checker.spec;
  if (!spec.has_hostusers() || spec.hostusers()) return;
  constexpr std::string_view why = "when `pod.Spec.HostUsers` is false";
  if (spec.hostnetwork()) checker.errors.forbidden(path / "hostNetwork", why);
  if (spec.hostpid()) checker.errors.forbidden(path / "HostPID", why);
  if (spec.hostipc()) checker.errors.forbidden(path / "HostIPC", why);
}

// Names of objects and numbers that stand alone.
void check_references(Checker& checker, const FieldPath& path) {
  const core::PodSpec& spec = checker.spec;
  const auto check_name = [&](const char* field, const std::string& name) {
    if (!name.empty()) check_value(path / field, name, check_dns_subdomain, checker.errors);
  };
  check_name("serviceAccountName", spec.serviceaccountname());
  check_name("nodeName", spec.nodename());
  check_name("priorityClassName", spec.priorityclassname());
  if (spec.has_runtimeclassname()) {
    check_value(path / "runtimeClassName", spec.runtimeclassname(), check_dns_subdomain,
                checker.errors);
  }
  if (spec.has_activedeadlineseconds()) {
    const std::int64_t seconds = spec.activedeadlineseconds();
    for (const auto& text : check_range(seconds, 1, INT32_MAX)) {
      checker.errors.invalid_number(path / "activeDeadlineSeconds", seconds, text);
    }
  }
  if (spec.has_preemptionpolicy()) {
    check_choice(path / "preemptionPolicy", spec.preemptionpolicy(),
                 {"PreemptLowerPriority", "Never"}, checker.errors);
  }
}

void check_no_windows_options(Checker& checker, const FieldPath& path) {
  constexpr std::string_view why = "windows options cannot be set for a linux pod";
  const auto check = [&](const FieldPath& at, bool is_set) {
    if (is_set) checker.errors.forbidden(at / "securityContext" / "windowsOptions", why);
  };
  check(path, checker.spec.securitycontext().has_windowsoptions());
  const auto check_container = [&](const FieldPath& at, const core::Container& container) {
    check(at, container.securitycontext().has_windowsoptions());
  };
  each(path / "initContainers", checker.spec.initcontainers(), check_container);
  each(path / "containers", checker.spec.containers(), check_container);
}

void check_os(Checker& checker, const FieldPath& path) {
  if (!checker.spec.has_os()) return;
  const std::string& name = checker.spec.os().name();
  if (name.empty()) return checker.errors.required(path / "os" / "name", "cannot be empty");
  if (name == "linux") return check_no_windows_options(checker, path);
  if (name != "windows") checker.errors.not_supported(path / "os", name, {"linux", "windows"});
}

void check_overhead(Checker& checker, const FieldPath& path) {
  core::ResourceRequirements resources;
  *resources.mutable_limits() = checker.spec.overhead();
  check_resources(checker, path, resources);
}

void check_spec(Checker& checker, const FieldPath& path) {
  const core::PodSpec& spec = checker.spec;
  if (!spec.has_terminationgraceperiodseconds()) {
    checker.errors.required(path / "terminationGracePeriodSeconds");
  }
  check_volumes(checker, path / "volumes");
  check_resource_claims(checker, path / "resourceClaims");
  check_all_containers(checker, path);
  check_choice(path / "restartPolicy", spec.restartpolicy(), {"Always", "OnFailure", "Never"},
               checker.errors);
  check_choice(path / "dnsPolicy", spec.dnspolicy(),
               {"ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"}, checker.errors);
  check_labels(path / "nodeSelector", spec.nodeselector(), checker.errors);
  check_pod_security_context(checker, path / "securityContext");
  check_affinity(checker, path / "affinity");
  check_network(checker, path);
  check_gates(checker, path);
  check_topology_spread(checker, path / "topologySpreadConstraints");
  check_host_users(checker, path);
  check_references(checker, path);
  check_tolerations(path / "tolerations", spec.tolerations(), checker.errors);
  check_overhead(checker, path / "overhead");
  check_os(checker, path);
}

}  // namespace
}  // namespace pod_spec

void check_pod_spec(const FieldPath& path, const core::PodSpec& spec, SpecOf of,
                    FieldErrors& errors) {
  pod_spec::Checker checker{.spec = spec, .of = of, .errors = errors};
  pod_spec::check_spec(checker, path);
}

void check_pod_template(const FieldPath& path, const core::PodTemplateSpec& pod_template,
                        FieldErrors& errors) {
  const meta::ObjectMeta& metadata = pod_template.metadata();
  check_labels(path / "labels", metadata.labels(), errors);
  check_annotations(path / "annotations", metadata.annotations(), errors);
  check_pod_spec(path / "spec", pod_template.spec(), SpecOf::Template, errors);
  pod_spec::Checker checker{.spec = pod_template.spec(), .of = SpecOf::Template, .errors = errors};
  pod_spec::check_seccomp_annotations(checker, path / "spec", metadata.annotations());
  if (!pod_template.spec().ephemeralcontainers().empty()) {
    errors.forbidden(path / "spec" / "ephemeralContainers",
                     "ephemeral containers not allowed in pod template");
  }
}

}  // namespace keelson
