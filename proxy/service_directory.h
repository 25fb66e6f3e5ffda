// What a node needs of Services and EndpointSlices: a projection of both, from which the maps' rows
// (service_table.h) and DNS answers (dns_names.h) are made. The messages themselves are not kept.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
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
  bool ready : 1 = true;
  bool serving : 1 = true;
  bool terminating : 1 = false;
  bool local : 1 = false;  // on this node
};

struct Slice {
  std::string name;
  std::vector<ServicePort> ports;
  std::vector<Endpoint> endpoints;
  std::vector<std::string>
      hostnames;  // one for each endpoint, or none at all: few Services have any

  std::string_view hostname(std::size_t endpoint) const {
    return hostnames.empty() ? std::string_view() : hostnames[endpoint];
  }
};

struct ServiceEntry {
  std::string key;      // "namespace/name"
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
  std::vector<Slice> slices;

  std::string_view name_space() const { return std::string_view(key).substr(0, key.find('/')); }
  std::string_view name() const { return std::string_view(key).substr(key.find('/') + 1); }
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
  using Entries = std::unordered_map<std::string_view, std::unique_ptr<ServiceEntry>>;  // by key
  using ByAddress = std::unordered_multimap<std::uint32_t, const ServiceEntry*>;
  ServiceEntry& entry_of(std::string_view name_space, std::string_view name);
  void index(const ServiceEntry& entry);
  void unindex(const ServiceEntry& entry);
  void drop_if_empty(const ServiceEntry& entry);

  std::string node_name_;
  Entries entries_;                                                  // each key is its entry's
  std::unordered_map<std::string, ServiceEntry*> service_of_slice_;  // by "namespace/name"
  ByAddress by_cluster_ip_;
  ByAddress headless_by_endpoint_;
  std::map<std::string, int, std::less<>> services_in_namespace_;
};

}  // namespace keelson::proxy
