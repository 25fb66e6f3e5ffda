// A node's Services in the kernel: programs, maps and what the API says, kept in step.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/loop.h"
#include "proxy/attach.h"
#include "proxy/bpf_maps.h"
#include "proxy/loader.h"
#include "proxy/service_sync.h"

namespace keelson::proxy {

// Where a pod of this node can be handed its packets.
struct PodLink {
  std::uint32_t address_be = 0;
  unsigned ifindex = 0;             // of the node's end of its veth
  std::array<std::uint8_t, 6> mac;  // of the pod's end
};

// One loop's. What is in force stays in force when this object or its process ends; the next one
// takes over the maps as they are and writes only what differs.
class Datapath {
 public:
  // Called in the node's network namespace. builtin: rows that are there whatever the API says. The
  // programs come into force when both reflectors have listed everything and the maps hold it.
  static Result<std::unique_ptr<Datapath>> open(Loop& loop, DatapathSettings settings,
                                                Rows builtin = {});

  // For one Reflector each: of all Services and of all EndpointSlices.
  ReflectorSink& services() { return sync_.services(); }
  ReflectorSink& endpoint_slices() { return sync_.endpoint_slices(); }
  // Everything the API said up to here is in the kernel. 0: nothing yet.
  Revision programmed() const { return sync_.programmed(); }
  const ServiceDirectory& directory() const { return sync_.directory(); }
  bool synced() const { return sync_.synced(); }  // the directory holds all there is

  // Packets from pods to this pod go there directly. Without the kernel's help they are routed, and
  // this does nothing.
  Result<> add_pod(const PodLink& pod);
  Result<> remove_pod(std::uint32_t address_be);

  const Features& features() const { return features_; }
  const std::vector<DegradedMode>& degraded() const { return degraded_; }
  Result<> healthz() const { return sync_.healthz(); }
  // What the programs counted, by name: "refused_no_endpoints", …
  std::vector<std::pair<std::string_view, std::uint64_t>> counters() const;

 private:
  Datapath(Loop& loop, DatapathSettings settings, Rows builtin, Programs programs);
  void note_degraded();
  Result<> attach();

  DatapathSettings settings_;
  Programs programs_;
  Features features_;
  std::vector<DegradedMode> degraded_;
  BpfMaps maps_;
  ServiceSync sync_;
};

}  // namespace keelson::proxy
