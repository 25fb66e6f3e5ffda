// Which backends stand behind which front, as Kubernetes has it.
#include "proxy/service_table.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
#include <bit>

#include "api/proto/core/v1/service.pb.h"
#include "api/proto/discovery/v1.pb.h"
#include "proxy/ipv4.h"

std::strong_ordering operator<=>(const lb_service_key& a, const lb_service_key& b) {
  return std::bit_cast<std::uint64_t>(a) <=> std::bit_cast<std::uint64_t>(b);
}

bool operator==(const lb_service_key& a, const lb_service_key& b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

namespace keelson::proxy {
namespace {

// Each endpoint of one port once, by where it listens. Two slices may both have it for a moment,
// while it moves from one to the other: then the better news counts.
std::map<Backend, Endpoint> endpoints_of(const ServiceEntry& service, const ServicePort& port) {
  std::map<Backend, Endpoint> found;
  for (const auto& slice : service.slices) {
    for (const auto& target : slice.ports) {
      if (target.name != port.name || target.protocol != port.protocol) continue;
      for (const auto& endpoint : slice.endpoints) {
        const Backend backend{.address_be = endpoint.address_be,
                              .port_be = htons(target.port),
                              .local = endpoint.local};
        const auto [at, is_new] = found.try_emplace(backend, endpoint);
        if (!is_new && endpoint.ready) at->second = endpoint;
      }
    }
  }
  return found;
}

// Ready endpoints; if there is none, those that end but still serve (KEP-1669).
std::vector<Backend> usable(const std::map<Backend, Endpoint>& endpoints, bool only_local) {
  std::vector<Backend> ready, ending;
  for (const auto& [backend, endpoint] : endpoints) {
    if (only_local && !endpoint.local) continue;
    if (endpoint.ready) ready.push_back(backend);
    if (endpoint.serving && endpoint.terminating) ending.push_back(backend);
  }
  return ready.empty() ? ending : ready;
}

ServiceRow row_of_port(const ServiceEntry& service, const std::map<Backend, Endpoint>& endpoints,
                       bool only_local) {
  ServiceRow row{.affinity_timeout_s = service.affinity_timeout_s,
                 .backends = usable(endpoints, only_local)};
  if (only_local && row.backends.empty() && !usable(endpoints, false).empty())
    row.flags = LB_NONE_LOCAL;
  return row;
}

}  // namespace

std::string front_text(const lb_service_key& front) {
  return fmt::format("{}:{}/{}", front.address == 0 ? "node" : ipv4_text(front.address),
                     ntohs(front.port), front.protocol == IPPROTO_UDP ? "UDP" : "TCP");
}

Rows rows_of(const ServiceEntry& service) {
  Rows rows;
  if (!service.exists || !service.proxied || service.cluster_ip_be == 0) return rows;
  for (const auto& port : service.ports) {
    const auto endpoints = endpoints_of(service, port);
    lb_service_key front{.address = service.cluster_ip_be,
                         .port = htons(port.port),
                         .protocol = port.protocol,
                         .scope = LB_INSIDE};
    rows[front] = row_of_port(service, endpoints, service.internal_local);
    if (port.node_port == 0) continue;
    // From inside, externalTrafficPolicy does not count: who is here already reaches every pod.
    front.address = 0;
    front.port = htons(port.node_port);
    rows[front] = row_of_port(service, endpoints, false);
    front.scope = LB_OUTSIDE;
    rows[front] = row_of_port(service, endpoints, service.external_local);
  }
  return rows;
}

ServiceTable::ServiceTable(std::string node_name, Rows builtin)
    : directory_(std::move(node_name)), builtin_(std::move(builtin)) {}

void ServiceTable::put(const k8s::io::api::core::v1::Service& service) {
  touch(directory_.put(service));
}

void ServiceTable::put(const k8s::io::api::discovery::v1::EndpointSlice& slice) {
  touch(directory_.put(slice));
}

void ServiceTable::erase_service(std::string_view name_space, std::string_view name) {
  touch(directory_.erase_service(name_space, name));
}

void ServiceTable::erase_slice(std::string_view name_space, std::string_view name) {
  touch(directory_.erase_slice(name_space, name));
}

RowChanges ServiceTable::take_changes() {
  RowChanges changes;
  if (!builtin_taken_)
    for (const auto& [front, row] : builtin_) changes[front] = row;
  builtin_taken_ = true;
  for (const auto& key : touched_) {
    const ServiceEntry* service = directory_.find(key);
    const Rows rows = service ? rows_of(*service) : Rows{};
    for (const auto& front : claim(key, rows)) {
      const bool is_its_own =
          !builtin_.contains(front) && rows.contains(front) && first_claimant(front) == key;
      changes[front] = is_its_own ? std::optional(rows.at(front)) : row_of(front);
    }
  }
  touched_.clear();
  return changes;
}

void ServiceTable::touch(std::set<std::string> keys) {
  touched_.merge(keys);
}

// Takes note of the fronts a Service has now. Returns these and those it had before.
std::set<lb_service_key> ServiceTable::claim(const std::string& key, const Rows& rows) {
  const auto known = fronts_.try_emplace(key).first;
  auto& fronts = known->second;
  std::set<lb_service_key> concerned(fronts.begin(), fronts.end());
  for (const auto& front : fronts) {
    const auto [begin, end] = claims_.equal_range(front);
    claims_.erase(std::find_if(begin, end, [&](auto& claim) { return *claim.second == key; }));
  }
  fronts.clear();
  for (const auto& [front, row] : rows) {
    fronts.push_back(front);
    concerned.insert(front);
    claims_.emplace(front, &known->first);
  }
  fronts.shrink_to_fit();
  if (fronts.empty()) fronts_.erase(known);
  return concerned;
}

// The first by name of those that claim a front; empty: none does.
std::string_view ServiceTable::first_claimant(const lb_service_key& front) const {
  const auto [begin, end] = claims_.equal_range(front);
  std::string_view first;
  for (auto claim = begin; claim != end; ++claim)
    if (first.empty() || *claim->second < first) first = *claim->second;
  return first;
}

std::optional<ServiceRow> ServiceTable::row_of(const lb_service_key& front) const {
  const auto builtin = builtin_.find(front);
  if (builtin != builtin_.end()) return builtin->second;
  const ServiceEntry* service = directory_.find(std::string(first_claimant(front)));
  if (!service) return std::nullopt;
  const Rows rows = rows_of(*service);
  const auto at = rows.find(front);
  return at == rows.end() ? std::nullopt : std::optional(at->second);
}

}  // namespace keelson::proxy
