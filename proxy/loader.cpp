// Opening, configuring and loading the kernel programs.
#include "proxy/loader.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <lb.skel.h>
#include <linux/magic.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "base/fd.h"
#include "base/log.h"

namespace keelson::proxy {
namespace {

// The verifier's log is long, and its end says what is wrong.
constexpr std::size_t log_tail_bytes = 4'096;

int log_libbpf(libbpf_print_level level, const char* format, va_list arguments) {
  if (level == LIBBPF_DEBUG) return 0;
  char* text = nullptr;
  const int length = ::vasprintf(&text, format, arguments);
  if (length < 0) return length;
  std::string_view line(text, static_cast<std::size_t>(length));
  while (line.ends_with('\n')) line.remove_suffix(1);
  if (line.size() > log_tail_bytes) line.remove_prefix(line.size() - log_tail_bytes);
  // Netlink's words (clsact is there already) come with an error that we return or expect.
  const bool is_expected = line.contains("Kernel error message");
  log(level == LIBBPF_WARN && !is_expected ? LogLevel::Warn : LogLevel::Debug, line);
  std::free(text);
  return length;
}

// What bpf_get_netns_cookie() returns for sockets of this thread's network namespace.
Result<std::uint64_t> netns_cookie() {
  constexpr int so_netns_cookie = 71;  // Linux 5.14; older C libraries lack the name
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return fail_errno(errno, "open a socket");
  std::uint64_t cookie = 0;
  socklen_t size = sizeof(cookie);
  if (::getsockopt(socket.get(), SOL_SOCKET, so_netns_cookie, &cookie, &size) != 0)
    return fail_errno(errno, "ask for the network namespace's cookie");
  return cookie;
}

Result<> check_bpffs(const std::string& bpffs) {
  struct statfs info {};
  if (::statfs(bpffs.c_str(), &info) != 0) return fail_errno(errno, "look at {}", bpffs);
  if (info.f_type != BPF_FS_MAGIC)
    return fail(Reason::Invalid, "{} is not a bpf file system: mount -t bpf bpf {}", bpffs, bpffs);
  return {};
}

Result<> make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return fail_errno(errno, "make folder {}", path);
  return {};
}

Result<> check(const DatapathSettings& settings) {
  const auto& addresses = settings.node_addresses_be;
  if (addresses.size() > std::size(lb_programs::lb_programs__rodata{}.node_addresses))
    return fail(Reason::Invalid, "a node has at most 8 addresses, got {}", addresses.size());
  if (settings.uplink != 0 && addresses.empty())
    return fail(Reason::Invalid, "node ports from outside need the node's address");
  for (const auto& range : {settings.node_ports, settings.nat_ports})
    if (range.min == 0 || range.min > range.max)
      return fail(Reason::Invalid, "port range {}-{} is empty", range.min, range.max);
  const bool overlap = settings.node_ports.min <= settings.nat_ports.max &&
                       settings.nat_ports.min <= settings.node_ports.max;
  if (overlap)
    return fail(Reason::Invalid, "node ports {}-{} and NAT ports {}-{} overlap: move one of them",
                settings.node_ports.min, settings.node_ports.max, settings.nat_ports.min,
                settings.nat_ports.max);
  return {};
}

bool has_helper(bpf_prog_type type, bpf_func_id helper) {
  return ::libbpf_probe_bpf_helper(type, helper, nullptr) == 1;
}

void resize(const lb_programs& programs, const MapSizes& sizes) {
  const auto& maps = programs.maps;
  ::bpf_map__set_max_entries(maps.lb_services, sizes.services);
  ::bpf_map__set_max_entries(maps.lb_slots, sizes.slots);
  ::bpf_map__set_max_entries(maps.lb_backends, sizes.backends);
  ::bpf_map__set_max_entries(maps.lb_affinities, sizes.affinities);
  ::bpf_map__set_max_entries(maps.lb_datagrams, sizes.datagrams);
  ::bpf_map__set_max_entries(maps.lb_flows, sizes.flows);
  ::bpf_map__set_max_entries(maps.lb_flow_clock, sizes.flows);
  ::bpf_map__set_max_entries(maps.lb_pods, sizes.pods);
}

bool is_pinnable(const bpf_map* map) {
  return std::string_view(::bpf_map__name(map)).starts_with("lb_") && !::bpf_map__is_internal(map);
}

// Maps that differ in any of this cannot be shared with the programs of another version.
std::uint32_t layout_hash(const bpf_object* object) {
  std::uint32_t hash = 2'166'136'261U;  // FNV-1a
  const bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object) {
    if (!is_pinnable(map)) continue;
    for (const std::uint32_t part :
         {static_cast<std::uint32_t>(::bpf_map__type(map)), ::bpf_map__key_size(map),
          ::bpf_map__value_size(map), ::bpf_map__max_entries(map), ::bpf_map__map_flags(map)})
      hash = (hash ^ part) * 16'777'619U;
  }
  return hash;
}

}  // namespace

