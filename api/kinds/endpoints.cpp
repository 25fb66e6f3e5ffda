// Endpoints: the older list of a Service's addresses.
#include "api/proto/core/v1/endpoints.pb.h"

#include "api/cells.h"
#include "api/names.h"
#include "api/row.h"

namespace keelson {
namespace {

void set_defaults(Message& message) {
  for (auto& subset : *as<core::Endpoints>(message).mutable_subsets()) {
    for (auto& port : *subset.mutable_ports()) {
      if (port.protocol().empty()) port.set_protocol("TCP");
    }
  }
}

void check_address(const FieldPath& path, const core::EndpointAddress& address,
                   FieldErrors& errors) {
  check_value(path / "ip", address.ip(), check_ip, errors);
  if (!address.hostname().empty()) {
    check_value(path / "hostname", address.hostname(), check_dns_label, errors);
  }
  if (address.has_nodename()) {
    check_value(path / "nodeName", address.nodename(), check_dns_subdomain, errors);
  }
  check_value(path / "ip", address.ip(), check_non_special_ip, errors);
}

void check_endpoint_port(const FieldPath& path, const core::EndpointPort& port, bool needs_name,
                         FieldErrors& errors) {
  if (!port.name().empty()) {
    check_value(path / "name", port.name(), check_dns_label, errors);
  } else if (needs_name) {
    errors.required(path / "name");
  }
  check_number(path / "port", port.port(), check_port_number, errors);
  check_protocol(path / "protocol", port.protocol(), errors);
  if (port.has_appprotocol()) {
    check_value(path / "appProtocol", port.appprotocol(), check_qualified_name, errors);
  }
}

void check_subset(const FieldPath& path, const core::EndpointSubset& subset, FieldErrors& errors) {
  if (subset.addresses().empty() && subset.notreadyaddresses().empty()) {
    errors.required(path, "must specify `addresses` or `notReadyAddresses`");
  }
  std::size_t i = 0;
  for (const auto& address : subset.addresses()) {
    check_address((path / "addresses")[i++], address, errors);
  }
  i = 0;
  for (const auto& address : subset.notreadyaddresses()) {
    check_address((path / "notReadyAddresses")[i++], address, errors);
  }
  i = 0;
  for (const auto& port : subset.ports()) {
    check_endpoint_port((path / "ports")[i++], port, subset.ports_size() > 1, errors);
  }
}

void validate(const Message& message, FieldErrors& errors) {
  std::size_t i = 0;
  for (const auto& subset : as<core::Endpoints>(message).subsets()) {
    check_subset(FieldPath("subsets")[i++], subset, errors);
  }
}

std::string endpoints_cell(const core::Endpoints& endpoints) {
  if (endpoints.subsets().empty()) return std::string(none);
  std::vector<std::string> texts;
  for (const auto& subset : endpoints.subsets()) {
    if (subset.ports().empty()) {
      for (const auto& address : subset.addresses()) texts.push_back(address.ip());
    }
    for (const auto& port : subset.ports()) {
      for (const auto& address : subset.addresses()) {
        const bool is_v6 = address.ip().contains(':');
        texts.push_back(is_v6 ? fmt::format("[{}]:{}", address.ip(), port.port())
                              : fmt::format("{}:{}", address.ip(), port.port()));
      }
    }
  }
  return first_three(texts);
}

std::vector<Cell> cells(const Message& message, WallTime now) {
  const auto& endpoints = as<core::Endpoints>(message);
  return {endpoints.metadata().name(), endpoints_cell(endpoints),
          age_cell(endpoints.metadata(), now)};
}

}  // namespace

const Kind& kinds::endpoints() {
  static const Kind row = {
      .group = "",
      .version = "v1",
      .kind = "Endpoints",
      .plural = "endpoints",
      .singular = "endpoints",
      .short_names = {"ep"},
      .prototype = &core::Endpoints::default_instance(),
      .columns = {name_column(),
                  {.name = "Endpoints", .description = "Addresses that take connections."},
                  age_column()},
      .row = cells,
      .set_defaults = set_defaults,
      .validate = validate,
      .create_on_update = true,
  };
  return row;
}

}  // namespace keelson
