// Services and EndpointSlices in a few words, for tests.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <string>
#include <vector>

#include "api/proto/core/v1/service.pb.h"
#include "api/proto/discovery/v1.pb.h"
#include "api/types.h"
#include "bpf/lb_types.h"
#include "proxy/ipv4.h"

namespace keelson::proxy {

struct TestPort {
  std::string name;
  int port = 0;
  int node_port = 0;
  std::string protocol = "TCP";
};

struct TestEndpoint {
  std::string address;
  std::string node = "other";
  std::string hostname = {};
  bool ready = true;
  bool serving = true;
  bool terminating = false;
};

inline core::Service make_service(const std::string& name, const std::string& cluster_ip,
                                  const std::vector<TestPort>& ports) {
  core::Service service;
  service.mutable_metadata()->set_namespace_("default");
  service.mutable_metadata()->set_name(name);
  service.mutable_spec()->set_clusterip(cluster_ip);
  service.mutable_spec()->set_type("ClusterIP");
  for (const auto& port : ports) {
    auto* made = service.mutable_spec()->add_ports();
    made->set_name(port.name);
    made->set_port(port.port);
    made->set_protocol(port.protocol);
    if (port.node_port != 0) made->set_nodeport(port.node_port);
  }
  return service;
}

// ports: where the pods listen.
inline discovery::EndpointSlice make_slice(const std::string& name, const std::string& service,
                                           const std::vector<TestPort>& ports,
                                           const std::vector<TestEndpoint>& endpoints) {
  discovery::EndpointSlice slice;
  slice.mutable_metadata()->set_namespace_("default");
  slice.mutable_metadata()->set_name(name);
  (*slice.mutable_metadata()->mutable_labels())["kubernetes.io/service-name"] = service;
  slice.set_addresstype("IPv4");
  for (const auto& port : ports) {
    auto* made = slice.add_ports();
    made->set_name(port.name);
    made->set_port(port.port);
    made->set_protocol(port.protocol);
  }
  for (const auto& endpoint : endpoints) {
    auto* made = slice.add_endpoints();
    made->add_addresses(endpoint.address);
    made->set_nodename(endpoint.node);
    if (!endpoint.hostname.empty()) made->set_hostname(endpoint.hostname);
    made->mutable_conditions()->set_ready(endpoint.ready);
    made->mutable_conditions()->set_serving(endpoint.serving);
    made->mutable_conditions()->set_terminating(endpoint.terminating);
  }
  return slice;
}

inline lb_service_key front(const std::string& address, int port, int protocol = IPPROTO_TCP,
                            int scope = LB_INSIDE) {
  return {.address = address.empty() ? 0 : *parse_ipv4(address),
          .port = htons(static_cast<std::uint16_t>(port)),
          .protocol = static_cast<std::uint8_t>(protocol),
          .scope = static_cast<std::uint8_t>(scope)};
}

}  // namespace keelson::proxy
