// The tables of what is not honoured yet. A field that comes to be honoured loses its line here.
#include "api/unsupported.h"

#include <span>

#include "api/field_walk.h"
#include "api/proto/core/v1/pod.pb.h"
#include "api/proto/core/v1/service.pb.h"

namespace keelson {
namespace {

constexpr std::string_view will_not_start = "the pod will not start";
constexpr std::string_view not_weighed = "it does not affect where the pod runs";
constexpr std::string_view as_without_it = "containers run as if it were not set";

constexpr UnsupportedField pod_spec_fields[] = {
    // volumes: those no node can mount
    {"volumes[*].persistentVolumeClaim", {}, will_not_start},
    {"volumes[*].ephemeral", {}, will_not_start},
    {"volumes[*].csi", {}, will_not_start},
    {"volumes[*].nfs", {}, will_not_start},
    {"volumes[*].iscsi", {}, will_not_start},
    {"volumes[*].fc", {}, will_not_start},
    {"volumes[*].image", {}, will_not_start},
    {"volumes[*].gcePersistentDisk", {}, will_not_start},
    {"volumes[*].awsElasticBlockStore", {}, will_not_start},
    {"volumes[*].gitRepo", {}, will_not_start},
    {"volumes[*].glusterfs", {}, will_not_start},
    {"volumes[*].rbd", {}, will_not_start},
    {"volumes[*].flexVolume", {}, will_not_start},
    {"volumes[*].cinder", {}, will_not_start},
    {"volumes[*].cephfs", {}, will_not_start},
    {"volumes[*].flocker", {}, will_not_start},
    {"volumes[*].azureFile", {}, will_not_start},
    {"volumes[*].vsphereVolume", {}, will_not_start},
    {"volumes[*].quobyte", {}, will_not_start},
    {"volumes[*].azureDisk", {}, will_not_start},
    {"volumes[*].photonPersistentDisk", {}, will_not_start},
    {"volumes[*].portworxVolume", {}, will_not_start},
    {"volumes[*].scaleIO", {}, will_not_start},
    {"volumes[*].storageos", {}, will_not_start},
    {"volumes[*].projected.sources[*].serviceAccountToken", {}, will_not_start},
    {"volumes[*].projected.sources[*].clusterTrustBundle", {}, will_not_start},
    {"volumes[*].emptyDir.sizeLimit", {}, "only one of medium Memory is limited"},

    // namespaces and users
    {"shareProcessNamespace", "true", "each container has a process namespace of its own"},
    {"hostUsers", "false", "the pod runs in the node's user namespace"},
    {"setHostnameAsFQDN", "true", "the hostname is the short name"},
    {"os.name", "windows", "the pod is taken for a linux one"},

    // containers
    {"ephemeralContainers", {}, "they will not start"},
    {"initContainers[*].restartPolicy", "Always", "it must end before the others start"},
    {"containers[*].livenessProbe.grpc", {}, "the probe fails"},
    {"containers[*].readinessProbe.grpc", {}, "the probe fails"},
    {"containers[*].startupProbe.grpc", {}, "the probe fails"},
    {"containers[*].stdinOnce", "true", "stdin stays open"},
    {"containers[*].volumeDevices", {}, will_not_start},
    {"containers[*].volumeMounts[*].recursiveReadOnly", "Enabled",
     "mounts below are not read-only"},
    {"initContainers[*].volumeDevices", {}, will_not_start},
    {"containers[*].resources.limits[hugepages-*]", {}, "the amount is not reserved"},
    {"containers[*].resources.limits[ephemeral-storage*]", {}, "storage is not limited"},
    {"containers[*].resources.claims", {}, will_not_start},
    {"containers[*].resizePolicy", {}, "containers are not resized in place"},
    {"resourceClaims", {}, will_not_start},
    {"resources", {}, "only the containers' resources count"},

    // security
    {"securityContext.seLinuxOptions", {}, as_without_it},
    {"securityContext.appArmorProfile", {}, as_without_it},
    {"securityContext.sysctls", {}, "they are not set"},
    {"securityContext.seccompProfile.type", "Localhost", will_not_start},
    {"securityContext.windowsOptions", {}, as_without_it},
    {"securityContext.supplementalGroupsPolicy", "Strict", "groups of the image are merged"},
    {"containers[*].securityContext.seLinuxOptions", {}, as_without_it},
    {"containers[*].securityContext.appArmorProfile", {}, as_without_it},
    {"containers[*].securityContext.seccompProfile.type", "Localhost", will_not_start},
    {"containers[*].securityContext.procMount", "Unmasked", "/proc is masked"},
    {"containers[*].securityContext.windowsOptions", {}, as_without_it},
    {"initContainers[*].securityContext.seLinuxOptions", {}, as_without_it},
    {"initContainers[*].securityContext.appArmorProfile", {}, as_without_it},
    {"initContainers[*].securityContext.seccompProfile.type", "Localhost", will_not_start},
    {"initContainers[*].securityContext.procMount", "Unmasked", "/proc is masked"},

    // placement and life
    {"affinity.podAffinity", {}, not_weighed},
    {"affinity.podAntiAffinity", {}, not_weighed},
    {"topologySpreadConstraints", {}, not_weighed},
    {"runtimeClassName", {}, "the only runtime is used"},
    {"activeDeadlineSeconds", {}, "the pod is not ended"},
    {"automountServiceAccountToken", "true", "no token is mounted"},
    {"imagePullSecrets", {}, "images come from the node's store"},
};

constexpr UnsupportedField service_spec_fields[] = {
    {"type", "LoadBalancer", "no load balancer is made; the node ports work"},
    {"externalIPs", {}, "they are not answered"},
    {"externalTrafficPolicy", "Local", "connections go to endpoints on all nodes"},
    {"internalTrafficPolicy", "Local", "connections go to endpoints on all nodes"},
    {"trafficDistribution", {}, "connections go to endpoints on all nodes"},
    {"ports[*].protocol", "SCTP", "the port is not served"},
};

void warn(const FieldWalk& walk, std::span<const UnsupportedField> table, const FieldPath& at,
          const Message& message, std::vector<std::string>& warnings) {
  walk.visit(message, at, [&](std::size_t row, const FieldPath& path) {
    const UnsupportedField& field = table[row];
    warnings.push_back(
        field.value.empty()
            ? fmt::format("{} is not supported by keelson yet: {}", path.text(), field.effect)
            : fmt::format("{}: {} is not supported by keelson yet: {}", path.text(), field.value,
                          field.effect));
  });
}

FieldWalk walk_of(std::span<const UnsupportedField> table, const Message& prototype) {
  FieldWalk walk(*prototype.GetDescriptor());
  for (const UnsupportedField& field : table) walk.add(field.path, field.value);
  return walk;
}

}  // namespace

void warn_of_unsupported_pod_spec(const FieldPath& at, const Message& pod_spec,
                                  std::vector<std::string>& warnings) {
  static const FieldWalk walk = walk_of(pod_spec_fields, core::PodSpec::default_instance());
  warn(walk, pod_spec_fields, at, pod_spec, warnings);
}

void warn_of_unsupported_service_spec(const FieldPath& at, const Message& service_spec,
                                      std::vector<std::string>& warnings) {
  static const FieldWalk walk = walk_of(service_spec_fields, core::ServiceSpec::default_instance());
  warn(walk, service_spec_fields, at, service_spec, warnings);
}

}  // namespace keelson
