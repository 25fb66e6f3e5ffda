// Node objects and statuses, as kubelet writes them.
#include "nodeagent/node_object.h"

#include <google/protobuf/util/message_differencer.h>

#include "api/object.h"
#include "api/proto/core/v1/node.pb.h"
#include "api/proto/meta/v1/time.pb.h"
#include "api/quantity.h"

namespace keelson {
namespace {

// kubelet's default thresholds of hard eviction; the disk's floor is absolute, for a share of a big
// disk is no sign of need.
constexpr std::int64_t memory_floor_bytes = 100LL << 20;
constexpr std::int64_t disk_floor_bytes = 1LL << 30;
constexpr std::int64_t inodes_floor = 10'000;
constexpr std::int64_t pids_floor = 1'000;
constexpr std::size_t images_max = 50;  // kubelet's nodeStatusMaxImages

using Amounts = google::protobuf::Map<std::string, resource::Quantity>;

void set_amount(Amounts& amounts, const char* name, const Quantity& amount) {
  amounts[name].set_string(amount.text());
}

void fill_amounts(Amounts& amounts, const Allocatable& has) {
  set_amount(amounts, "cpu", Quantity::from_milli(has.cpu_millicores));
  // Kubernetes tells memory in Ki.
  set_amount(amounts, "memory",
             Quantity::from_value(has.memory_bytes & ~1023LL, Quantity::Format::Binary));
  set_amount(amounts, "ephemeral-storage",
             Quantity::from_value(has.disk_bytes & ~1023LL, Quantity::Format::Binary));
  set_amount(amounts, "pods", Quantity::from_value(has.pods));
}

NodeCheck pressure_check(const char* type, bool is_true, const char* has, const char* lacks,
                         std::string message) {
  return {.type = type,
          .is_true = is_true,
          .reason = is_true ? lacks : has,
          .message = std::move(message)};
}

std::vector<NodeCheck> pressure_checks(const Pressure& pressure) {
  const bool memory = pressure.memory_available_bytes < memory_floor_bytes;
  const bool disk =
      pressure.disk_available_bytes < disk_floor_bytes || pressure.inodes_available < inodes_floor;
  const bool pids = pressure.pids_available < pids_floor;
  return {
      pressure_check(
          "MemoryPressure", memory, "KubeletHasSufficientMemory", "KubeletHasInsufficientMemory",
          memory ? fmt::format("{} MiB of memory are available, {} are needed",
                               pressure.memory_available_bytes >> 20, memory_floor_bytes >> 20)
                 : "kubelet has sufficient memory available"),
      pressure_check(
          "DiskPressure", disk, "KubeletHasNoDiskPressure", "KubeletHasDiskPressure",
          disk ? fmt::format("{} MiB of disk and {} inodes are available, {} and {} are "
                             "needed",
                             pressure.disk_available_bytes >> 20, pressure.inodes_available,
                             disk_floor_bytes >> 20, inodes_floor)
               : "kubelet has no disk pressure"),
      pressure_check("PIDPressure", pids, "KubeletHasSufficientPID", "KubeletHasInsufficientPID",
                     pids ? fmt::format("{} process ids are available, {} are needed",
                                        pressure.pids_available, pids_floor)
                          : "kubelet has sufficient PID available"),
  };
}

void add_condition(const NodeCheck& check, const core::NodeStatus& before, WallTime now,
                   core::NodeStatus& status) {
  core::NodeCondition& out = *status.add_conditions();
  out.set_type(check.type);
  out.set_status(check.is_true ? "True" : "False");
  out.set_reason(check.reason);
  out.set_message(check.message);
  set_time(*out.mutable_lastheartbeattime(), now);
  set_time(*out.mutable_lasttransitiontime(), now);
  for (const auto& old : before.conditions()) {
    if (old.type() == check.type && old.status() == out.status()) {
      *out.mutable_lasttransitiontime() = old.lasttransitiontime();
    }
  }
}

bool has_condition(const core::NodeStatus& status, const std::string& type) {
  for (const auto& condition : status.conditions()) {
    if (condition.type() == type) return true;
  }
  return false;
}

void fill_info(const NodeIdentity& identity, const Machine& machine, core::NodeSystemInfo& info) {
  info.set_machineid(machine.machine_id);
  info.set_systemuuid(machine.system_uuid);
  info.set_bootid(machine.boot_id);
  info.set_kernelversion(machine.kernel_version);
  info.set_osimage(machine.os_image);
  info.set_containerruntimeversion(identity.runtime_version);
  info.set_kubeletversion(identity.version);
  info.set_kubeproxyversion(identity.version);
  info.set_operatingsystem("linux");
  info.set_architecture(machine.architecture);
}

}  // namespace

Allocatable allocatable_of(const Machine& machine, const NodeIdentity& identity) {
  return {.cpu_millicores = machine.cpu_millicores,
          .memory_bytes = machine.memory_bytes - memory_floor_bytes,
          .disk_bytes = machine.disk_bytes - disk_floor_bytes,
          .pods = identity.pods_max};
}

void set_node_labels(core::Node& node, const NodeIdentity& identity, const Machine& machine) {
  auto& labels = *node.mutable_metadata()->mutable_labels();
  labels["kubernetes.io/hostname"] = identity.name;
  labels["kubernetes.io/os"] = "linux";
  labels["kubernetes.io/arch"] = machine.architecture;
  labels["beta.kubernetes.io/os"] = "linux";
  labels["beta.kubernetes.io/arch"] = machine.architecture;
  for (const auto& [key, value] : identity.labels) labels[key] = value;
}

core::NodeStatus make_node_status(const NodeIdentity& identity, const Machine& machine,
                                  const Pressure& pressure, const std::vector<NodeImage>& images,
                                  const std::vector<NodeCheck>& checks,
                                  const core::NodeStatus& before, WallTime now) {
  core::NodeStatus status;
  fill_amounts(*status.mutable_capacity(), {.cpu_millicores = machine.cpu_millicores,
                                            .memory_bytes = machine.memory_bytes,
                                            .disk_bytes = machine.disk_bytes,
                                            .pods = identity.pods_max});
  fill_amounts(*status.mutable_allocatable(), allocatable_of(machine, identity));
  // Resources that others report (devices …) are not ours to take away.
  for (const auto& [name, amount] : before.capacity()) {
    status.mutable_capacity()->insert({name, amount});
  }
  for (const auto& [name, amount] : before.allocatable()) {
    status.mutable_allocatable()->insert({name, amount});
  }
  for (const NodeCheck& check : pressure_checks(pressure)) {
    add_condition(check, before, now, status);
  }
  for (const NodeCheck& check : checks) add_condition(check, before, now, status);
  for (const auto& others : before.conditions()) {
    if (!has_condition(status, others.type())) *status.add_conditions() = others;
  }
  auto add_address = [&status](const char* type, const std::string& address) {
    auto& out = *status.add_addresses();
    out.set_type(type);
    out.set_address(address);
  };
  add_address("InternalIP", identity.address);
  add_address("Hostname", identity.name);
  status.mutable_daemonendpoints()->mutable_kubeletendpoint()->set_port(identity.port);
  fill_info(identity, machine, *status.mutable_nodeinfo());
  for (const NodeImage& image : images) {
    if (static_cast<std::size_t>(status.images_size()) == images_max) break;
    auto& out = *status.add_images();
    for (const std::string& name : image.names) out.add_names(name);
    out.set_sizebytes(image.bytes);
  }
  return status;
}

bool same_but_heartbeat(const core::NodeStatus& a, const core::NodeStatus& b) {
  auto without = [](core::NodeStatus status) {
    for (auto& condition : *status.mutable_conditions()) {
      condition.clear_lastheartbeattime();
      condition.clear_message();  // its numbers move all the time
    }
    return status;
  };
  return google::protobuf::util::MessageDifferencer::Equals(without(a), without(b));
}

}  // namespace keelson
