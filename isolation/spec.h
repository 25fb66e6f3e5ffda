// What to run, in plain values: the whole vocabulary of this room. Nothing here is Kubernetes'.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace keelson::isolation {

// Who a process is. What is not given comes from the image: its User, then its /etc/passwd and
// /etc/group (see user.h).
struct UserSpec {
  std::string image_user = {};         // "", "app", "1000", "app:www", "1000:1000"
  std::optional<std::uint32_t> uid{};  // stands above image_user
  std::optional<std::uint32_t> gid{};
  std::vector<std::uint32_t> groups{};  // besides those of the image's /etc/group
};

// Names without "CAP_", as "NET_ADMIN"; "ALL" is every one. The default set is the 14 that runtimes
// give (capabilities.h).
struct CapabilitySpec {
  std::vector<std::string> add = {};
  std::vector<std::string> drop = {};
};

struct SeccompSpec {
  enum class Kind { Default, Unconfined, File };
  Kind kind = Kind::Default;
  std::string profile_json = {};  // Kind::File: an OCI profile's text
};

struct RlimitSpec {
  int resource = 0;  // RLIMIT_NOFILE …
  std::uint64_t soft = 0, hard = 0;
};

struct ProcessSpec {
  std::vector<std::string> argv;       // argv[0] without a slash is looked up in env's PATH
  std::vector<std::string> env = {};   // "NAME=value"
  std::string working_directory = {};  // "": "/"; made if missing
  UserSpec user = {};
  CapabilitySpec capabilities = {};
  SeccompSpec seccomp = {};
  bool no_new_privileges = false;
  bool privileged = false;  // all capabilities, no filter, all devices, nothing masked
  bool terminal = false;
  std::vector<RlimitSpec> rlimits = {};
  std::optional<int> oom_score_adj{};
};

// How mounts that appear later travel between the node and the container.
enum class Propagation { None, FromNode, Both };

struct MountSpec {
  std::string source;  // path on the node; of a folder, file, socket or device
  int source_fd = -1;  // instead of source: an O_PATH fd, borrowed until prepare_container ends
  std::string destination;  // inside; what is missing of it is made
  bool read_only = false;
  bool no_exec = false;
  Propagation propagation = Propagation::None;
};

struct DeviceSpec {  // a node in the container's /dev and the right to use it
  std::string path;  // "/dev/fuse", the same inside
  std::string access = "rwm";
};

struct RootfsSpec {
  std::vector<std::string> layers;  // folders, lowest first: ImageStore::layers_of
  std::string writable_folder;      // ours alone: upper and work are made in it
  bool read_only = false;
};

// 0 or absent: without a limit.
struct Resources {
  std::uint64_t cpu_shares = 0;   // v1's scale: 1024 is one CPU's worth of weight; 2…262144
  std::int64_t cpu_quota_us = 0;  // of each cpu_period_us
  std::uint64_t cpu_period_us = 100'000;
  std::int64_t memory_bytes = 0;
  std::int64_t pids = 0;
};

// Written as `TIME stdout|stderr F|P LINE`, what kubectl logs understands; PATH.1 is the newest
// rotated one.
struct LogSpec {
  std::string path;  // below the spawner's log root, relative to it; its folder must exist
  std::int64_t max_bytes = 10 * 1024 * 1024;
  int max_files = 5;
};

// Namespaces that outlive containers and that they share. On the node's network, ipc and uts are
// the sandbox's own still, unless said otherwise.
struct SandboxSpec {
  std::string id;          // unique on this node; letters, digits, '-', '_', '.'; at most 63
  std::string label = {};  // given back by the spawner; at most label_bytes_max
  std::string hostname;
  bool node_network = false;
  bool node_ipc = false;
  // "net.ipv4.ip_unprivileged_port_start" → "0"; only what its namespaces own (sysctl.h).
  std::vector<std::pair<std::string, std::string>> sysctls = {};
  std::int64_t shm_bytes = 64 * 1024 * 1024;  // /dev/shm, shared by its containers
  std::string folder;                         // ours alone; holds the mounted shm
};

enum class PidNamespace { Own, Node, Sandbox };

struct ContainerSpec {
  std::string id;                   // as a sandbox's
  std::string sandbox_id;           // held by the spawner
  std::string sandbox_folder = {};  // SandboxSpec::folder: its shm is /dev/shm; "": one of its own
  std::string label = {};
  ProcessSpec process;
  RootfsSpec rootfs;
  std::vector<MountSpec> mounts = {};
  std::vector<DeviceSpec> devices = {};
  std::vector<std::string> masked_paths = {};     // besides the standard ones
  std::vector<std::string> read_only_paths = {};  // besides the standard ones
  PidNamespace pid_namespace = PidNamespace::Own;
  std::string cgroup;  // below the node's root, "pods/UID/NAME-0"; made by prepare_container
  Resources resources = {};
  LogSpec log;
  bool stdin_open = false;  // else its stdin is /dev/null
};

struct TerminalSize {
  std::uint16_t rows = 24, columns = 80;
};

inline constexpr int label_bytes_max = 1024;
inline constexpr int id_bytes_max = 63;

}  // namespace keelson::isolation
