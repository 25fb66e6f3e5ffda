// Selectors, templates and counts of workloads. Source: the rules of k8s.io/kubernetes
// pkg/apis/apps/validation (1.32).
#include "api/kinds/workload.h"

#include "api/go_syntax.h"
#include "api/message_diff.h"
#include "api/names.h"
#include "api/pod_spec.h"
#include "api/proto/core/v1/pod.pb.h"
#include "api/proto/core/v1/pod_template.pb.h"
#include "api/proto/meta/v1/object_meta.pb.h"
#include "api/proto/meta/v1/selector.pb.h"
#include "api/row.h"
#include "api/selector.h"

namespace keelson {
namespace {

bool is_empty(const meta::LabelSelector& selector) {
  return selector.matchlabels().empty() && selector.matchexpressions().empty();
}

// No selector matches nothing, an empty one everything.
bool matches(const LabelSelector& selector, const meta::ObjectMeta& metadata) {
  return selector.matches(Labels({metadata.labels().begin(), metadata.labels().end()}));
}

}  // namespace

Subresource scale_subresource() {
  return {.name = "scale",
          .verbs = status_verbs,
          .group = "autoscaling",
          .version = "v1",
          .kind = "Scale"};
}

void add_template_columns(std::vector<Column>& columns) {
  columns.push_back(
      {.name = "Containers", .description = "Containers of each pod.", .priority = 1});
  columns.push_back({.name = "Images", .description = "Their images.", .priority = 1});
  columns.push_back({.name = "Selector", .description = "Which pods are meant.", .priority = 1});
}

void check_selected_template(const SelectedTemplate& selected, FieldErrors& errors) {
  const FieldPath at = selected.spec / "selector";
  const FieldPath path = selected.spec / "template";
  auto selector = LabelSelector::nothing();
  if (!selected.selector) {
    errors.required(at);
  } else {
    check_label_selector(at, *selected.selector, errors);
    if (is_empty(*selected.selector)) {
      errors.invalid_raw(at, go_syntax(*selected.selector),
                         "empty selector is invalid for deployment");
    }
    auto parsed = LabelSelector::from(*selected.selector);
    if (!parsed) {
      return errors.invalid_raw(at, go_syntax(*selected.selector), "invalid label selector");
    }
    selector = std::move(*parsed);
  }
  const core::PodTemplateSpec& pod_template = selected.pod_template;
  if (!matches(selector, pod_template.metadata())) {
    errors.invalid_raw(path / "metadata" / "labels", go_syntax(pod_template.metadata().labels()),
                       "`selector` does not match template `labels`");
  }
  check_pod_template(path, pod_template, errors);
  if (pod_template.spec().restartpolicy() != "Always") {
    errors.not_supported(path / "spec" / "restartPolicy", pod_template.spec().restartpolicy(),
                         {"Always"});
  }
  if (pod_template.spec().has_activedeadlineseconds()) {
    errors.forbidden(path / "spec" / "activeDeadlineSeconds",
                     "activeDeadlineSeconds in ReplicaSet is not Supported");
  }
}

void check_selector_unchanged(const meta::LabelSelector& before, const meta::LabelSelector& after,
                              FieldErrors& errors) {
  if (is_equal(before, after)) return;
  errors.invalid_raw(FieldPath("spec") / "selector", go_syntax(after), "field is immutable");
}

void check_replica_counts(const ReplicaCounts& counts, FieldErrors& errors) {
  const FieldPath path("status");
  check_non_negative(path / "replicas", counts.total, errors);
  for (const auto& [field, count] : counts.parts) {
    check_non_negative(path / field, count, errors);
  }
  for (const auto& [field, count] : counts.parts) {
    if (count > counts.total) {
      errors.invalid_number(path / field, count, "cannot be greater than status.replicas");
    }
  }
  if (counts.available > counts.ready) {
    errors.invalid_number(path / "availableReplicas", counts.available,
                          "cannot be greater than readyReplicas");
  }
}

}  // namespace keelson
