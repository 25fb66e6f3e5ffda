// Allocation as upstream's service/storage/alloc.go does it, in its words.
#include "control/registry/service_addresses.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cassert>

#include "api/proto/core/v1/service.pb.h"
#include "control/registry/errors.h"
#include "control/registry/write.h"

namespace keelson {
namespace {

using Number = NumberPool::Number;

struct Cidr {
  std::uint32_t base = 0;  // host order
  std::uint32_t prefix_length = 0;
};

std::optional<std::uint32_t> parse_ipv4(std::string_view text) {
  in_addr address{};
  if (inet_pton(AF_INET, std::string(text).c_str(), &address) != 1) return std::nullopt;
  return ntohl(address.s_addr);
}

// The flag was checked where it was read: a range that is none is a broken invariant.
Cidr parse_cidr(std::string_view text) {
  const auto slash = text.find('/');
  assert(slash != std::string_view::npos);
  const auto address = parse_ipv4(text.substr(0, slash));
  const int length = std::atoi(std::string(text.substr(slash + 1)).c_str());
  assert(address && length >= 8 && length <= 28);
  const std::uint32_t mask = ~std::uint32_t{0} << (32 - length);
  return {*address & mask, static_cast<std::uint32_t>(length)};
}

Number address_count(std::string_view cidr) {
  return (Number{1} << (32 - parse_cidr(cidr).prefix_length)) - 2;
}

// Upstream's static bands: a sixteenth of the addresses, 16 to 256; a 32nd of the ports, 16 to 128;
// none of a range that is not larger than the band.
Number reserved_addresses(Number count) {
  return count <= 16 ? 0 : std::clamp(count / 16, Number{16}, Number{256});
}
Number reserved_ports(Number count) {
  return count <= 16 ? 0 : std::clamp(count / 32, Number{16}, Number{128});
}

Number port_count(const ServiceRanges& ranges) {
  return ranges.node_port_last - ranges.node_port_first + 1;
}

bool has_address(const core::ServiceSpec& spec) {
  return spec.type() != "ExternalName" && spec.clusterip() != "None";
}

bool has_node_ports(const core::ServiceSpec& spec) {
  return spec.type() == "NodePort" || spec.type() == "LoadBalancer";
}

bool has_health_check_port(const core::ServiceSpec& spec) {
  return spec.type() == "LoadBalancer" && spec.externaltrafficpolicy() == "Local";
}

// A LoadBalancer may do without node ports; those it asks for it gets all the same.
bool wants_free_node_ports(const core::ServiceSpec& spec) {
  return spec.type() == "NodePort" || !spec.has_allocateloadbalancernodeports() ||
         spec.allocateloadbalancernodeports();
}

std::unexpected<Error> invalid(const core::Service& service, const FieldErrors& errors) {
  return std::unexpected(errors.to_error("", "Service", service.metadata().name()));
}

}  // namespace

struct ServiceAddresses::Holdings {
  std::set<Number> addresses;
  std::set<Number> node_ports;
};

struct ServiceAddresses::Assignment {
  core::Service& service;
  Holdings own;  // what it had before: its to keep
  Random& random;
  std::set<Number> ports_now = {};  // taken within this assignment

