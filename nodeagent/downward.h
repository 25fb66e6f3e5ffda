// What a container may know of its own pod: fieldRef and resourceFieldRef, for variables and files.
#pragma once

#include <string>
#include <vector>

#include "api/types.h"
#include "base/error.h"

namespace k8s::io::api::core::v1 {
class Container;
class Pod;
class ResourceFieldSelector;
}  // namespace k8s::io::api::core::v1

namespace keelson {

// What only the node knows, and what stands in for a limit that is not set.
struct PodPlace {
  std::vector<std::string> pod_ips;  // empty before the pod has a network
  std::string host_ip;
  std::int64_t allocatable_cpu_millicores = 0;
  std::int64_t allocatable_memory_bytes = 0;
  std::int64_t allocatable_ephemeral_storage_bytes = 0;
};

// "metadata.name", "metadata.labels['app']", "status.podIP" … Whole maps ("metadata.labels") as
// lines of key="value", as files have them. Invalid: no such field.
Result<std::string> field_value(const core::Pod& pod, const PodPlace& place,
                                std::string_view field_path);

// "limits.cpu" in units of the divisor, rounded up; of the container, or of the node where it has
// no limit.
Result<std::string> resource_field_value(const core::Container& container, const PodPlace& place,
                                         const core::ResourceFieldSelector& selector);

}  // namespace keelson
