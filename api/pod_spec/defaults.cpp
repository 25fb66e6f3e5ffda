// Defaults of a pod spec. Source: API-BEHAVIOUR §9.
#include <google/protobuf/map.h>

#include "api/pod_spec.h"
#include "api/proto/core/v1/container.pb.h"
#include "api/proto/core/v1/pod.pb.h"
#include "api/proto/core/v1/volume.pb.h"

namespace keelson {
namespace {

constexpr std::int32_t default_mode = 0644;
constexpr std::int64_t token_seconds = 3600;
constexpr std::int64_t grace_period_seconds = 30;

// "latest" is said, or nothing is: neither tag nor digest.
bool is_latest(std::string_view image) {
  const auto at = image.find('@');
  const std::string_view name = image.substr(0, at);
  const auto slash = name.rfind('/');
  const std::string_view last = slash == std::string_view::npos ? name : name.substr(slash + 1);
  if (const auto colon = last.find(':'); colon != std::string_view::npos) {
    return last.substr(colon + 1) == "latest";
  }
  return at == std::string_view::npos && !last.empty();
}

const char* pull_policy_of(std::string_view image) {
  return is_latest(image) ? "Always" : "IfNotPresent";
}

void default_http(core::HTTPGetAction& action) {
  if (action.path().empty()) action.set_path("/");
  if (action.scheme().empty()) action.set_scheme("HTTP");
}

void default_probe(core::Probe& probe) {
  if (probe.timeoutseconds() == 0) probe.set_timeoutseconds(1);
  if (probe.periodseconds() == 0) probe.set_periodseconds(10);
  if (probe.successthreshold() == 0) probe.set_successthreshold(1);
  if (probe.failurethreshold() == 0) probe.set_failurethreshold(3);
  if (!probe.has_handler()) return;
  core::ProbeHandler& handler = *probe.mutable_handler();
  if (handler.has_httpget()) default_http(*handler.mutable_httpget());
  if (handler.has_grpc() && !handler.grpc().has_service()) handler.mutable_grpc()->set_service("");
}

void default_handler(core::LifecycleHandler& handler) {
  if (handler.has_httpget()) default_http(*handler.mutable_httpget());
}

void default_field(core::ObjectFieldSelector& selector) {
  if (selector.apiversion().empty()) selector.set_apiversion("v1");
}

// A container or the common part of an ephemeral one: the same fields.
template <typename Container>
void default_container(Container& container) {
  if (container.imagepullpolicy().empty()) {
    container.set_imagepullpolicy(pull_policy_of(container.image()));
  }
  if (container.terminationmessagepath().empty()) {
    container.set_terminationmessagepath("/dev/termination-log");
  }
  if (container.terminationmessagepolicy().empty()) {
    container.set_terminationmessagepolicy("File");
  }
  for (auto& port : *container.mutable_ports()) {
    if (port.protocol().empty()) port.set_protocol("TCP");
  }
  for (auto& variable : *container.mutable_env()) {
    if (variable.has_valuefrom() && variable.valuefrom().has_fieldref()) {
      default_field(*variable.mutable_valuefrom()->mutable_fieldref());
    }
  }
  if (container.has_livenessprobe()) default_probe(*container.mutable_livenessprobe());
  if (container.has_readinessprobe()) default_probe(*container.mutable_readinessprobe());
  if (container.has_startupprobe()) default_probe(*container.mutable_startupprobe());
  if (!container.has_lifecycle()) return;
  core::Lifecycle& lifecycle = *container.mutable_lifecycle();
  if (lifecycle.has_poststart()) default_handler(*lifecycle.mutable_poststart());
  if (lifecycle.has_prestop()) default_handler(*lifecycle.mutable_prestop());
}

void default_files(google::protobuf::RepeatedPtrField<core::DownwardAPIVolumeFile>& files) {
  for (auto& file : files) {
    if (file.has_fieldref()) default_field(*file.mutable_fieldref());
  }
}

void default_projected(core::ProjectedVolumeSource& projected) {
  if (!projected.has_defaultmode()) projected.set_defaultmode(default_mode);
  for (auto& source : *projected.mutable_sources()) {
    if (source.has_downwardapi()) default_files(*source.mutable_downwardapi()->mutable_items());
    if (!source.has_serviceaccounttoken()) continue;
    if (!source.serviceaccounttoken().has_expirationseconds()) {
      source.mutable_serviceaccounttoken()->set_expirationseconds(token_seconds);
    }
  }
}

void default_claim(core::EphemeralVolumeSource& ephemeral) {
  if (!ephemeral.has_volumeclaimtemplate()) return;
  core::PersistentVolumeClaimSpec& spec = *ephemeral.mutable_volumeclaimtemplate()->mutable_spec();
  if (!spec.has_volumemode()) spec.set_volumemode("Filesystem");
}

void default_volume(core::VolumeSource& source) {
  if (source.ByteSizeLong() == 0) source.mutable_emptydir();  // no source is set
  if (source.has_secret() && !source.secret().has_defaultmode()) {
    source.mutable_secret()->set_defaultmode(default_mode);
  }
  if (source.has_configmap() && !source.configmap().has_defaultmode()) {
    source.mutable_configmap()->set_defaultmode(default_mode);
  }
  if (source.has_downwardapi()) {
    core::DownwardAPIVolumeSource& downward = *source.mutable_downwardapi();
    if (!downward.has_defaultmode()) downward.set_defaultmode(default_mode);
    default_files(*downward.mutable_items());
  }
  if (source.has_projected()) default_projected(*source.mutable_projected());
  if (source.has_hostpath() && !source.hostpath().has_type()) {
    source.mutable_hostpath()->set_type("");
  }
  if (source.has_ephemeral()) default_claim(*source.mutable_ephemeral());
  if (source.has_image() && source.image().pullpolicy().empty()) {
    source.mutable_image()->set_pullpolicy(pull_policy_of(source.image().reference()));
  }
}

void limits_become_requests(core::Container& container) {
  if (!container.has_resources()) return;
  core::ResourceRequirements& resources = *container.mutable_resources();
  for (const auto& [name, quantity] : resources.limits()) {
    if (!resources.requests().contains(name)) (*resources.mutable_requests())[name] = quantity;
  }
}

void container_ports_become_host_ports(core::Container& container) {
  for (auto& port : *container.mutable_ports()) {
    if (port.hostport() == 0) port.set_hostport(port.containerport());
  }
}

}  // namespace

void set_pod_spec_defaults(core::PodSpec& spec) {
  if (spec.dnspolicy().empty()) spec.set_dnspolicy("ClusterFirst");
  if (spec.restartpolicy().empty()) spec.set_restartpolicy("Always");
  if (!spec.has_securitycontext()) spec.mutable_securitycontext();
  if (!spec.has_terminationgraceperiodseconds()) {
    spec.set_terminationgraceperiodseconds(grace_period_seconds);
  }
  if (spec.schedulername().empty()) spec.set_schedulername("default-scheduler");
  for (auto& volume : *spec.mutable_volumes()) default_volume(*volume.mutable_volumesource());
  for (auto& container : *spec.mutable_initcontainers()) default_container(container);
  for (auto& container : *spec.mutable_containers()) default_container(container);
  for (auto& container : *spec.mutable_ephemeralcontainers()) {
    default_container(*container.mutable_ephemeralcontainercommon());
  }
  // The older name of the field and the newer are kept equal.
  if (!spec.serviceaccountname().empty()) {
    spec.set_serviceaccount(spec.serviceaccountname());
  } else if (!spec.serviceaccount().empty()) {
    spec.set_serviceaccountname(spec.serviceaccount());
  }
}

void set_pod_defaults(core::Pod& pod) {
  core::PodSpec& spec = *pod.mutable_spec();
  set_pod_spec_defaults(spec);
  for (auto* containers : {spec.mutable_containers(), spec.mutable_initcontainers()}) {
    for (auto& container : *containers) {
      limits_become_requests(container);
      if (spec.hostnetwork()) container_ports_become_host_ports(container);
    }
  }
  if (!spec.has_enableservicelinks()) spec.set_enableservicelinks(true);
}

}  // namespace keelson
