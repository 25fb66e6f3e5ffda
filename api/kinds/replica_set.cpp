// ReplicaSet: so many pods of one template.
#include "api/proto/apps/v1.pb.h"

#include "api/cells.h"
#include "api/kinds/workload.h"
#include "api/names.h"
#include "api/pod_spec.h"
#include "api/row.h"

namespace keelson {
namespace {

void set_defaults(Message& message) {
  apps::ReplicaSetSpec& spec = *as<apps::ReplicaSet>(message).mutable_spec();
  if (!spec.has_replicas()) spec.set_replicas(1);
  set_pod_spec_defaults(*spec.mutable_template_()->mutable_spec());
}

void validate(const Message& message, FieldErrors& errors) {
  const apps::ReplicaSetSpec& spec = as<apps::ReplicaSet>(message).spec();
  const FieldPath path("spec");
  check_non_negative(path / "replicas", spec.replicas(), errors);
  check_non_negative(path / "minReadySeconds", spec.minreadyseconds(), errors);
  check_selected_template(
      {path, spec.has_selector() ? &spec.selector() : nullptr, spec.template_()}, errors);
}

void validate_update(const Message& before, const Message& after, FieldErrors& errors) {
  check_selector_unchanged(as<apps::ReplicaSet>(before).spec().selector(),
                           as<apps::ReplicaSet>(after).spec().selector(), errors);
}

void validate_status_update(const Message&, const Message& message, FieldErrors& errors) {
  const apps::ReplicaSetStatus& status = as<apps::ReplicaSet>(message).status();
  check_replica_counts({.total = status.replicas(),
                        .parts = {{"fullyLabeledReplicas", status.fullylabeledreplicas()},
                                  {"readyReplicas", status.readyreplicas()},
                                  {"availableReplicas", status.availablereplicas()}},
                        .ready = status.readyreplicas(),
                        .available = status.availablereplicas()},
                       errors);
  check_non_negative(FieldPath("status") / "observedGeneration", status.observedgeneration(),
                     errors);
}

std::vector<Cell> cells(const Message& message, WallTime now) {
  const auto& set = as<apps::ReplicaSet>(message);
  const core::PodSpec& pod = set.spec().template_().spec();
  return {set.metadata().name(),
          std::int64_t{set.spec().replicas()},
          std::int64_t{set.status().replicas()},
          std::int64_t{set.status().readyreplicas()},
          age_cell(set.metadata(), now),
          container_names_cell(pod),
          images_cell(pod),
          selector_cell(set.spec().selector())};
}

std::vector<Column> columns() {
  std::vector<Column> columns = {
      name_column(),
      {.name = "Desired", .type = "integer", .description = "Pods asked for."},
      {.name = "Current", .type = "integer", .description = "Pods there are."},
      {.name = "Ready", .type = "integer", .description = "Pods that are ready."},
      age_column()};
  add_template_columns(columns);
  return columns;
}

}  // namespace

const Kind& kinds::replica_set() {
  static const Kind row = {
      .group = "apps",
      .version = "v1",
      .kind = "ReplicaSet",
      .plural = "replicasets",
      .singular = "replicaset",
      .short_names = {"rs"},
      .categories = {"all"},
      .prototype = &apps::ReplicaSet::default_instance(),
      .subresources = {scale_subresource(), {.name = "status", .verbs = status_verbs}},
      .selectable_fields = {{"status.replicas",
                             [](const Message& m) {
                               return std::to_string(as<apps::ReplicaSet>(m).status().replicas());
                             }}},
      .columns = columns(),
      .row = cells,
      .set_defaults = set_defaults,
      .prepare_create = drop_status<apps::ReplicaSet>,
      .prepare_update = keep_status<apps::ReplicaSet>,
      .prepare_status_update = keep_spec<apps::ReplicaSet>,
      .validate = validate,
      .validate_update = validate_update,
      .validate_status_update = validate_status_update,
      .warn =
          [](const Message& message, std::vector<std::string>& warnings) {
            warn_of_pod_template(FieldPath("spec") / "template",
                                 as<apps::ReplicaSet>(message).spec().template_(), warnings);
          },
      .has_generation = true,
  };
  return row;
}

}  // namespace keelson
