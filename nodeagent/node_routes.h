// Routes from this node to the pods of the others: one for each node's block, through its address.
#pragma once

#include <map>
#include <string>

#include "api/view.h"
#include "isolation/veth.h"

namespace keelson {

class NodeRoutes {
 public:
  NodeRoutes(isolation::Network& network, std::string own_name)
      : network_(network), own_name_(std::move(own_name)) {}

  // A Node changed. What cannot be set is logged and tried again with the node's next change.
  void apply(const Change& change);

 private:
  struct Hop {
    std::string block, address;
    bool operator==(const Hop&) const = default;
  };
  Result<> set(const Hop& hop);
  Result<> clear(const Hop& hop);

  isolation::Network& network_;
  std::string own_name_;
  std::map<std::string, Hop> hops_;  // by node name
};

}  // namespace keelson
