// The kernel programs: opened, told about this node, loaded over the maps that are pinned already.
// attach.h puts them in force.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "proxy/bpf_maps.h"
#include "proxy/ipv4.h"

struct lb_programs;
struct bpf_program;

namespace keelson::proxy {

struct PortRange {  // both ends included
  std::uint16_t min = 0;
  std::uint16_t max = 0;
};

// Entries. Maps of the API's objects take kernel memory as they fill (about 100 bytes a row, and 16
// bytes of hash bucket for each row they may hold); affinities, datagrams and flows take theirs at
// once and forget the least recently used.
struct MapSizes {
  std::uint32_t services = 65'536;
  std::uint32_t slots = 262'144;
  std::uint32_t backends = 262'144;
  std::uint32_t affinities = 16'384;
  std::uint32_t datagrams = 16'384;
  std::uint32_t flows = 65'536;
  std::uint32_t pods = 4'096;
};

struct DatapathSettings {
  std::string node_name;
  std::string bpffs = "/sys/fs/bpf";  // a mounted bpf file system; pins go to keelson/ in it
  std::string cgroup;  // a cgroup2 folder: sockets of processes below it reach Services
  unsigned uplink =
      0;  // interface index by which the outside comes in; 0: no node ports from there
  std::vector<std::uint32_t> node_addresses_be;  // at most 8; the first is what other nodes know
  Ipv4Range service_range;
  PortRange node_ports{30'000, 32'767};
  // Ports of this node that clients of backends elsewhere get. Outside of Linux' ephemeral range
  // (32768 to 60999), so that no socket of the node has one by chance.
  PortRange nat_ports{10'000, 29'999};
  MapSizes sizes;
};

// What this kernel offers. What it does not makes a degraded mode with a name and a consequence.
struct Features {
  bool set_retval = false;     // bpf_set_retval() in socket programs, Linux 5.18
  bool redirect_peer = false;  // bpf_redirect_peer() in tc, Linux 5.10
  bool tcx = false;            // tc programs as links, Linux 6.6; else clsact. Known once attached
};

struct DegradedMode {
  std::string name;         // "refuse-with-eperm"
  std::string consequence;  // for people
};

class Programs {
 public:
  // Calling thread must be in the node's network namespace. Nothing is attached; maps are pinned.
  static Result<Programs> load(const DatapathSettings& settings);

  int fd(const char* program) const;  // -1: not loaded (no uplink, or the kernel lacks something)
  BpfMaps::Fds service_maps() const;
  int pods_map() const;
  int counters_map() const;
  int flows_map() const;
  const Features& features() const { return features_; }
  const std::string& maps_folder() const { return maps_folder_; }

 private:
  struct Destroy {
    void operator()(lb_programs* programs) const;
  };
  explicit Programs(lb_programs* programs) : programs_(programs) {}
  Result<> configure(const DatapathSettings& settings);
  Result<> pin_maps(const std::string& bpffs);

  std::unique_ptr<lb_programs, Destroy> programs_;
  Features features_;
  std::string maps_folder_;
};

std::string pins_folder(const std::string& bpffs);  // "/sys/fs/bpf/keelson"

}  // namespace keelson::proxy
