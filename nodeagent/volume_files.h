// The files of a volume that is made of API objects: configMap, secret, downwardAPI, projected.
// Pure.
#pragma once

#include <map>
#include <string>

#include "api/view.h"
#include "nodeagent/downward.h"

namespace k8s::io::api::core::v1 {
class Volume;
}

namespace keelson {

struct VolumeFile {
  std::string bytes;
  int mode = 0644;
  bool operator==(const VolumeFile&) const = default;
};
using VolumeFiles = std::map<std::string, VolumeFile>;  // by path relative to the volume

bool is_made_of_objects(const core::Volume& volume);

// NotFound: an object or key that is not optional is missing, in the words of a FailedMount event.
Result<VolumeFiles> volume_files(const core::Pod& pod, const core::Volume& volume,
                                 const PodPlace& place, const View& view);

// ConfigMaps and Secrets a pod's variables and volumes refer to, each name once: what the node must
// watch for it.
struct PodReferences {
  std::vector<std::string> config_maps, secrets;  // names in the pod's namespace, sorted
};
PodReferences references_of(const core::Pod& pod);

}  // namespace keelson
