// What a node needs of Services and EndpointSlices: a projection of both, from which the maps' rows
// (service_table.h) and DNS answers (dns_names.h) are made. The messages themselves are not kept.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace k8s::io::api::core::v1 {
class Service;
}
namespace k8s::io::api::discovery::v1 {
class EndpointSlice;
}

namespace keelson::proxy {

struct ServicePort {
  std::string name;             // may be empty
  std::uint8_t protocol = 0;    // IPPROTO_TCP or IPPROTO_UDP; ports of others are left out
  std::uint16_t port = 0;       // of a Service: what clients ask for; of a slice: where pods listen
  std::uint16_t node_port = 0;  // 0: none
};

struct Endpoint {
  std::uint32_t address_be = 0;
  bool ready = true;
  bool serving = true;
  bool terminating = false;
  bool local = false;    // on this node
  std::string hostname;  // empty: none; DNS then makes one of the address
};

struct Slice {
  std::vector<ServicePort> ports;
  std::vector<Endpoint> endpoints;
};

struct ServiceEntry {
  std::string name_space, name;
  bool exists = false;  // false: only slices of it have been seen
  bool headless = false;
  bool proxied =
      true;  // false: labelled for another proxy (service.kubernetes.io/service-proxy-name)
  bool internal_local = false;           // internalTrafficPolicy
  bool external_local = false;           // externalTrafficPolicy
  std::uint32_t cluster_ip_be = 0;       // 0: none
  std::uint32_t affinity_timeout_s = 0;  // 0: sessionAffinity None
  std::string external_name;             // of type ExternalName
  std::vector<ServicePort> ports;
  std::map<std::string, Slice> slices;  // by the slice's name
};

// One thread's. A change costs what the Service it is about has, whatever else there is.
class ServiceDirectory {
 public:
  explicit ServiceDirectory(std::string node_name) : node_name_(std::move(node_name)) {}

  // Each returns the keys ("namespace/name") of the Services it changed: none, one, or two when a
  // slice moves to another.
  std::set<std::string> put(const k8s::io::api::core::v1::Service& service);
  std::set<std::string> put(const k8s::io::api::discovery::v1::EndpointSlice& slice);
  std::set<std::string> erase_service(std::string_view name_space, std::string_view name);
  std::set<std::string> erase_slice(std::string_view name_space, std::string_view name);

  const ServiceEntry* find(std::string_view name_space, std::string_view name) const;
  const ServiceEntry* find(const std::string& key) const;
  const ServiceEntry* by_cluster_ip(std::uint32_t address_be) const;
  // Headless Services that have an endpoint of this address.
  std::vector<const ServiceEntry*> headless_by_endpoint(std::uint32_t address_be) const;
  bool has_namespace(std::string_view name_space) const;  // with a Service in it
  std::vector<std::string> keys() const;                  // of Services that exist
  std::vector<std::string> slice_keys() const;            // of slices that belong to a Service

 private:
  using Entries = std::map<std::string, ServiceEntry, std::less<>>;
  ServiceEntry& entry_of(std::string_view name_space, std::string_view name);
  void index(const ServiceEntry& entry);
  void unindex(const ServiceEntry& entry);
  void drop_if_empty(const std::string& key);

  std::string node_name_;
  Entries entries_;
  std::unordered_map<std::string, std::string> service_of_slice_;  // both "namespace/name"
  std::unordered_map<std::uint32_t, std::set<std::string>> by_cluster_ip_;
  std::unordered_map<std::uint32_t, std::set<std::string>> headless_by_endpoint_;
  std::map<std::string, int, std::less<>> services_in_namespace_;
};

}  // namespace keelson::proxy