void Programs::Destroy::operator()(lb_programs* programs) const {
  lb_programs__destroy(programs);
}

Result<Programs> Programs::load(const DatapathSettings& settings) {
  ::libbpf_set_print(log_libbpf);
  if (auto good = check(settings); !good) return good.error().during("load the datapath");
  if (auto good = check_bpffs(settings.bpffs); !good)
    return good.error().during("load the datapath");

  Programs programs(lb_programs__open());
  if (!programs.programs_) return fail_errno(errno, "open the datapath's programs");
  if (auto done = programs.configure(settings); !done)
    return done.error().during("configure the datapath");
  if (auto done = programs.pin_maps(settings.bpffs); !done)
    return done.error().during("pin the datapath's maps");
  if (const int error = lb_programs__load(programs.programs_.get()); error != 0)
    return fail_errno(-error, "load the datapath's programs");
  return programs;
}

Result<> Programs::configure(const DatapathSettings& settings) {
  features_.set_retval = has_helper(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_FUNC_set_retval);
  features_.redirect_peer = has_helper(BPF_PROG_TYPE_SCHED_CLS, BPF_FUNC_redirect_peer);
  const auto cookie = netns_cookie();
  if (!cookie) return std::unexpected(cookie.error());

  auto& rodata = *programs_->rodata;
  rodata.service_range_address = settings.service_range.address_be;
  rodata.service_range_mask = settings.service_range.mask_be;
  rodata.node_address_count = static_cast<std::uint32_t>(settings.node_addresses_be.size());
  std::ranges::copy(settings.node_addresses_be, rodata.node_addresses);
  rodata.node_port_min = settings.node_ports.min;
  rodata.node_port_max = settings.node_ports.max;
  rodata.nat_port_min = settings.nat_ports.min;
  rodata.nat_port_max = settings.nat_ports.max;
  rodata.node_netns_cookie = *cookie;
  rodata.can_set_retval = features_.set_retval;

  const auto& progs = programs_->progs;
  ::bpf_program__set_autoload(progs.nodeport_ingress, settings.uplink != 0);
  ::bpf_program__set_autoload(progs.nodeport_egress, settings.uplink != 0);
  ::bpf_program__set_autoload(progs.pod_ingress, features_.redirect_peer);
  resize(*programs_, settings.sizes);
  return {};
}

// A map of the same layout that is pinned already is used again, with all that is in it. Another
// version's maps lie in another folder and stay until its programs are replaced.
Result<> Programs::pin_maps(const std::string& bpffs) {
  maps_folder_ =
      fmt::format("{}/maps-{}-{:08x}", pins_folder(bpffs), LB_LAYOUT, layout_hash(programs_->obj));
  for (const auto& folder : {pins_folder(bpffs), maps_folder_})
    if (auto made = make_folder(folder); !made) return made;
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, programs_->obj) {
    if (!is_pinnable(map)) continue;
    const std::string path = fmt::format("{}/{}", maps_folder_, ::bpf_map__name(map));
    if (const int error = ::bpf_map__set_pin_path(map, path.c_str()); error != 0)
      return fail_errno(-error, "pin map at {}", path);
  }
  return {};
}

int Programs::fd(const char* program) const {
  const auto* found = ::bpf_object__find_program_by_name(programs_->obj, program);
  return found != nullptr && ::bpf_program__autoload(found) ? ::bpf_program__fd(found) : -1;
}

BpfMaps::Fds Programs::service_maps() const {
  return {.services = ::bpf_map__fd(programs_->maps.lb_services),
          .slots = ::bpf_map__fd(programs_->maps.lb_slots),
          .backends = ::bpf_map__fd(programs_->maps.lb_backends)};
}

int Programs::pods_map() const {
  return ::bpf_map__fd(programs_->maps.lb_pods);
}

int Programs::counters_map() const {
  return ::bpf_map__fd(programs_->maps.lb_counters);
}

int Programs::flows_map() const {
  return ::bpf_map__fd(programs_->maps.lb_flows);
}

std::string pins_folder(const std::string& bpffs) {
  return bpffs + "/keelson";
}

}  // namespace keelson::proxy
