// Resources and host ports, in kubelet's words.
#include "nodeagent/admit.h"

#include <fmt/core.h>

#include "api/proto/core/v1/pod.pb.h"
#include "api/resource_amounts.h"

namespace keelson {
namespace {

struct Amount {
  const char* name;
  std::int64_t asked, used, has;
};

// The same protocol and number, and addresses that overlap.
bool clashes(const core::ContainerPort& a, const core::ContainerPort& b) {
  auto is_any = [](const std::string& ip) { return ip.empty() || ip == "0.0.0.0"; };
  return a.hostport() != 0 && a.hostport() == b.hostport() && a.protocol() == b.protocol() &&
         (is_any(a.hostip()) || is_any(b.hostip()) || a.hostip() == b.hostip());
}

bool any_port_clashes(const core::Pod& pod, const core::Pod& other) {
  for (const auto& container : pod.spec().containers()) {
    for (const auto& port : container.ports()) {
      for (const auto& theirs : other.spec().containers()) {
        for (const auto& taken : theirs.ports()) {
          if (clashes(port, taken)) return true;
        }
      }
    }
  }
  return false;
}

}  // namespace

std::optional<Refusal> refuse_pod(const core::Pod& pod, const std::vector<const core::Pod*>& others,
                                  const Allocatable& allocatable) {
  const ResourceAmounts asked = pod_requests(pod.spec());
  ResourceAmounts used;
  std::int64_t count = 0;
  for (const core::Pod* other : others) {
    if (other->metadata().uid() == pod.metadata().uid()) continue;
    ++count;
    used.add(pod_requests(other->spec()));
    if (any_port_clashes(pod, *other)) {
      return Refusal{"NodePorts",
                     "Predicate NodePorts failed: node(s) didn't have free ports for "
                     "the requested pod ports"};
    }
  }
  const Amount amounts[] = {
      {"pods", 1, count, allocatable.pods},
      {"cpu", asked.cpu_millicores, used.cpu_millicores, allocatable.cpu_millicores},
      {"memory", asked.memory_bytes, used.memory_bytes, allocatable.memory_bytes},
      {"ephemeral-storage", asked.ephemeral_storage_bytes, used.ephemeral_storage_bytes,
       allocatable.disk_bytes},
  };
  for (const Amount& amount : amounts) {
    if (amount.asked == 0 || amount.used + amount.asked <= amount.has) continue;
    return Refusal{fmt::format("OutOf{}", amount.name),
                   fmt::format("Node didn't have enough resource: {}, requested: {}, used: {}, "
                               "capacity: {}",
                               amount.name, amount.asked, amount.used, amount.has)};
  }
  return std::nullopt;
}

}  // namespace keelson
