// A pod's volumes as folders of this node.
#pragma once

#include <map>
#include <string>

#include "api/view.h"
#include "nodeagent/volume_files.h"

namespace keelson {

class PodVolumes {
 public:
  // disk: for what a pod writes (emptyDir). memory: on a tmpfs, for what must not reach a disk
  // (Secrets and their like). Each pod has a folder named by its uid in both.
  PodVolumes(std::string disk, std::string memory, const View& view);

  // Makes what is missing, brings what is made of objects up to date; may be called again at any
  // time. By name: the folder or file to mount. An error names the volume (FailedMount) and leaves
  // what stands.
  Result<std::map<std::string, std::string>> set_up(const core::Pod& pod, const PodPlace& place,
                                                    WallTime now);
  // Everything of the pod. Nothing there is success.
  Result<> tear_down(const std::string& pod_uid);

 private:
  Result<std::string> set_up_one(const core::Pod& pod, const core::Volume& volume,
                                 const PodPlace& place, WallTime now);
  std::string folder_of(const std::string& root, const core::Pod& pod, const char* plugin,
                        const std::string& volume) const;

  std::string disk_, memory_;
  const View& view_;
};

}  // namespace keelson