  core::ServiceSpec& spec() { return *service.mutable_spec(); }
};

ServiceAddresses::ServiceAddresses(Store& store, const ServiceRanges& ranges)
    : ranges_(ranges),
      base_(parse_cidr(ranges.cidr).base),
      prefix_length_(parse_cidr(ranges.cidr).prefix_length),
      addresses_(address_count(ranges.cidr), reserved_addresses(address_count(ranges.cidr))),
      node_ports_(port_count(ranges), reserved_ports(port_count(ranges))) {
  for (const auto& object : store.view().list(kinds::service())) follow({.after = object});
  store.subscribe([this, alive = alive_](const Change& change) {
    if (*alive) follow(change);
  });
}

void ServiceAddresses::follow(const Change& change) {
  if (change.object().kind != &kinds::service()) return;
  if (change.before) {
    const Holdings old = holdings_of(decode<core::Service>(*change.before));
    for (const Number number : old.addresses) addresses_.give_back(number);
    for (const Number number : old.node_ports) node_ports_.give_back(number);
  }
  if (change.after) {
    const Holdings now = holdings_of(decode<core::Service>(*change.after));
    for (const Number number : now.addresses) addresses_.take(number);
    for (const Number number : now.node_ports) node_ports_.take(number);
  }
}

ServiceAddresses::Holdings ServiceAddresses::holdings_of(const Message& message) const {
  const auto& spec = static_cast<const core::Service&>(message).spec();
  Holdings holdings;
  if (has_address(spec)) {
    if (const auto offset = offset_of(spec.clusterip())) holdings.addresses.insert(*offset);
  }
  const auto add_port = [&](std::int32_t port) {
    const auto number = static_cast<Number>(port) - ranges_.node_port_first;
    if (number < node_ports_.size()) holdings.node_ports.insert(number);
  };
  if (!has_node_ports(spec)) return holdings;
  for (const auto& port : spec.ports()) add_port(port.nodeport());
  if (has_health_check_port(spec)) add_port(spec.healthchecknodeport());
  return holdings;
}

Result<> ServiceAddresses::assign(const Write& write, Random& random) const {
  if (&write.kind() != &kinds::service() || write.target.subresource == "status") return {};
  Assignment assignment{.service = static_cast<core::Service&>(*write.after),
                        .own = write.before ? holdings_of(*write.before) : Holdings{},
                        .random = random};
  if (auto ok = assign_address(assignment); !ok) return ok;
  return assign_node_ports(assignment);
}

Result<> ServiceAddresses::assign_address(Assignment& assignment) const {
  core::ServiceSpec& spec = assignment.spec();
  if (spec.clusterip() == "None" && spec.clusterips().empty()) spec.add_clusterips("None");
  if (!has_address(spec)) return {};
  if (!spec.clusterip().empty()) return check_address(assignment);
  const auto free = addresses_.pick(assignment.random, {});
  if (!free) return internal_error("failed to allocate a serviceIP: range is full");
  spec.set_clusterip(address_at(*free));
  spec.clear_clusterips();
  spec.add_clusterips(spec.clusterip());
  return {};
}

Result<> ServiceAddresses::check_address(Assignment& assignment) const {
  core::ServiceSpec& spec = assignment.spec();
  if (spec.clusterips().empty()) spec.add_clusterips(spec.clusterip());
  const auto offset = offset_of(spec.clusterip());
  if (offset && assignment.own.addresses.contains(*offset)) return {};
  std::string why;
  if (!offset) {
    why =
        fmt::format("the provided IP ({}) is not in the valid range. The range of valid IPs is {}",
                    spec.clusterip(), ranges_.cidr);
  } else if (addresses_.is_taken(*offset)) {
    why = "provided IP is already allocated";
  } else {
    return {};
  }
  FieldErrors errors;
  errors.invalid_raw(FieldPath("spec") / "clusterIPs",
                     fmt::format("[]string{{\"{}\"}}", spec.clusterip()),
                     fmt::format("failed to allocate IP {}: {}", spec.clusterip(), why));
  return invalid(assignment.service, errors);
}

// Ports of one number under several protocols share a node port.
Result<> ServiceAddresses::assign_node_ports(Assignment& assignment) const {
  core::ServiceSpec& spec = assignment.spec();
  if (!has_node_ports(spec)) return {};
  std::map<std::int32_t, std::int32_t> by_port;
  for (const auto& port : spec.ports()) {
    if (port.nodeport() != 0) by_port.try_emplace(port.port(), port.nodeport());
  }
  for (int i = 0; i < spec.ports_size(); ++i) {
    core::ServicePort& port = *spec.mutable_ports(i);
    if (port.nodeport() == 0 && !wants_free_node_ports(spec)) continue;
    if (port.nodeport() == 0 && by_port.contains(port.port())) {
      port.set_nodeport(by_port[port.port()]);
    }
    const FieldPath path = (FieldPath("spec") / "ports")[static_cast<std::size_t>(i)] / "nodePort";
    auto number = node_port(assignment, static_cast<Number>(port.nodeport()), path);
    if (!number) return std::unexpected(number.error());
    port.set_nodeport(static_cast<std::int32_t>(*number));
    by_port.try_emplace(port.port(), port.nodeport());
  }
  if (!has_health_check_port(spec)) return {};
  auto number = node_port(assignment, static_cast<Number>(spec.healthchecknodeport()),
                          FieldPath("spec") / "healthCheckNodePort");
  if (!number) return std::unexpected(number.error());
  spec.set_healthchecknodeport(static_cast<std::int32_t>(*number));
  return {};
}

// wanted: 0 for any.
Result<std::uint32_t> ServiceAddresses::node_port(Assignment& assignment, std::uint32_t wanted,
                                                  const FieldPath& path) const {
  if (wanted == 0) {
    const auto free = node_ports_.pick(assignment.random, assignment.ports_now);
    if (!free) return internal_error("failed to allocate a nodePort: range is full");
    assignment.ports_now.insert(*free);
    return ranges_.node_port_first + *free;
  }
  const Number number = wanted - ranges_.node_port_first;
  FieldErrors errors;
  if (number >= node_ports_.size()) {
    errors.invalid_number(path, wanted,
                          fmt::format("provided port is not in the valid range. The range of valid "
                                      "ports is {}-{}",
                                      ranges_.node_port_first, ranges_.node_port_last));
  } else if (node_ports_.is_taken(number) && !assignment.own.node_ports.contains(number)) {
    errors.invalid_number(path, wanted, "provided port is already allocated");
  }
  if (!errors.empty()) return invalid(assignment.service, errors);
  assignment.ports_now.insert(number);
  return wanted;
}

std::optional<std::uint32_t> ServiceAddresses::offset_of(std::string_view address) const {
  const auto number = parse_ipv4(address);
  if (!number || *number - base_ - 1 >= addresses_.size()) return std::nullopt;
  return *number - base_ - 1;
}

std::string ServiceAddresses::address_at(std::uint32_t offset) const {
  const in_addr address{htonl(base_ + 1 + offset)};
  char text[INET_ADDRSTRLEN];
  return inet_ntop(AF_INET, &address, text, sizeof text);
}

std::string ServiceAddresses::first_address() const {
  return address_at(0);
}

}  // namespace keelson
