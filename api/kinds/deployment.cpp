// Deployment: replica sets that take over from one another.
#include "api/proto/apps/v1.pb.h"

#include <charconv>

#include "api/cells.h"
#include "api/go_syntax.h"
#include "api/go_text.h"
#include "api/kinds/workload.h"
#include "api/names.h"
#include "api/pod_spec.h"
#include "api/proto/util/int_or_string.pb.h"
#include "api/row.h"

namespace keelson {
namespace {

intstr::IntOrString percent(const char* text) {
  intstr::IntOrString value;
  value.set_type(1);
  value.set_strval(text);
  return value;
}

void set_defaults(Message& message) {
  apps::DeploymentSpec& spec = *as<apps::Deployment>(message).mutable_spec();
  if (!spec.has_replicas()) spec.set_replicas(1);
  if (!spec.has_revisionhistorylimit()) spec.set_revisionhistorylimit(10);
  if (!spec.has_progressdeadlineseconds()) spec.set_progressdeadlineseconds(600);
  apps::DeploymentStrategy& strategy = *spec.mutable_strategy();
  if (strategy.type().empty()) strategy.set_type("RollingUpdate");
  if (strategy.type() == "RollingUpdate") {
    apps::RollingUpdateDeployment& rolling = *strategy.mutable_rollingupdate();
    if (!rolling.has_maxunavailable()) *rolling.mutable_maxunavailable() = percent("25%");
    if (!rolling.has_maxsurge()) *rolling.mutable_maxsurge() = percent("25%");
  }
  set_pod_spec_defaults(*spec.mutable_template_()->mutable_spec());
}

void prepare_status_update(const Message& before, Message& after) {
  keep_spec<apps::Deployment>(before, after);
  *as<apps::Deployment>(after).mutable_metadata()->mutable_labels() =
      as<apps::Deployment>(before).metadata().labels();
}

// A number or a percentage, neither negative.
void check_share(const FieldPath& path, const intstr::IntOrString& value, FieldErrors& errors) {
  if (value.type() == 0) return check_non_negative(path, value.intval(), errors);
  for (const auto& text : check_percent(value.strval())) {
    errors.invalid_raw(path, go_syntax(value), text);
  }
}

// Its number, without "%"; 0 if it is none.
std::int64_t amount_of(const intstr::IntOrString& value) {
  if (value.type() == 0) return value.intval();
  const std::string& text = value.strval();
  std::int64_t amount = 0;
  if (!check_percent(text).empty()) return 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), amount);
  return parsed.ec == std::errc() ? amount : INT64_MAX;  // it is too great a number
}

void check_rolling_update(const FieldPath& path, const apps::RollingUpdateDeployment& rolling,
                          FieldErrors& errors) {
  const FieldPath unavailable = path / "maxUnavailable";
  check_share(unavailable, rolling.maxunavailable(), errors);
  check_share(path / "maxSurge", rolling.maxsurge(), errors);
  if (amount_of(rolling.maxunavailable()) == 0 && amount_of(rolling.maxsurge()) == 0) {
    errors.invalid_raw(unavailable, go_syntax(rolling.maxunavailable()),
                       "may not be 0 when `maxSurge` is 0");
  }
  if (rolling.maxunavailable().type() == 1 && amount_of(rolling.maxunavailable()) > 100) {
    errors.invalid_raw(unavailable, go_syntax(rolling.maxunavailable()),
                       "must not be greater than 100%");
  }
}

void check_strategy(const FieldPath& path, const apps::DeploymentStrategy& strategy,
                    FieldErrors& errors) {
  const FieldPath rolling = path / "rollingUpdate";
  if (strategy.type() == "RollingUpdate") {
    check_rolling_update(rolling, strategy.rollingupdate(), errors);
  } else if (strategy.type() == "Recreate") {
    if (!strategy.has_rollingupdate()) return;
    errors.forbidden(rolling, "may not be specified when strategy `type` is 'Recreate'");
  } else {
    errors.not_supported_raw(path,
                             fmt::format("apps.DeploymentStrategy{{Type:{}, "
                                         "RollingUpdate:(*apps.RollingUpdateDeployment)(nil)}}",
                                         go_quote(strategy.type())),
                             {"Recreate", "RollingUpdate"});
  }
}

