// EndpointSlice: some of the addresses behind a Service, and whether they take traffic.
#include "api/proto/discovery/v1.pb.h"

#include <set>

#include "api/cells.h"
#include "api/message_diff.h"
#include "api/names.h"
#include "api/row.h"

namespace keelson {
namespace {

// Source: k8s.io/kubernetes pkg/apis/discovery/validation.
constexpr std::size_t endpoints_max = 1000, addresses_max = 100, ports_max = 20'000, hints_max = 8;

void set_defaults(Message& message) {
  for (auto& port : *as<discovery::EndpointSlice>(message).mutable_ports()) {
    if (!port.has_name()) port.set_name("");
    if (!port.has_protocol()) port.set_protocol("TCP");
  }
}

// There is no spec: generation counts what consumers look at.
void prepare_update(const Message& before_message, Message& after_message) {
  auto before = as<discovery::EndpointSlice>(before_message);
  auto after = as<discovery::EndpointSlice>(after_message);
  const std::int64_t generation = before.metadata().generation();
  for (auto* slice : {&before, &after}) {
    meta::ObjectMeta kept;
    kept.mutable_labels()->swap(*slice->mutable_metadata()->mutable_labels());
    slice->mutable_metadata()->Swap(&kept);
  }
  if (is_equal(before, after)) return;
  as<discovery::EndpointSlice>(after_message).mutable_metadata()->set_generation(generation + 1);
}

std::vector<std::string> check_domain(std::string_view value) {
  if (value.ends_with('.')) value.remove_suffix(1);
  auto texts = check_dns_subdomain(value);
  if (texts.empty() && !value.contains('.')) {
    texts.emplace_back("should be a domain with at least two segments separated by dots");
  }
  return texts;
}

void check_address(const FieldPath& path, const std::string& type, const std::string& address,
                   FieldErrors& errors) {
  if (type == "FQDN") return check_value(path, address, check_domain, errors);
  if (type != "IPv4" && type != "IPv6") return;
  check_value(path, address, type == "IPv4" ? check_ipv4 : check_ipv6, errors);
  check_value(path, address, check_non_special_ip, errors);
}

void check_endpoint(const FieldPath& path, const std::string& type,
                    const discovery::Endpoint& endpoint, FieldErrors& errors) {
  const FieldPath addresses = path / "addresses";
  const auto count = static_cast<std::size_t>(endpoint.addresses_size());
  if (count == 0) errors.required(addresses, "must contain at least 1 address");
  if (count > addresses_max) errors.too_many(addresses, count, addresses_max);
  std::size_t i = 0;
  for (const auto& address : endpoint.addresses()) {
    check_address(addresses[i++], type, address, errors);
  }
  if (endpoint.has_nodename()) {
    check_value(path / "nodeName", endpoint.nodename(), check_dns_subdomain, errors);
  }
  if (endpoint.has_hostname()) {
    check_value(path / "hostname", endpoint.hostname(), check_dns_label, errors);
  }
  const FieldPath zones = path / "hints" / "forZones";
  const auto zone_count = static_cast<std::size_t>(endpoint.hints().forzones_size());
  if (zone_count > hints_max) errors.too_many(zones, zone_count, hints_max);
  std::set<std::string_view> names;
  i = 0;
  for (const auto& zone : endpoint.hints().forzones()) {
    const FieldPath at = zones[i++];
    if (!names.insert(zone.name()).second) errors.duplicate(at / "name", zone.name());
    check_value(at / "name", zone.name(), check_qualified_name, errors);
  }
}

void check_ports(const discovery::EndpointSlice& slice, FieldErrors& errors) {
  const FieldPath path("ports");
  const auto count = static_cast<std::size_t>(slice.ports_size());
  if (count > ports_max) return errors.too_many(path, count, ports_max);
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < count; ++i) {
    const discovery::EndpointPort& port = slice.ports(static_cast<int>(i));
    const FieldPath at = path[i];
    if (!port.name().empty()) check_value(at / "name", port.name(), check_dns_label, errors);
    if (!names.insert(port.name()).second) errors.duplicate(at / "name", port.name());
    if (port.has_port()) check_number(at / "port", port.port(), check_port_number, errors);
    check_protocol(at / "protocol", port.protocol(), errors);
    if (port.has_appprotocol()) {
      check_value(at / "appProtocol", port.appprotocol(), check_qualified_name, errors);
    }
  }
}

void validate(const Message& message, FieldErrors& errors) {
  const auto& slice = as<discovery::EndpointSlice>(message);
  const std::string& type = slice.addresstype();
  check_choice(FieldPath("addressType"), type, {"FQDN", "IPv4", "IPv6"}, errors);
  const FieldPath path("endpoints");
  const auto count = static_cast<std::size_t>(slice.endpoints_size());
  if (count > endpoints_max) {
    errors.too_many(path, count, endpoints_max);
  } else {
    std::size_t i = 0;
    for (const auto& endpoint : slice.endpoints()) {
      check_endpoint(path[i++], type, endpoint, errors);
    }
  }
  check_ports(slice, errors);
}

void validate_update(const Message& before_message, const Message& after_message,
                     FieldErrors& errors) {
  const std::string& before = as<discovery::EndpointSlice>(before_message).addresstype();
  const std::string& after = as<discovery::EndpointSlice>(after_message).addresstype();
  if (before != after) errors.invalid(FieldPath("addressType"), after, "field is immutable");
}

std::string or_unset(const std::string& text) {
  return text.empty() ? "<unset>" : text;
}

std::vector<Cell> cells(const Message& message, WallTime now) {
  const auto& slice = as<discovery::EndpointSlice>(message);
  std::vector<std::string> ports, addresses;
  for (const auto& port : slice.ports()) {
    ports.push_back(port.has_port()       ? std::to_string(port.port())
                    : port.name().empty() ? "*"
                                          : port.name());
  }
  for (const auto& endpoint : slice.endpoints()) {
    addresses.insert(addresses.end(), endpoint.addresses().begin(), endpoint.addresses().end());
  }
  return {slice.metadata().name(), slice.addresstype(), or_unset(first_three(ports)),
          or_unset(first_three(addresses)), age_cell(slice.metadata(), now)};
}

}  // namespace

const Kind& kinds::endpoint_slice() {
  static const Kind row = {
      .group = "discovery.k8s.io",
      .version = "v1",
      .kind = "EndpointSlice",
      .plural = "endpointslices",
      .singular = "endpointslice",
      .prototype = &discovery::EndpointSlice::default_instance(),
      .columns = {name_column(),
                  {.name = "AddressType", .description = "IPv4, IPv6 or FQDN."},
                  {.name = "Ports", .description = "On which endpoints take connections."},
                  {.name = "Endpoints", .description = "Addresses, ready or not."},
                  age_column()},
      .row = cells,
      .set_defaults = set_defaults,
      .prepare_update = prepare_update,
      .validate = validate,
      .validate_update = validate_update,
      .has_generation = true,
  };
  return row;
}

}  // namespace keelson
