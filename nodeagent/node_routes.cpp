// Only what differs is told to the kernel.
#include "nodeagent/node_routes.h"

#include "api/facts.h"
#include "base/log.h"

namespace keelson {

Result<> NodeRoutes::set(const Hop& hop) {
  const auto block = isolation::parse_prefix(hop.block);
  if (!block) return std::unexpected(block.error());
  const auto gateway = isolation::parse_prefix(hop.address);
  if (!gateway) return std::unexpected(gateway.error());
  return network_.add_route({.destination = *block, .gateway = *gateway});
}

Result<> NodeRoutes::clear(const Hop& hop) {
  const auto block = isolation::parse_prefix(hop.block);
  if (!block) return std::unexpected(block.error());
  return network_.remove_route({.destination = *block});
}

void NodeRoutes::apply(const Change& change) {
  const std::string& name = change.object().name;
  if (name == own_name_) return;
  Hop wanted;
  if (change.after) {
    const NodeFacts& facts = node_facts(*change.after);
    if (!facts.pod_cidr.empty() && !facts.internal_ip.empty()) {
      wanted = {facts.pod_cidr, facts.internal_ip};
    }
  }
  const auto known = hops_.find(name);
  const Hop before = known == hops_.end() ? Hop{} : known->second;
  if (wanted == before) return;
  Result<> done;
  if (!before.block.empty() && before.block != wanted.block) done = clear(before);
  if (done && !wanted.block.empty()) done = set(wanted);
  if (!done) {
    log_error("route to node", {{"node", name}, {"error", done.error().message}});
    return;
  }
  if (wanted.block.empty()) {
    hops_.erase(name);
  } else {
    hops_[name] = wanted;
  }
}

}  // namespace keelson
