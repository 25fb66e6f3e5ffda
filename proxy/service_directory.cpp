// The projection of Services and EndpointSlices, and its indexes.
#include "proxy/service_directory.h"

#include <netinet/in.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include "api/proto/core/v1/service.pb.h"
#include "api/proto/discovery/v1.pb.h"
#include "api/types.h"
#include "proxy/ipv4.h"

namespace keelson::proxy {
namespace {

constexpr const char* service_name_label = "kubernetes.io/service-name";
constexpr const char* proxy_name_label = "service.kubernetes.io/service-proxy-name";
constexpr std::uint32_t affinity_timeout_default_s = 10'800;  // ClientIPConfig.timeoutSeconds

std::string key_of(std::string_view name_space, std::string_view name) {
  return std::string(name_space) + '/' + std::string(name);
}

// 0: a protocol the kernel programs do not balance (SCTP).
std::uint8_t protocol_number(const std::string& protocol) {
  if (protocol.empty() || protocol == "TCP") return IPPROTO_TCP;
  return protocol == "UDP" ? IPPROTO_UDP : 0;
}

bool is_port(int number) {
  return number > 0 && number <= 65'535;
}

std::vector<ServicePort> ports_of(const core::ServiceSpec& spec) {
  std::vector<ServicePort> ports;
  for (const auto& port : spec.ports()) {
    const std::uint8_t protocol = protocol_number(port.protocol());
    if (protocol == 0 || !is_port(port.port())) continue;
    ports.push_back(
        {.name = port.name(),
         .protocol = protocol,
         .port = static_cast<std::uint16_t>(port.port()),
         .node_port = static_cast<std::uint16_t>(is_port(port.nodeport()) ? port.nodeport() : 0)});
  }
  return ports;
}

std::uint32_t affinity_timeout_of(const core::ServiceSpec& spec) {
  if (spec.sessionaffinity() != "ClientIP") return 0;
  const auto& client_ip = spec.sessionaffinityconfig().clientip();
  if (!client_ip.has_timeoutseconds() || client_ip.timeoutseconds() <= 0)
    return affinity_timeout_default_s;
  return static_cast<std::uint32_t>(client_ip.timeoutseconds());
}

// The IPv4 one of its cluster addresses; a dual-stack Service may have it second. 0: none.
std::uint32_t cluster_ip_of(const core::ServiceSpec& spec) {
  for (const auto& address : spec.clusterips())
    if (const auto address_be = parse_ipv4(address)) return *address_be;
  return parse_ipv4(spec.clusterip()).value_or(0);
}

void project(const core::Service& service, ServiceEntry& entry) {
  const auto& spec = service.spec();
  const bool is_external_name = spec.type() == "ExternalName";
  entry.exists = true;
  entry.headless = !is_external_name && spec.clusterip() == "None";
  entry.proxied = !service.metadata().labels().contains(proxy_name_label);
  entry.internal_local = spec.internaltrafficpolicy() == "Local";
  entry.external_local = spec.externaltrafficpolicy() == "Local";
  entry.cluster_ip_be = is_external_name ? 0 : cluster_ip_of(spec);
  entry.affinity_timeout_s = affinity_timeout_of(spec);
  entry.external_name = is_external_name ? spec.externalname() : "";
  entry.ports = ports_of(spec);
}

// What is left of a Service that is gone: its slices, until they go too.
void project_nothing(ServiceEntry& entry) {
  ServiceEntry bare;
  bare.key = std::move(entry.key);
  bare.slices = std::move(entry.slices);
  entry = std::move(bare);
}

void erase_slice_of(ServiceEntry& entry, std::string_view name) {
  std::erase_if(entry.slices, [name](const Slice& slice) { return slice.name == name; });
}

// null in a condition means: ready and serving, not terminating (API-BEHAVIOUR §12).
Endpoint endpoint_of(const discovery::Endpoint& endpoint, std::uint32_t address_be,
                     const std::string& node_name) {
  const auto& conditions = endpoint.conditions();
  const bool ready = !conditions.has_ready() || conditions.ready();
  return {.address_be = address_be,
          .ready = ready,
          .serving = conditions.has_serving() ? conditions.serving() : ready,
          .terminating = conditions.terminating(),
          .local = !node_name.empty() && endpoint.nodename() == node_name};
}

void add_endpoint(const discovery::Endpoint& endpoint, const std::string& node_name, Slice& slice) {
  if (endpoint.addresses_size() == 0) return;
  // All addresses of an endpoint are one pod's; consumers take the first (discovery/v1).
  const auto address_be = parse_ipv4(endpoint.addresses(0));
  if (!address_be || !is_endpoint_address(*address_be)) return;
  slice.endpoints.push_back(endpoint_of(endpoint, *address_be, node_name));
  if (endpoint.hostname().empty() && slice.hostnames.empty()) return;
  slice.hostnames.resize(slice.endpoints.size());
  slice.hostnames.back() = endpoint.hostname();
}

Slice slice_of(const discovery::EndpointSlice& slice, const std::string& node_name) {
  Slice projected{.name = slice.metadata().name()};
  for (const auto& port : slice.ports()) {
    const std::uint8_t protocol = protocol_number(port.protocol());
    if (protocol == 0 || !is_port(port.port())) continue;
    projected.ports.push_back({.name = port.name(),
                               .protocol = protocol,
                               .port = static_cast<std::uint16_t>(port.port())});
  }
  projected.endpoints.reserve(static_cast<std::size_t>(slice.endpoints_size()));
  for (const auto& endpoint : slice.endpoints()) add_endpoint(endpoint, node_name, projected);
  return projected;
}

// The first by name, where several have it.
const ServiceEntry* first_of(auto range) {
  const ServiceEntry* first = nullptr;
  for (auto at = range.first; at != range.second; ++at)
    if (first == nullptr || at->second->key < first->key) first = at->second;
  return first;
}

void erase_from(auto& index, std::uint32_t address_be, const ServiceEntry& entry) {
  const auto [begin, end] = index.equal_range(address_be);
  for (auto at = begin; at != end;) at = at->second == &entry ? index.erase(at) : std::next(at);
}

}  // namespace

std::set<std::string> ServiceDirectory::put(const core::Service& service) {
  const auto& metadata = service.metadata();
  ServiceEntry& entry = entry_of(metadata.namespace_(), metadata.name());
  unindex(entry);
  project(service, entry);
  index(entry);
  return {entry.key};
}

std::set<std::string> ServiceDirectory::erase_service(std::string_view name_space,
                                                      std::string_view name) {
  const std::string key = key_of(name_space, name);
  const auto at = entries_.find(key);
  if (at == entries_.end()) return {};
  ServiceEntry& entry = *at->second;
  unindex(entry);
  project_nothing(entry);
  drop_if_empty(entry);
  return {key};
}

std::set<std::string> ServiceDirectory::put(const discovery::EndpointSlice& slice) {
  const auto& metadata = slice.metadata();
  const auto label = metadata.labels().find(service_name_label);
  const bool belongs = label != metadata.labels().end() && slice.addresstype() == "IPv4";
  const std::string slice_key = key_of(metadata.namespace_(), metadata.name());
  const std::string service_key = belongs ? key_of(metadata.namespace_(), label->second) : "";

  std::set<std::string> changed;
  const auto known = service_of_slice_.find(slice_key);
  if (known != service_of_slice_.end() && known->second->key != service_key)
    changed = erase_slice(metadata.namespace_(), metadata.name());
  if (!belongs) return changed;

  ServiceEntry& entry = entry_of(metadata.namespace_(), label->second);
  unindex(entry);
  erase_slice_of(entry, metadata.name());
  entry.slices.push_back(slice_of(slice, node_name_));
  index(entry);
  service_of_slice_[slice_key] = &entry;
  changed.insert(entry.key);
  return changed;
}

std::set<std::string> ServiceDirectory::erase_slice(std::string_view name_space,
                                                    std::string_view name) {
  const auto known = service_of_slice_.find(key_of(name_space, name));
  if (known == service_of_slice_.end()) return {};
  ServiceEntry& entry = *known->second;
  const std::string service_key = entry.key;
  service_of_slice_.erase(known);
  unindex(entry);
  erase_slice_of(entry, name);
  index(entry);
  drop_if_empty(entry);
  return {service_key};
}

const ServiceEntry* ServiceDirectory::find(std::string_view name_space,
                                           std::string_view name) const {
  return find(key_of(name_space, name));
}

const ServiceEntry* ServiceDirectory::find(const std::string& key) const {
  const auto at = entries_.find(key);
  return at == entries_.end() || !at->second->exists ? nullptr : at->second.get();
}

const ServiceEntry* ServiceDirectory::by_cluster_ip(std::uint32_t address_be) const {
  return first_of(by_cluster_ip_.equal_range(address_be));
}

std::vector<const ServiceEntry*> ServiceDirectory::headless_by_endpoint(
    std::uint32_t address_be) const {
  std::vector<const ServiceEntry*> found;
  const auto [begin, end] = headless_by_endpoint_.equal_range(address_be);
  for (auto at = begin; at != end; ++at)
    if (std::ranges::find(found, at->second) == found.end()) found.push_back(at->second);
  return found;
}

bool ServiceDirectory::has_namespace(std::string_view name_space) const {
  return services_in_namespace_.contains(name_space);
}

std::vector<std::string> ServiceDirectory::keys() const {
  std::vector<std::string> keys;
  for (const auto& [key, entry] : entries_)
    if (entry->exists) keys.emplace_back(key);
  return keys;
}

std::vector<std::string> ServiceDirectory::slice_keys() const {
  std::vector<std::string> keys;
  for (const auto& [slice, service] : service_of_slice_) keys.push_back(slice);
  return keys;
}

ServiceEntry& ServiceDirectory::entry_of(std::string_view name_space, std::string_view name) {
  std::string key = key_of(name_space, name);
  if (const auto at = entries_.find(key); at != entries_.end()) return *at->second;
  auto entry = std::make_unique<ServiceEntry>();
  entry->key = std::move(key);
  ServiceEntry& made = *entry;
  entries_.emplace(made.key, std::move(entry));
  return made;
}

void ServiceDirectory::index(const ServiceEntry& entry) {
  if (!entry.exists) return;
  ++services_in_namespace_[std::string(entry.name_space())];
  if (entry.cluster_ip_be != 0) by_cluster_ip_.emplace(entry.cluster_ip_be, &entry);
  if (!entry.headless) return;
  for (const auto& slice : entry.slices)
    for (const auto& endpoint : slice.endpoints)
      headless_by_endpoint_.emplace(endpoint.address_be, &entry);
}

void ServiceDirectory::unindex(const ServiceEntry& entry) {
  if (!entry.exists) return;
  const auto counted = services_in_namespace_.find(entry.name_space());
  if (--counted->second == 0) services_in_namespace_.erase(counted);
  erase_from(by_cluster_ip_, entry.cluster_ip_be, entry);
  if (!entry.headless) return;
  for (const auto& slice : entry.slices)
    for (const auto& endpoint : slice.endpoints)
      erase_from(headless_by_endpoint_, endpoint.address_be, entry);
}

void ServiceDirectory::drop_if_empty(const ServiceEntry& entry) {
  if (!entry.exists && entry.slices.empty()) entries_.erase(entries_.find(entry.key));
}

}  // namespace keelson::proxy
