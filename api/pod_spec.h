// What pods and the templates they are stamped from have in common: defaults, checks and warnings
// of a pod spec. API-BEHAVIOUR §9, §14.
#pragma once

#include <string>
#include <vector>

#include "api/field_errors.h"
#include "api/types.h"

namespace k8s::io::api::core::v1 {
class Pod;
class PodSpec;
class PodTemplateSpec;
}  // namespace k8s::io::api::core::v1

namespace keelson {

// Templates are more lenient: what a pod is given later may be missing.
enum class SpecOf { Pod, Template };

void set_pod_spec_defaults(core::PodSpec& spec);
void set_pod_defaults(core::Pod& pod);  // these, and what only a pod gets

void check_pod_spec(const FieldPath& path, const core::PodSpec& spec, SpecOf of,
                    FieldErrors& errors);
// With metadata and what templates may not have.
void check_pod_template(const FieldPath& path, const core::PodTemplateSpec& pod_template,
                        FieldErrors& errors);
// What an update of a pod may change: images, and little else.
void check_pod_update(const core::Pod& before, const core::Pod& after, FieldErrors& errors);

// Texts for Warning headers: what is deprecated, is probably not meant, or is accepted and not
// honoured (api/unsupported.h). path: empty for a pod.
void warn_of_pod_template(const FieldPath& path, const core::PodTemplateSpec& pod_template,
                          std::vector<std::string>& warnings);
void warn_of_pod(const core::Pod& pod, std::vector<std::string>& warnings);

}  // namespace keelson
