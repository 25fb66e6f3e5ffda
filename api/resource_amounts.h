// Amounts of cpu, memory and other resources as numbers, and what a pod asks of its node.
#pragma once

#include <google/protobuf/map.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "api/types.h"

namespace k8s::io::apimachinery::pkg::api::resource {
class Quantity;
}
namespace k8s::io::api::core::v1 {
class PodSpec;
}

namespace keelson {

using QuantityMap = google::protobuf::Map<std::string, resource::Quantity>;

struct ResourceAmounts {
  std::int64_t cpu_millicores = 0;
  std::int64_t memory_bytes = 0;
  std::int64_t ephemeral_storage_bytes = 0;
  std::vector<std::pair<std::string, std::int64_t>> others;  // in whole units; sorted by name

  static ResourceAmounts of(const QuantityMap& quantities);
  std::int64_t other(std::string_view name) const;  // 0 if there is none
  void add(const ResourceAmounts& amounts);
  void subtract(const ResourceAmounts& amounts);
  void raise_to(const ResourceAmounts& amounts);  // the greater of both, each by itself
  bool operator==(const ResourceAmounts&) const = default;
};

// What a pod takes of a node: the sum of its containers, or more if an init container asks for
// more, and overhead. Source: SCHEDULER.md.
ResourceAmounts pod_requests(const core::PodSpec& spec);
// The same for scores: a container that asks for no cpu counts 100m, for no memory 200Mi.
ResourceAmounts pod_requests_for_score(const core::PodSpec& spec);

// "Guaranteed", "Burstable" or "BestEffort".
std::string_view qos_class_of(const core::PodSpec& spec);

}  // namespace keelson
