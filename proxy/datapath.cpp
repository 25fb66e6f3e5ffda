// Programs, maps and what the API says of Services, kept in step.
#include "proxy/datapath.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <cstring>

#include "api/kinds.h"
#include "api/proto/core/v1/service.pb.h"
#include "api/proto/discovery/v1.pb.h"
#include "api/types.h"
#include "base/log.h"
#include "proxy/reserved_ports.h"

namespace keelson::proxy {
namespace {

constexpr Duration retry_first = 1s;
constexpr Duration retry_most = 30s;

// lb_counter, in its order.
constexpr std::string_view counter_names[LB_COUNTER_COUNT] = {
    "refused_no_endpoints", "refused_not_allocated", "refused_bind",          "dropped_none_local",
    "dropped_no_nat_port",  "dropped_ambiguous",     "dropped_service_range", "dropped_redirect",
    "passed_fragment",      "recycled_row",
};

bool is(const Kind& kind, const Kind& other) {
  return &kind == &other;
}

}  // namespace

Result<std::unique_ptr<Datapath>> Datapath::open(Loop& loop, DatapathSettings settings,
                                                 Rows builtin) {
  auto programs = Programs::load(settings);
  if (!programs) return std::unexpected(programs.error());
  std::unique_ptr<Datapath> datapath(
      new Datapath(loop, std::move(settings), std::move(builtin), std::move(*programs)));
  if (auto read = datapath->writer_.read_back(); !read) return std::unexpected(read.error());
  datapath->note_degraded();
  return datapath;
}

Datapath::Datapath(Loop& loop, DatapathSettings settings, Rows builtin, Programs programs)
    : loop_(loop),
      settings_(std::move(settings)),
      programs_(std::move(programs)),
      features_(programs_.features()),
      maps_(programs_.service_maps()),
      writer_(maps_),
      table_(settings_.node_name, std::move(builtin)),
      retry_after_(retry_first) {}

Datapath::~Datapath() = default;

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

void Datapath::apply(const Change& change) {
  const Object& object = change.object();
  if (is(*object.kind, kinds::service())) {
    if (change.after)
      table_.put(decode<core::Service>(object));
    else
      table_.erase_service(object.name_space, object.name);
  } else if (is(*object.kind, kinds::endpoint_slice())) {
    if (change.after)
      table_.put(decode<discovery::EndpointSlice>(object));
    else
      table_.erase_slice(object.name_space, object.name);
  } else {
    return;
  }
  note_revision(*object.kind, change.revision);
  schedule();
}

void Datapath::synced(Revision revision) {
  note_revision(kinds::service(), revision);
  note_revision(kinds::endpoint_slice(), revision);
  if (!synced_)  // what is in the maps and not in the API's lists goes
    for (const auto& front : writer_.fronts()) failed_.emplace(front, std::nullopt);
  synced_ = true;
  retry();
}

void Datapath::saw(const Kind& kind, Revision revision) {
  note_revision(kind, revision);
  schedule();
}

void Datapath::note_revision(const Kind& kind, Revision revision) {
  Revision& seen = is(kind, kinds::service()) ? services_seen_ : slices_seen_;
  seen = std::max(seen, revision);
}

void Datapath::schedule() {
  if (!synced_ || scheduled_) return;
  scheduled_ = loop_.after(0s, [this] { program(); });
}

// What the API says now. What failed before is not tried again with each change: a map that is full
// stays full.
void Datapath::program() {
  scheduled_.reset();
  const Revision seen = std::min(services_seen_, slices_seen_);
  write(table_.take_changes());
  if (!attached_ && failed_.empty()) {
    error_.reset();
    if (auto done = attach(); !done) error_ = done.error();
    attached_ = !error_;
  }
  if (!error_) {
    programmed_ = std::max(programmed_, seen);
    retry_after_ = retry_first;
    retry_.reset();
  } else if (!retry_) {
    log_error("services are not all in the kernel", {{"error", error_->message}});
    retry_ = loop_.after(retry_after_, [this] { retry(); });
    retry_after_ = std::min(retry_after_ * 2, retry_most);
  }
}

void Datapath::retry() {
  retry_.reset();
  RowChanges changes = table_.take_changes();
  changes.merge(std::exchange(failed_, {}));
  write(changes);
  program();
}

void Datapath::write(const RowChanges& changes) {
  for (const auto& [front, row] : changes) failed_.erase(front);
  auto outcome = writer_.write(changes);
  failed_.merge(outcome.failed);
  if (failed_.empty()) {
    error_.reset();
  } else if (outcome.error) {
    const auto described = outcome.error->during("{} service ports, the first {}", failed_.size(),
                                                 front_text(failed_.begin()->first));
    error_ = described.error();
  }
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

Result<> Datapath::healthz() const {
  if (error_) return std::unexpected(*error_);
  if (!synced_) return fail(Reason::ServiceUnavailable, "the API's Services are not known yet");
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
