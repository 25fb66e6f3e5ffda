// As kube-apiserver does it for itself, under its name.
#include "control/registry/bootstrap.h"

#include "api/proto/core/v1/endpoints.pb.h"
#include "api/proto/core/v1/namespace.pb.h"
#include "api/proto/core/v1/service.pb.h"
#include "api/proto/discovery/v1.pb.h"
#include "control/registry/registry_writer.h"

namespace keelson {
namespace {

constexpr const char* system_namespaces[] = {"default", "kube-system", "kube-public",
                                             "kube-node-lease"};
constexpr const char* service_name = "kubernetes";
constexpr std::int32_t service_port = 443;

template <typename T>
T named_in_default() {
  T message;
  message.mutable_metadata()->set_name(service_name);
  message.mutable_metadata()->set_namespace_("default");
  return message;
}

core::Service api_service(const std::string& cluster_ip, std::int32_t target_port) {
  auto service = named_in_default<core::Service>();
  auto& labels = *service.mutable_metadata()->mutable_labels();
  labels["component"] = "apiserver";
  labels["provider"] = "kubernetes";
  core::ServiceSpec& spec = *service.mutable_spec();
  spec.set_type("ClusterIP");
  spec.set_clusterip(cluster_ip);
  spec.add_clusterips(cluster_ip);
  core::ServicePort& port = *spec.add_ports();
  port.set_name("https");
  port.set_protocol("TCP");
  port.set_port(service_port);
  port.mutable_targetport()->set_intval(target_port);
  return service;
}

core::Endpoints api_endpoints(const ApiEndpoint& endpoint) {
  auto endpoints = named_in_default<core::Endpoints>();
  // Its slice is written beside it; a mirroring controller must not make another.
  (*endpoints.mutable_metadata()->mutable_labels())["endpointslice.kubernetes.io/skip-mirror"] =
      "true";
  core::EndpointSubset& subset = *endpoints.add_subsets();
  subset.add_addresses()->set_ip(endpoint.address);
  core::EndpointPort& port = *subset.add_ports();
  port.set_name("https");
  port.set_port(endpoint.port);
  port.set_protocol("TCP");
  return endpoints;
}

discovery::EndpointSlice api_slice(const ApiEndpoint& endpoint) {
  auto slice = named_in_default<discovery::EndpointSlice>();
  (*slice.mutable_metadata()->mutable_labels())["kubernetes.io/service-name"] = service_name;
  slice.set_addresstype("IPv4");
  discovery::Endpoint& only = *slice.add_endpoints();
  only.add_addresses(endpoint.address);
  only.mutable_conditions()->set_ready(true);
  discovery::EndpointPort& port = *slice.add_ports();
  port.set_name("https");
  port.set_port(endpoint.port);
  port.set_protocol("TCP");
  return slice;
}

Result<> create_if_absent(Registry& registry, Writer& writer, const Kind& kind,
                          const Message& message) {
  const meta::ObjectMeta& metadata = metadata_of(message);
  if (registry.view().get(kind, metadata.namespace_(), metadata.name())) return {};
  if (auto made = writer.create(kind, message); !made) return std::unexpected(made.error());
  return {};
}

Result<> create_or_update(Registry& registry, Writer& writer, const Kind& kind,
                          const Message& message) {
  const meta::ObjectMeta& metadata = metadata_of(message);
  const bool exists = registry.view().get(kind, metadata.namespace_(), metadata.name()) != nullptr;
  auto written = exists ? writer.update(kind, message) : writer.create(kind, message);
  if (!written) return std::unexpected(written.error());
  return {};
}

}  // namespace

Result<> bootstrap(Registry& registry, const ApiEndpoint& endpoint) {
  RegistryWriter writer(registry, "system:apiserver", "kube-apiserver");
  for (const char* name : system_namespaces) {
    core::Namespace name_space;
    name_space.mutable_metadata()->set_name(name);
    auto ok = create_if_absent(registry, writer, kinds::name_space(), name_space);
    if (!ok) return ok.error().during("make the namespace {}", name);
  }
  const auto service = api_service(registry.service_addresses().first_address(), endpoint.port);
  auto ok = create_if_absent(registry, writer, kinds::service(), service);
  if (!ok) return ok.error().during("make the Service kubernetes");
  ok = create_or_update(registry, writer, kinds::endpoints(), api_endpoints(endpoint));
  if (!ok) return ok.error().during("write the Endpoints kubernetes");
  ok = create_or_update(registry, writer, kinds::endpoint_slice(), api_slice(endpoint));
  if (!ok) return ok.error().during("write the EndpointSlice kubernetes");
  return {};
}

}  // namespace keelson
