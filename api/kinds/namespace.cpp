// Namespace: a scope for names.
#include "api/proto/core/v1/namespace.pb.h"

#include <algorithm>

#include "api/cells.h"
#include "api/names.h"
#include "api/row.h"

namespace keelson {
namespace {

constexpr const char* name_label = "kubernetes.io/metadata.name";

void set_defaults(Message& message) {
  auto& name_space = as<core::Namespace>(message);
  meta::ObjectMeta& metadata = *name_space.mutable_metadata();
  if (!metadata.name().empty()) (*metadata.mutable_labels())[name_label] = metadata.name();
  if (name_space.status().phase().empty()) name_space.mutable_status()->set_phase("Active");
}

// The namespace controller takes the finalizer away when the namespace is empty.
void prepare_create(Message& message) {
  auto& name_space = as<core::Namespace>(message);
  set_defaults(message);  // the name may have been generated since
  name_space.mutable_status()->Clear();
  name_space.mutable_status()->set_phase("Active");
  auto& finalizers = *name_space.mutable_spec()->mutable_finalizers();
  if (std::ranges::find(finalizers, "kubernetes") == finalizers.end()) {
    *finalizers.Add() = "kubernetes";
  }
}

void prepare_update(const Message& before, Message& after) {
  keep_status<core::Namespace>(before, after);
  keep_spec<core::Namespace>(before, after);  // finalizers go by /finalize
}

void validate(const Message& message, FieldErrors& errors) {
  const FieldPath path = FieldPath("spec") / "finalizers";
  for (const auto& name : as<core::Namespace>(message).spec().finalizers()) {
    check_value(path, name, check_qualified_name, errors);
    if (!name.contains('/') && name != "kubernetes" && name != "orphan") {
      errors.invalid(path, name,
                     "name is neither a standard finalizer name nor is it fully qualified");
    }
  }
}

void validate_status_update(const Message&, const Message& message, FieldErrors& errors) {
  const auto& name_space = as<core::Namespace>(message);
  const std::string& phase = name_space.status().phase();
  const FieldPath path = FieldPath("status") / "Phase";
  if (name_space.metadata().has_deletiontimestamp()) {
    if (phase != "Terminating") {
      errors.invalid(path, phase, "may only be 'Terminating' if `deletionTimestamp` is not empty");
    }
  } else if (phase != "Active") {
    errors.invalid(path, phase, "may only be 'Active' if `deletionTimestamp` is empty");
  }
}

std::vector<Cell> cells(const Message& message, WallTime now) {
  const auto& name_space = as<core::Namespace>(message);
  return {name_space.metadata().name(), name_space.status().phase(),
          age_cell(name_space.metadata(), now)};
}

}  // namespace

const Kind& kinds::name_space() {
  static const Kind row = {
      .group = "",
      .version = "v1",
      .kind = "Namespace",
      .plural = "namespaces",
      .singular = "namespace",
      .short_names = {"ns"},
      .scope = Scope::Cluster,
      .name_rule = NameRule::DnsLabel,
      .prototype = &core::Namespace::default_instance(),
      .verbs = {"create", "delete", "get", "list", "patch", "update", "watch"},
      .subresources = {{.name = "finalize", .verbs = {"update"}},
                       {.name = "status", .verbs = status_verbs}},
      .selectable_fields = {{"status.phase",
                             [](const Message& m) {
                               return as<core::Namespace>(m).status().phase();
                             }}},
      .columns = {name_column(),
                  {.name = "Status", .description = "Active, or Terminating."},
                  age_column()},
      .row = cells,
      .set_defaults = set_defaults,
      .prepare_create = prepare_create,
      .prepare_update = prepare_update,
      .prepare_status_update = keep_spec<core::Namespace>,
      .validate = validate,
      .validate_status_update = validate_status_update,
  };
  return row;
}

}  // namespace keelson
