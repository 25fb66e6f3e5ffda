// A node's Services in the kernel: told what the API says, it keeps programs and maps in step.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/view.h"
#include "base/loop.h"
#include "proxy/attach.h"
#include "proxy/bpf_maps.h"
#include "proxy/loader.h"
#include "proxy/map_writer.h"
#include "proxy/service_table.h"

namespace keelson::proxy {

// Where a pod of this node can be handed its packets.
struct PodLink {
  std::uint32_t address_be = 0;
  unsigned ifindex = 0;             // of the node's end of its veth
  std::array<std::uint8_t, 6> mac;  // of the pod's end
};

// One loop's. What is in force stays in force when this object or its process ends; the next one
// takes over maps as they are and writes only what differs.
class Datapath {
 public:
  // Called in the node's network namespace. builtin: rows that are there whatever the API says.
  static Result<std::unique_ptr<Datapath>> open(Loop& loop, DatapathSettings settings,
                                                Rows builtin = {});
  ~Datapath();

  // A Service or an EndpointSlice changed. Changes of one turn of the loop are written together.
  void apply(const Change& change);
  // All Services and all EndpointSlices of this revision have been applied. Nothing is written
  // before: a Service whose endpoints are not known yet must not lose those in the maps. From here
  // on the programs are in force.
  void synced(Revision revision);
  // The watch of this kind has nothing to tell up to this revision (a bookmark).
  void saw(const Kind& kind, Revision revision);

  // Every change up to here is in the maps. 0: none yet.
  Revision programmed() const { return programmed_; }

  // Packets from pods to this pod go there directly. Without the kernel's help they are routed, and
  // this does nothing.
  Result<> add_pod(const PodLink& pod);
  Result<> remove_pod(std::uint32_t address_be);

  const ServiceDirectory& directory() const { return table_.directory(); }
  const Features& features() const { return features_; }
  const std::vector<DegradedMode>& degraded() const { return degraded_; }
  // An error: what is not in the maps although it should be, and why.
  Result<> healthz() const;
  std::vector<std::pair<std::string_view, std::uint64_t>> counters() const;

 private:
  Datapath(Loop& loop, DatapathSettings settings, Rows builtin, Programs programs);
  void note_degraded();
  void note_revision(const Kind& kind, Revision revision);
  void schedule();
  void program();
  void retry();
  void write(const RowChanges& changes);
  Result<> attach();

  Loop& loop_;
  DatapathSettings settings_;
  Programs programs_;
  Features features_;
  std::vector<DegradedMode> degraded_;
  BpfMaps maps_;
  MapWriter writer_;
  ServiceTable table_;
  RowChanges failed_;           // what could not be written; tried again by the timer
  std::optional<Error> error_;  // why
  Revision services_seen_ = 0;
  Revision slices_seen_ = 0;
  Revision programmed_ = 0;
  bool synced_ = false;
  bool attached_ = false;
  Duration retry_after_;
  Pending scheduled_;
  Pending retry_;
};

}  // namespace keelson::proxy
