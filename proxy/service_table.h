// From Services and EndpointSlices to what the kernel shall know: for each front (an address, port
// and protocol that clients ask for) the backends behind it. Pure and incremental.
#pragma once

#include <compare>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bpf/lb_types.h"
#include "proxy/service_directory.h"

// In the order of their bytes: any order that does not change.
std::strong_ordering operator<=>(const lb_service_key& a, const lb_service_key& b);
bool operator==(const lb_service_key& a, const lb_service_key& b);

namespace keelson::proxy {

struct Backend {
  std::uint32_t address_be = 0;
  std::uint16_t port_be = 0;
  bool local = false;
  auto operator<=>(const Backend&) const = default;
};

// One front's backends and how to choose among them.
struct ServiceRow {
  std::uint32_t affinity_timeout_s = 0;
  std::uint32_t flags = 0;        // lb_service_flag
  std::vector<Backend> backends;  // sorted, each once
  bool operator==(const ServiceRow&) const = default;
};

using Rows = std::map<lb_service_key, ServiceRow>;
using RowChanges = std::map<lb_service_key, std::optional<ServiceRow>>;  // nullopt: it is gone

std::string front_text(const lb_service_key& front);  // "10.96.0.1:443/TCP", for messages

// All fronts of one Service: its cluster address and, for each node port, one for this node's own
// sockets and one for packets from outside, which externalTrafficPolicy may treat differently.
Rows rows_of(const ServiceEntry& service);

class ServiceTable {
 public:
  // builtin: rows that are there whatever the API says (cluster DNS); they win over Services that
  // claim the same front.
  explicit ServiceTable(std::string node_name, Rows builtin = {});

  void put(const k8s::io::api::core::v1::Service& service);
  void put(const k8s::io::api::discovery::v1::EndpointSlice& slice);
  void erase_service(std::string_view name_space, std::string_view name);
  void erase_slice(std::string_view name_space, std::string_view name);

  // The fronts of every Service touched since the last call, as they are now.
  RowChanges take_changes();
  bool has_changes() const { return !touched_.empty() || !builtin_taken_; }

  const ServiceDirectory& directory() const { return directory_; }

 private:
  void touch(std::set<std::string> keys);
  std::set<lb_service_key> claim(const std::string& key, const Rows& rows);
  std::string_view first_claimant(const lb_service_key& front) const;
  std::optional<ServiceRow> row_of(const lb_service_key& front) const;

  ServiceDirectory directory_;
  Rows builtin_;
  bool builtin_taken_ = false;
  std::set<std::string> touched_;  // keys of Services
  // Of each Service, its fronts as last taken; and who claims a front, by pointers to these keys.
  // Two only by mistake: the first by name has it until it lets go.
  std::unordered_map<std::string, std::vector<lb_service_key>> fronts_;
  std::multimap<lb_service_key, const std::string*> claims_;
};

}  // namespace keelson::proxy
