// Programs, maps and what the API says of Services, kept in step.
#include "proxy/datapath.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <cstring>

#include "base/log.h"
#include "proxy/reserved_ports.h"

namespace keelson::proxy {
namespace {

// lb_counter, in its order.
constexpr std::string_view counter_names[LB_COUNTER_COUNT] = {
    "refused_no_endpoints", "refused_not_allocated", "refused_bind",          "dropped_none_local",
    "dropped_no_nat_port",  "dropped_ambiguous",     "dropped_service_range", "dropped_redirect",
    "passed_fragment",      "recycled_row",
};

}  // namespace

Result<std::unique_ptr<Datapath>> Datapath::open(Loop& loop, DatapathSettings settings,
                                                 Rows builtin) {
  auto programs = Programs::load(settings);
  if (!programs) return std::unexpected(programs.error());
  std::unique_ptr<Datapath> datapath(
      new Datapath(loop, std::move(settings), std::move(builtin), std::move(*programs)));
  if (auto read = datapath->sync_.read_back(); !read) return std::unexpected(read.error());
  datapath->note_degraded();
  return datapath;
}

Datapath::Datapath(Loop& loop, DatapathSettings settings, Rows builtin, Programs programs)
    : settings_(std::move(settings)),
      programs_(std::move(programs)),
      features_(programs_.features()),
      maps_(programs_.service_maps()),
      sync_(loop, maps_,
            {.node_name = settings_.node_name,
             .builtin = std::move(builtin),
             .put_in_force = [this] { return attach(); }}) {}

void Datapath::note_degraded() {
  if (!features_.set_retval)
    degraded_.push_back({"refuse-with-eperm",
                         "connections to a Service without endpoints fail with EPERM instead of "
                         "ECONNREFUSED (Linux before 5.18)"});
  if (!features_.redirect_peer)
    degraded_.push_back(
        {"pods-by-routing", "packets between pods take the node's routing (Linux before 5.10)"});
  if (settings_.uplink == 0)
    degraded_.push_back({"no-uplink", "node ports do not answer to clients outside of this node"});
  if (auto reserved = reserve_ports({settings_.node_ports, settings_.nat_ports}); !reserved)
    degraded_.push_back({"ports-not-reserved",
                         "a process of this node may get a node port as its own port by chance: " +
                             reserved.error().message});
}

Result<> Datapath::attach() {
  if (auto done = attach_sockets(settings_, programs_); !done) return done;
  if (settings_.uplink != 0) {
    const auto mode = attach_uplink(settings_, programs_);
    if (!mode) return std::unexpected(mode.error());
    features_.tcx = *mode == TcMode::Tcx;
    if (!features_.tcx)
      degraded_.push_back({"clsact",
                           "node ports end when somebody removes the clsact qdisc of the uplink "
                           "(Linux before 6.6)"});
  }
  remove_old_maps(settings_.bpffs, programs_.maps_folder());
  log_info("services are in the kernel",
           {{"cgroup", settings_.cgroup}, {"uplink", settings_.uplink}});
  return {};
}

Result<> Datapath::add_pod(const PodLink& pod) {
  if (!features_.redirect_peer) return {};
  lb_pod row{.ifindex = pod.ifindex, .mac = {}, .reserved = 0};
  std::memcpy(row.mac, pod.mac.data(), sizeof(row.mac));
  if (::bpf_map_update_elem(programs_.pods_map(), &pod.address_be, &row, BPF_ANY) != 0)
    return fail_errno(errno, "write map lb_pods");
  return attach_pod(programs_.fd("pod_ingress"), pod.ifindex);
}

Result<> Datapath::remove_pod(std::uint32_t address_be) {
  if (::bpf_map_delete_elem(programs_.pods_map(), &address_be) != 0 && errno != ENOENT)
    return fail_errno(errno, "remove from map lb_pods");
  return {};
}

std::vector<std::pair<std::string_view, std::uint64_t>> Datapath::counters() const {
  std::vector<std::uint64_t> by_cpu(static_cast<std::size_t>(::libbpf_num_possible_cpus()));
  std::vector<std::pair<std::string_view, std::uint64_t>> counters;
  for (std::uint32_t i = 0; i < LB_COUNTER_COUNT; ++i) {
    std::uint64_t sum = 0;
    if (::bpf_map_lookup_elem(programs_.counters_map(), &i, by_cpu.data()) == 0)
      for (const auto count : by_cpu) sum += count;
    counters.emplace_back(counter_names[i], sum);
  }
  return counters;
}

}  // namespace keelson::proxy
