// What kinds that stamp pods out of a template have in common.
#pragma once

#include <utility>
#include <vector>

#include "api/kinds.h"

namespace k8s::io::apimachinery::pkg::apis::meta::v1 {
class LabelSelector;
}
namespace k8s::io::api::core::v1 {
class PodTemplateSpec;
}

namespace keelson {

Subresource scale_subresource();
void add_template_columns(std::vector<Column>& columns);  // Containers, Images, Selector

struct SelectedTemplate {
  const FieldPath& spec;                // where selector and template stand
  const meta::LabelSelector* selector;  // null: it is missing
  const core::PodTemplateSpec& pod_template;
};
// The selector is good and matches the template, whose pods run for ever.
void check_selected_template(const SelectedTemplate& selected, FieldErrors& errors);

void check_selector_unchanged(const meta::LabelSelector& before, const meta::LabelSelector& after,
                              FieldErrors& errors);

// No part of a status counts more than all.
struct ReplicaCounts {
  std::int32_t total;
  std::vector<std::pair<std::string_view, std::int32_t>> parts;  // field and value
  std::int32_t ready, available;
};
void check_replica_counts(const ReplicaCounts& counts, FieldErrors& errors);

}  // namespace keelson
