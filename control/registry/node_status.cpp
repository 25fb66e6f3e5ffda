// Extended resources are those with a domain of their own: example.com/dongle.
#include "control/registry/node_status.h"

#include "api/proto/core/v1/node.pb.h"

namespace keelson {
namespace {

using Quantities = google::protobuf::Map<std::string, resource::Quantity>;

bool is_extended(std::string_view name) {
  const auto slash = name.find('/');
  if (slash == std::string_view::npos) return false;
  const std::string_view domain = name.substr(0, slash);
  return domain != "kubernetes.io" && !domain.ends_with(".kubernetes.io");
}

void keep_extended(const Quantities& before, Quantities& after) {
  for (const auto& [name, amount] : before) {
    if (is_extended(name) && !after.contains(name)) after[name] = amount;
  }
}

}  // namespace

void keep_foreign_resources(const Write& write) {
  if (&write.kind() != &kinds::node()) return;
  if (write.context.user != "system:node:" + write.existing->name) return;
  const auto& before = static_cast<const core::Node&>(*write.before).status();
  auto& after = *static_cast<core::Node&>(*write.after).mutable_status();
  keep_extended(before.capacity(), *after.mutable_capacity());
  keep_extended(before.allocatable(), *after.mutable_allocatable());
  keep_extended(after.capacity(), *after.mutable_allocatable());
}

}  // namespace keelson
