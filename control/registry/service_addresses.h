// Cluster addresses and node ports of Services. What is taken follows from the Services there are,
// so there is nothing to repair or to release: a write that fails has taken nothing.
#pragma once

#include <string>

#include "control/registry/number_pool.h"
#include "control/store/store.h"

namespace keelson {

struct Write;

struct ServiceRanges {
  std::string cidr = "10.96.0.0/16";  // IPv4; network and broadcast address are not given out
  std::uint32_t node_port_first = 30000;
  std::uint32_t node_port_last = 32767;
};

class ServiceAddresses {
 public:
  ServiceAddresses(Store& store, const ServiceRanges& ranges);
  ~ServiceAddresses() { *alive_ = false; }

  // Fills in what a Service of this write needs and lacks, and checks what it asks for; nothing
  // for other kinds. Invalid: asked for what is taken or out of range. InternalError: nothing left.
  Result<> assign(const Write& write, Random& random) const;

  const ServiceRanges& ranges() const { return ranges_; }
  std::string first_address() const;  // the `kubernetes` Service's

 private:
  struct Assignment;
  struct Holdings;
  Holdings holdings_of(const Message& service) const;
  void follow(const Change& change);
  Result<> assign_address(Assignment& assignment) const;
  Result<> check_address(Assignment& assignment) const;
  Result<> assign_node_ports(Assignment& assignment) const;
  Result<std::uint32_t> node_port(Assignment& assignment, std::uint32_t wanted,
                                  const FieldPath& path) const;
  std::optional<std::uint32_t> offset_of(std::string_view address) const;
  std::string address_at(std::uint32_t offset) const;

  const ServiceRanges ranges_;
  std::uint32_t base_ = 0;  // the network address, host order
  std::uint32_t prefix_length_ = 0;
  NumberPool addresses_;   // offsets from base_ + 1
  NumberPool node_ports_;  // offsets from node_port_first
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace keelson
