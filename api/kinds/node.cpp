// Node: a machine that runs pods.
#include "api/proto/core/v1/node.pb.h"

#include <algorithm>
#include <map>
#include <set>

#include "api/cells.h"
#include "api/facts.h"
#include "api/go_syntax.h"
#include "api/go_text.h"
#include "api/ip_address.h"
#include "api/names.h"
#include "api/proto/core/v1/topology.pb.h"
#include "api/resource_names.h"
#include "api/row.h"

namespace keelson {
namespace {

void set_defaults(Message& message) {
  auto& node = as<core::Node>(message);
  if (node.status().allocatable().empty() && !node.status().capacity().empty()) {
    *node.mutable_status()->mutable_allocatable() = node.status().capacity();
  }
  // The older field and the first of the newer are kept equal.
  if (!node.has_spec()) return;
  core::NodeSpec& spec = *node.mutable_spec();
  if (spec.podcidrs().empty() && !spec.podcidr().empty()) {
    spec.add_podcidrs(spec.podcidr());
  } else if (!spec.podcidrs().empty()) {
    spec.set_podcidr(spec.podcidrs(0));
  }
}

void check_taints(const core::Node& node, FieldErrors& errors) {
  const FieldPath path = FieldPath("metadata") / "taints";  // upstream's path says metadata
  std::set<std::pair<std::string_view, std::string_view>> known;
  std::size_t i = 0;
  for (const auto& taint : node.spec().taints()) {
    const FieldPath at = path[i++];
    check_value(at / "key", taint.key(), check_qualified_name, errors);
    if (const auto texts = check_label_value(taint.value()); !texts.empty()) {
      errors.invalid(at / "value", taint.value(), joined(texts, ";"));
    }
    check_taint_effect(at / "effect", taint.effect(), EmptyEffect::IsMissing, errors);
    if (known.emplace(taint.effect(), taint.key()).second) continue;
    errors.duplicate_raw(
        at,
        fmt::format("core.Taint{{Key:{}, Value:{}, Effect:{}, TimeAdded:<nil>}}",
                    go_quote(taint.key()), go_quote(taint.value()), go_quote(taint.effect())),
        "taints must be unique by key and effect pair");
  }
}

void check_amounts(const FieldPath& path, const QuantityMap& quantities, FieldErrors& errors) {
  std::map<std::string, Quantity> ordered;
  for (const auto& [name, quantity] : quantities) ordered[name] = Quantity::of(quantity);
  for (const auto& [name, amount] : ordered) {
    check_resource_amount(path / name, name, amount, errors);
  }
}

void check_pod_cidrs(const core::NodeSpec& spec, FieldErrors& errors) {
  const FieldPath path = FieldPath("spec") / "podCIDRs";
  int v4 = 0;
  std::size_t i = 0;
  for (const auto& cidr : spec.podcidrs()) {
    check_value(path[i++], cidr, check_cidr, errors);
    const auto address = IpAddress::parse(cidr.substr(0, cidr.find('/')));
    v4 += address && address->is_v4();
  }
  const int count = spec.podcidrs_size();
  if (count > 2 || (count == 2 && v4 != 1)) {
    errors.invalid_raw(path, go_syntax(spec.podcidrs()),
                       "may specify no more than one CIDR for each IP family");
  }
}

void validate(const Message& message, FieldErrors& errors) {
  const auto& node = as<core::Node>(message);
  check_taints(node, errors);
  check_amounts(FieldPath("status") / "capacity", node.status().capacity(), errors);
  check_amounts(FieldPath("status") / "allocatable", node.status().allocatable(), errors);
  check_pod_cidrs(node.spec(), errors);
}

void validate_update(const Message& before_message, const Message& after_message,
                     FieldErrors& errors) {
  const core::NodeSpec& before = as<core::Node>(before_message).spec();
  const core::NodeSpec& after = as<core::Node>(after_message).spec();
  const FieldPath path("spec");
  if (!before.podcidrs().empty() && !std::ranges::equal(before.podcidrs(), after.podcidrs())) {
    errors.forbidden(path / "podCIDRs",
                     "node updates may not change podCIDR except from \"\" to valid");
  }
  if (!before.providerid().empty() && before.providerid() != after.providerid()) {
    errors.forbidden(path / "providerID",
                     "node updates may not change providerID except from \"\" to valid");
  }
  if (before.externalid() != after.externalid()) {
    errors.forbidden(path / "externalID", "may not be updated");
  }
}

void validate_status_update(const Message&, const Message& message, FieldErrors& errors) {
  const core::NodeStatus& status = as<core::Node>(message).status();
  const FieldPath path("status");
  check_amounts(path / "capacity", status.capacity(), errors);
  check_amounts(path / "allocatable", status.allocatable(), errors);
  std::set<std::pair<std::string_view, std::string_view>> known;
  std::size_t i = 0;
  for (const auto& address : status.addresses()) {
    const FieldPath at = (path / "addresses")[i++];
    if (known.emplace(address.type(), address.address()).second) continue;
    errors.duplicate_raw(at, fmt::format("core.NodeAddress{{Type:{}, Address:{}}}",
                                         go_quote(address.type()), go_quote(address.address())));
  }
}

std::string status_cell(const core::Node& node) {
  std::string text = "Unknown";
  for (const auto& condition : node.status().conditions()) {
    if (condition.type() == "Ready") text = condition.status() == "True" ? "Ready" : "NotReady";
  }
  return node.spec().unschedulable() ? text + ",SchedulingDisabled" : text;
}

std::string roles_cell(const core::Node& node) {
  constexpr std::string_view prefix = "node-role.kubernetes.io/";
  std::set<std::string> roles;
  for (const auto& [key, value] : node.metadata().labels()) {
    if (key.starts_with(prefix) && key.size() > prefix.size()) {
      roles.insert(key.substr(prefix.size()));
    } else if (key == "kubernetes.io/role" && !value.empty()) {
      roles.insert(value);
    }
  }
  return or_none(joined({roles.begin(), roles.end()}));
}

std::string address_cell(const core::Node& node, std::string_view type) {
  const auto& addresses = node.status().addresses();
  const auto found = std::ranges::find(addresses, type, &core::NodeAddress::type);
  return found == addresses.end() ? std::string(none) : found->address();
}

std::string or_unknown(const std::string& text) {
  return text.empty() ? "<unknown>" : text;
}

std::vector<Cell> cells(const Message& message, WallTime now) {
  const auto& node = as<core::Node>(message);
  const core::NodeSystemInfo& info = node.status().nodeinfo();
  return {node.metadata().name(),
          status_cell(node),
          roles_cell(node),
          age_cell(node.metadata(), now),
          info.kubeletversion(),
          address_cell(node, "InternalIP"),
          address_cell(node, "ExternalIP"),
          or_unknown(info.osimage()),
          or_unknown(info.kernelversion()),
          or_unknown(info.containerruntimeversion())};
}

std::vector<Column> columns() {
  return {name_column(),
          {.name = "Status", .description = "Whether the node takes pods."},
          {.name = "Roles", .description = "From labels node-role.kubernetes.io/…."},
          age_column(),
          {.name = "Version", .description = "The agent's version."},
          {.name = "Internal-IP", .description = "Within the cluster.", .priority = 1},
          {.name = "External-IP", .description = "From outside.", .priority = 1},
          {.name = "OS-Image", .description = "The operating system.", .priority = 1},
          {.name = "Kernel-Version", .description = "The kernel's release.", .priority = 1},
          {.name = "Container-Runtime", .description = "What runs containers.", .priority = 1}};
}

}  // namespace

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
      .columns = columns(),
      .row = cells,
      .set_defaults = set_defaults,
      .prepare_update = keep_status<core::Node>,
      .prepare_status_update = keep_spec<core::Node>,
      .validate = validate,
      .validate_update = validate_update,
      .validate_status_update = validate_status_update,
      .facts = extract_node_facts,
  };
  return row;
}

}  // namespace keelson
