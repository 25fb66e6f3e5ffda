// Warnings about pods and templates: deprecated, probably not meant, or not honoured here. Source
// of those that are not ours: k8s.io/kubernetes pkg/api/pod/warnings.go (1.32).
#include <algorithm>

#include "api/go_text.h"
#include "api/pod_spec.h"
#include "api/pod_spec/parts.h"
#include "api/proto/core/v1/pod_template.pb.h"
#include "api/proto/core/v1/reference.pb.h"
#include "api/proto/core/v1/topology.pb.h"
#include "api/proto/meta/v1/object_meta.pb.h"
#include "api/proto/resource/quantity.pb.h"
#include "api/quantity.h"
#include "api/resource_amounts.h"
#include "api/unsupported.h"

namespace keelson {
namespace pod_spec {
namespace {

using Warnings = std::vector<std::string>;

struct Deprecated {
  std::string_view key, text;
};
constexpr Deprecated deprecated_node_labels[] = {
    {"beta.kubernetes.io/arch", R"(deprecated since v1.14; use "kubernetes.io/arch" instead)"},
    {"beta.kubernetes.io/os", R"(deprecated since v1.14; use "kubernetes.io/os" instead)"},
    {"failure-domain.beta.kubernetes.io/region",
     R"(deprecated since v1.17; use "topology.kubernetes.io/region" instead)"},
    {"failure-domain.beta.kubernetes.io/zone",
     R"(deprecated since v1.17; use "topology.kubernetes.io/zone" instead)"},
    {"beta.kubernetes.io/instance-type",
     R"(deprecated since v1.17; use "node.kubernetes.io/instance-type" instead)"},
};
constexpr Deprecated deprecated_annotations[] = {
    {"scheduler.alpha.kubernetes.io/critical-pod",
     R"(non-functional in v1.16+; use the "priorityClassName" field instead)"},
    {"security.alpha.kubernetes.io/sysctls",
     R"(non-functional in v1.11+; use the "sysctls" field instead)"},
    {"security.alpha.kubernetes.io/unsafe-sysctls",
     R"(non-functional in v1.11+; use the "sysctls" field instead)"},
};

void warn(Warnings& warnings, const FieldPath& path, std::string_view text) {
  warnings.push_back(path.text() + ": " + std::string(text));
}

void warn_of_node_labels(const FieldPath& path, const core::PodSpec& spec, Warnings& warnings) {
  for (const Deprecated& label : deprecated_node_labels) {
    if (!spec.nodeselector().contains(std::string(label.key))) continue;
    warn(warnings, (path / "nodeSelector").key(label.key), label.text);
  }
  each(path / "topologySpreadConstraints", spec.topologyspreadconstraints(),
       [&](const FieldPath& at, const core::TopologySpreadConstraint& constraint) {
         if (!constraint.has_labelselector()) {
           warn(warnings, at / "labelSelector", "a null labelSelector results in matching no pod");
         }
       });
}

// Names of a list that should be there once.
void warn_of_duplicates(const FieldPath& path, const core::PodSpec& spec, Warnings& warnings) {
  std::set<std::string_view> ips;
  each(path / "hostAliases", spec.hostaliases(),
       [&](const FieldPath& at, const core::HostAlias& alias) {
         if (ips.insert(alias.ip()).second) return;
         warn(warnings, at / "ip", "duplicate ip " + go_quote(alias.ip()));
       });
  std::set<std::string_view> names;
  each(path / "imagePullSecrets", spec.imagepullsecrets(),
       [&](const FieldPath& at, const core::LocalObjectReference& secret) {
         if (!names.insert(secret.name()).second) {
           warn(warnings, at / "name", "duplicate name " + go_quote(secret.name()));
         }
         if (secret.name().empty()) warn(warnings, at / "name", R"(invalid empty name "")");
       });
}

void warn_of_fractions(const FieldPath& path, const QuantityMap& quantities, Warnings& warnings) {
  for (const char* name : {"memory", "ephemeral-storage"}) {
    const auto found = quantities.find(name);
    if (found == quantities.end()) continue;
    const Quantity quantity = Quantity::of(found->second);
    if (quantity.milli() % 1000 == 0) continue;
    warn(warnings, path.key(name),
         fmt::format("fractional byte value {} is invalid, must be an integer",
                     go_quote(quantity.text())));
  }
}

// A later variable of one name: meant, if it is made of the earlier one.
void warn_of_hidden_variables(const FieldPath& path, const core::Container& container,
                              Warnings& warnings) {
  std::set<std::string_view> names;
  each(path / "env", container.env(), [&](const FieldPath& at, const core::EnvVar& variable) {
    if (names.insert(variable.name()).second) return;
    const std::string reference = "$(" + variable.name() + ")";
    const bool is_made_of_it = !variable.has_valuefrom() && variable.value() != reference &&
                               variable.value().contains(reference);
    if (is_made_of_it) return;
    warn(warnings, at,
         fmt::format("hides previous definition of {}, which may be dropped when using apply",
                     go_quote(variable.name())));
  });
}

struct SeenPort {
  FieldPath path;
  std::string host_ip;
  std::int32_t host_port;
};
using SeenPorts = std::map<std::pair<std::int32_t, std::string>, std::vector<SeenPort>>;

void warn_of_ports(const FieldPath& path, const core::Container& container, SeenPorts& seen,
                   Warnings& warnings) {
  each(path / "ports", container.ports(),
       [&](const FieldPath& at, const core::ContainerPort& port) {
         auto& others = seen[{port.containerport(), port.protocol()}];
         for (const SeenPort& other : others) {
           if (port.hostip() == other.host_ip && port.hostport() == other.host_port) {
             warn(warnings, at, "duplicate port definition with " + other.path.text());
           } else if (port.hostport() == 0 || other.host_port == 0) {
             warn(warnings, at, "overlapping port definition with " + other.path.text());
           }
         }
         others.push_back({at, port.hostip(), port.hostport()});
       });
}

void warn_of_annotations(const FieldPath& root, const core::PodSpec& spec,
                         const StringMap& annotations, Warnings& warnings) {
  const FieldPath path = root / "metadata" / "annotations";
  for (const Deprecated& annotation : deprecated_annotations) {
    if (!annotations.contains(std::string(annotation.key))) continue;
    warn(warnings, path.key(annotation.key), annotation.text);
  }
  const auto warn_of_seccomp = [&](const std::string& key, bool has_field) {
    if (has_field || !annotations.contains(key)) return;
    warn(warnings, path.key(key),
         R"(non-functional in v1.27+; use the "seccompProfile" field instead)");
  };
  warn_of_seccomp("seccomp.security.alpha.kubernetes.io/pod",
                  spec.securitycontext().has_seccompprofile());
  for (const auto* containers : {&spec.initcontainers(), &spec.containers()}) {
    for (const auto& container : *containers) {
      warn_of_seccomp("container.seccomp.security.alpha.kubernetes.io/" + container.name(),
                      container.securitycontext().has_seccompprofile());
    }
  }
}

void warn_of(const FieldPath& root, const core::PodSpec& spec, const StringMap& annotations,
             Warnings& warnings) {
  const FieldPath path = root / "spec";
  warn_of_node_labels(path, spec, warnings);
  warn_of_annotations(root, spec, annotations, warnings);
  warn_of_duplicates(path, spec, warnings);
  warn_of_fractions(path / "overhead", spec.overhead(), warnings);
  SeenPorts seen;
  const auto warn_of_container = [&](const FieldPath& at, const core::Container& container) {
    warn_of_fractions(at / "resources" / "limits", container.resources().limits(), warnings);
    warn_of_fractions(at / "resources" / "requests", container.resources().requests(), warnings);
    warn_of_hidden_variables(at, container, warnings);
    warn_of_ports(at, container, seen, warnings);
  };
  each(path / "initContainers", spec.initcontainers(), warn_of_container);
  each(path / "containers", spec.containers(), warn_of_container);
  if (spec.terminationgraceperiodseconds() < 0) {
    warn(warnings, path / "terminationGracePeriodSeconds",
         "must be >= 0; negative values are invalid and will be treated as 1");
  }
  warn_of_unsupported_pod_spec(path, spec, warnings);
}

}  // namespace
}  // namespace pod_spec

void warn_of_pod_template(const FieldPath& path, const core::PodTemplateSpec& pod_template,
                          std::vector<std::string>& warnings) {
  pod_spec::warn_of(path, pod_template.spec(), pod_template.metadata().annotations(), warnings);
}

void warn_of_pod(const core::Pod& pod, std::vector<std::string>& warnings) {
  pod_spec::warn_of(FieldPath(), pod.spec(), pod.metadata().annotations(), warnings);
}

}  // namespace keelson
