// Pod → isolation::ContainerSpec: the only translation. Pure.
#pragma once

#include <string>
#include <vector>

#include "isolation/image_store.h"
#include "isolation/spec.h"
#include "nodeagent/pod_runtime.h"

namespace keelson {

// What the node chose for this attempt: names and files of its own.
struct AttemptPlace {
  std::string id, label;
  std::string cgroup;            // "pods/UID/NAME-0"
  std::string writable_folder;   // of its root
  std::string log_path;          // below the log root
  std::string termination_file;  // mounted at terminationMessagePath
  std::string hosts_file, hostname_file, resolv_file;
  std::vector<std::string> layers;  // lowest first
  isolation::ImageConfig image;
  std::int64_t node_memory_bytes = 0;  // what the pod's share of blame for an OOM is measured by
};

// A part of a volume: opened by the caller, who knows that a pod may change what lies in it.
struct SubPathMount {
  std::size_t mount = 0;  // index into spec.mounts; its source is to be filled
  std::string volume_folder, sub_path;
};

struct TranslatedContainer {
  isolation::ContainerSpec spec;
  std::vector<SubPathMount> sub_paths;
  bool must_not_be_root = false;  // runAsNonRoot
};

// Invalid: it can never run so, in kubelet's words.
Result<TranslatedContainer> translate_container(const ContainerStart& start,
                                                const AttemptPlace& place);

isolation::SandboxSpec translate_sandbox(const core::Pod& pod);

// Limits of the pod as a whole: the sum where every container has one.
isolation::Resources pod_resources(const core::Pod& pod);

}  // namespace keelson
