// Node: a machine that runs pods.
#include "api/facts.h"
#include "api/proto/core/v1/node.pb.h"
#include "api/row.h"

namespace keelson {

const Kind& kinds::node() {
  static const Kind row = {
      .group = "",
      .version = "v1",
      .kind = "Node",
      .plural = "nodes",
      .singular = "node",
      .short_names = {"no"},
      .scope = Scope::Cluster,
      .prototype = &core::Node::default_instance(),
      .subresources = {{.name = "status", .verbs = status_verbs}},
      .selectable_fields = {{"spec.unschedulable",
                             [](const Message& m) -> std::string {
                               return as<core::Node>(m).spec().unschedulable() ? "true" : "false";
                             }}},
      .prepare_update = keep_status<core::Node>,
      .prepare_status_update = keep_spec<core::Node>,
      .facts = extract_node_facts,
  };
  return row;
}

}  // namespace keelson
