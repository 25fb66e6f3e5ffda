// The checks of a pod spec, part by part: a file for each, and here what they share.
#pragma once

#include <google/protobuf/map.h>
#include <google/protobuf/repeated_ptr_field.h>

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "api/names.h"
#include "api/pod_spec.h"
#include "api/proto/core/v1/container.pb.h"
#include "api/proto/core/v1/pod.pb.h"

namespace keelson::pod_spec {

template <typename T>
using List = google::protobuf::RepeatedPtrField<T>;

struct Checker {
  const core::PodSpec& spec;
  SpecOf of;
  FieldErrors& errors;
  std::map<std::string, const core::VolumeSource*> volumes = {};  // those without errors, by name
  std::set<std::string> claims = {};                              // names of resourceClaims
};

// Calls with each item and its path.
template <typename T, typename Visit>
void each(const FieldPath& path, const List<T>& items, Visit visit) {
  for (int i = 0; i < items.size(); ++i) visit(path[static_cast<std::size_t>(i)], items.Get(i));
}

// volumes.cpp
void check_volumes(Checker& checker, const FieldPath& path);
void check_volume_mounts(Checker& checker, const FieldPath& path, const core::Container& container);
// projected.cpp
void check_projected(Checker& checker, const FieldPath& path,
                     const core::ProjectedVolumeSource& source);
void check_downward_file(Checker& checker, const FieldPath& path,
                         const core::DownwardAPIVolumeFile& file);
void check_key_to_path(Checker& checker, const FieldPath& path, const core::KeyToPath& item);
// paths.cpp
void check_mode(const FieldPath& path, bool is_set, std::int32_t mode, FieldErrors& errors);
void check_no_parent(const FieldPath& path, std::string_view value, FieldErrors& errors);
void check_relative(const FieldPath& path, std::string_view value, FieldErrors& errors);
void check_relative_unreserved(const FieldPath& path, std::string_view value, FieldErrors& errors);

// containers.cpp
void check_all_containers(Checker& checker, const FieldPath& path);
// environment.cpp
void check_environment(Checker& checker, const FieldPath& path, const core::Container& container);
void check_field_selector(Checker& checker, const FieldPath& path,
                          const core::ObjectFieldSelector& selector,
                          const std::vector<std::string_view>& supported);
void check_resource_selector(Checker& checker, const FieldPath& path,
                             const core::ResourceFieldSelector& selector, bool needs_container);
// resources.cpp
void check_resources(Checker& checker, const FieldPath& path,
                     const core::ResourceRequirements& resources);
// probes.cpp
void check_probes(Checker& checker, const FieldPath& path, const core::Container& container);
void check_lifecycle(Checker& checker, const FieldPath& path, const core::Lifecycle& lifecycle);
// security.cpp
void check_security_context(Checker& checker, const FieldPath& path,
                            const core::SecurityContext& context);
void check_pod_security_context(Checker& checker, const FieldPath& path);
void check_seccomp_annotations(Checker& checker, const FieldPath& path,
                               const StringMap& annotations);
// placement.cpp
void check_affinity(Checker& checker, const FieldPath& path);
void check_tolerations(const FieldPath& path, const List<core::Toleration>& tolerations,
                       FieldErrors& errors);
void check_topology_spread(Checker& checker, const FieldPath& path);
// network.cpp
void check_network(Checker& checker, const FieldPath& path);

inline bool is_restartable(const core::Container& container) {
  return container.restartpolicy() == "Always";
}

}  // namespace keelson::pod_spec