void validate(const Message& message, FieldErrors& errors) {
  const apps::DeploymentSpec& spec = as<apps::Deployment>(message).spec();
  const FieldPath path("spec");
  check_non_negative(path / "replicas", spec.replicas(), errors);
  check_selected_template(
      {path, spec.has_selector() ? &spec.selector() : nullptr, spec.template_()}, errors);
  check_strategy(path / "strategy", spec.strategy(), errors);
  check_non_negative(path / "minReadySeconds", spec.minreadyseconds(), errors);
  check_non_negative(path / "revisionHistoryLimit", spec.revisionhistorylimit(), errors);
  check_non_negative(path / "progressDeadlineSeconds", spec.progressdeadlineseconds(), errors);
  if (spec.has_progressdeadlineseconds() &&
      spec.progressdeadlineseconds() <= spec.minreadyseconds()) {
    errors.invalid_number(path / "progressDeadlineSeconds", spec.progressdeadlineseconds(),
                          "must be greater than minReadySeconds");
  }
}

void validate_update(const Message& before, const Message& after, FieldErrors& errors) {
  check_selector_unchanged(as<apps::Deployment>(before).spec().selector(),
                           as<apps::Deployment>(after).spec().selector(), errors);
}

void validate_status_update(const Message& before_message, const Message& message,
                            FieldErrors& errors) {
  const apps::DeploymentStatus& before = as<apps::Deployment>(before_message).status();
  const apps::DeploymentStatus& status = as<apps::Deployment>(message).status();
  const FieldPath path("status");
  check_replica_counts({.total = status.replicas(),
                        .parts = {{"updatedReplicas", status.updatedreplicas()},
                                  {"readyReplicas", status.readyreplicas()},
                                  {"availableReplicas", status.availablereplicas()}},
                        .ready = status.readyreplicas(),
                        .available = status.availablereplicas()},
                       errors);
  check_non_negative(path / "unavailableReplicas", status.unavailablereplicas(), errors);
  check_non_negative(path / "observedGeneration", status.observedgeneration(), errors);
  check_non_negative(path / "collisionCount", status.collisioncount(), errors);
  if (status.collisioncount() < before.collisioncount()) {
    errors.invalid_number(path / "collisionCount", status.collisioncount(),
                          "cannot be decremented");
  }
}

std::vector<Cell> cells(const Message& message, WallTime now) {
  const auto& deployment = as<apps::Deployment>(message);
  const apps::DeploymentStatus& status = deployment.status();
  const core::PodSpec& pod = deployment.spec().template_().spec();
  return {deployment.metadata().name(),
          fmt::format("{}/{}", status.readyreplicas(), deployment.spec().replicas()),
          std::int64_t{status.updatedreplicas()},
          std::int64_t{status.availablereplicas()},
          age_cell(deployment.metadata(), now),
          container_names_cell(pod),
          images_cell(pod),
          selector_cell(deployment.spec().selector())};
}

std::vector<Column> columns() {
  std::vector<Column> columns = {
      name_column(),
      {.name = "Ready", .description = "Pods that are ready, of all asked for."},
      {.name = "Up-to-date", .description = "Pods of the newest template."},
      {.name = "Available", .description = "Pods that have been ready for long enough."},
      age_column()};
  add_template_columns(columns);
  return columns;
}

}  // namespace

const Kind& kinds::deployment() {
  static const Kind row = {
      .group = "apps",
      .version = "v1",
      .kind = "Deployment",
      .plural = "deployments",
      .singular = "deployment",
      .short_names = {"deploy"},
      .categories = {"all"},
      .prototype = &apps::Deployment::default_instance(),
      .subresources = {scale_subresource(), {.name = "status", .verbs = status_verbs}},
      .columns = columns(),
      .row = cells,
      .set_defaults = set_defaults,
      .prepare_create = drop_status<apps::Deployment>,
      .prepare_update = keep_status<apps::Deployment>,
      .prepare_status_update = prepare_status_update,
      .validate = validate,
      .validate_update = validate_update,
      .validate_status_update = validate_status_update,
      .warn =
          [](const Message& message, std::vector<std::string>& warnings) {
            warn_of_pod_template(FieldPath("spec") / "template",
                                 as<apps::Deployment>(message).spec().template_(), warnings);
          },
      .has_generation = true,
  };
  return row;
}

}  // namespace keelson
