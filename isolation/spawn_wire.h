// What agent and spawner say to each other over a SOCK_SEQPACKET socket: flat structures, checked
// on both sides. A message is one structure and its file descriptors; what may be long (a
// container's specification) is a sealed memfd among them.
//
// Layouts are an agreement between versions: an agent may meet a spawner older than itself. Fields
// are only added, in what is reserved or at the end, and the version then grows.
#pragma once

#include <cstddef>
#include <cstdint>

namespace keelson::isolation::wire {

inline constexpr std::uint32_t version = 1;

// Bounds of both sides.
inline constexpr int containers_max = 2048;  // 500 pods of four, and the ended ones
inline constexpr int sandboxes_max = 1024;
inline constexpr int execs_max = 256;
inline constexpr int clients_max = 32;
inline constexpr int fds_max = 240;  // in one message; the kernel's own bound is 253
inline constexpr std::uint32_t spec_bytes_max = 4 << 20;  // the kernel takes 2 MiB of argv and env
inline constexpr int id_size = 64;                        // with its NUL
inline constexpr int label_size = 1024;
inline constexpr int log_path_size = 512;
inline constexpr int detail_size = 256;

// --- messages

enum class Kind : std::uint32_t {
  // Requests: Head or IdMessage, unless said otherwise. Each but Subscribe gets one Reply.
  Subscribe = 1,   // Head → a Sandbox or Container for each that stands, Ready, then for changes
  HoldSandbox,     // SandboxMessage + up to 3 fds
  ReleaseSandbox,  // IdMessage
  Start,           // Head + specification + its fds
  Signal,          // IdMessage, number: signal
  Forget,          // IdMessage
  Exec,            // Head + ExecSpec + its fds
  SignalExec,      // IdMessage, exec_id, number: signal
  Attach,          // IdMessage + 2 pipes
  CloseStdin,      // IdMessage
  Upgrade,         // Head + program: the spawner becomes this program
  // answers and events
  Reply = 100,  // Reply (+ fds)
  Container,    // ContainerMessage
  Sandbox,      // SandboxMessage + its fds
  Ready,        // Head
  ExecEnded,    // IdMessage, exec_id, number: wait status
};

struct Head {
  std::uint32_t version;
  Kind kind;
  std::uint64_t request;  // given back by the Reply
};

struct IdMessage {
  Head head;
  char id[id_size];
  std::uint64_t exec_id;
  std::int32_t number;
  std::uint32_t reserved;
};

enum : std::uint32_t { holds_net = 1, holds_ipc = 2, holds_uts = 4 };

struct SandboxMessage {
  Head head;
  char id[id_size];
  char label[label_size];
  std::uint32_t holds;  // which fds come, in this order
  std::uint32_t reserved;
};

enum class Exit : std::uint32_t { Running, Seen, Unseen };  // Unseen: nobody saw how it ended

struct ContainerMessage {
  Head head;
  char id[id_size];
  char sandbox_id[id_size];
  char label[label_size];
  std::int32_t pid;
  Exit exit;
  std::int32_t wait_status;  // as wait(2) gives it
  std::uint32_t reserved;
  std::int64_t started_ns, finished_ns;  // since 1970
  std::uint64_t lost_log_bytes;
};

// What a start had come to when it failed; the words are in step_name.
enum class Step : std::uint32_t {
  None,
  Take,  // the request itself: bounds, ids, what it needs of the spawner
  Clone,
  Session,
  Cgroup,
  Namespaces,
  Root,
  Proc,
  Dev,
  Terminal,
  Sys,
  CgroupMount,
  Mounts,
  Mask,
  ReadOnly,
  Pivot,
  WorkingDirectory,
  Limits,
  Go,
  Filter,
  Privileges,
  Lookup,  // argv[0] in PATH
  Execute,
  End,
};
const char* step_name(Step step);

struct Reply {
  Head head;
  std::int32_t error_number;  // 0: it was done
  Step step;
  char detail[detail_size];  // the path or name it failed on; may be cut
  std::uint64_t exec_id;
  std::int32_t pid;
  std::uint32_t is_terminal;
  std::int64_t started_ns;
};

// --- specification

// Three parts, one after the other: the Spec, what its Lists hold, the bytes of its Texts.
struct SpecHead {
  std::uint32_t version, size;  // size: of all three
  std::uint32_t texts_at;       // where the third begins
  std::uint32_t reserved;
};
struct Text {  // a NUL follows its length
  std::uint32_t offset, length;
};
struct List {  // of elements one after the other, each aligned to 8
  std::uint32_t offset, count;
};
// A null-terminated array of char* once it is taken: its elements are Texts, count + 1 of them.
struct TextList {
  std::uint32_t offset, count;
};

struct Rlimit {
  std::uint32_t resource, reserved;
  std::uint64_t soft, hard;
};

// Rights, identity and filter: what an exec shares with its container.
struct Process {
  TextList argv, env;
  Text working_directory;
  std::uint32_t uid, gid;
  List groups;  // of uint32
  std::uint64_t bounding, permitted, ambient;
  List filter;   // of sock_filter
  List rlimits;  // of Rlimit
  std::uint32_t no_new_privileges;
  std::uint32_t terminal;
  std::uint16_t rows, columns;
  std::uint32_t set_oom_score_adj;
  std::int32_t oom_score_adj;
  std::uint32_t reserved;
};

struct Mount {
  Text destination;
  std::int32_t fd;  // index: a detached mount, its flags set
  std::uint32_t is_folder;
};

struct Device {
  Text name;                               // below /dev
  std::uint32_t mode, uid, gid, reserved;  // mode: with S_IFCHR or S_IFBLK
  std::uint64_t number;
};

struct CgroupMount {
  Text folder;   // below /sys/fs/cgroup; "": itself
  Text options;  // "cpu,cpuacct", "name=systemd"; "": cgroup2
};

enum class Pid : std::uint32_t { Own, Node, Sandbox };

struct Spec {
  SpecHead head;
  Text id, sandbox_id, label;
  Process process;
  Pid pid_namespace;
  std::int32_t root_fd;  // index: a detached mount
  std::uint32_t root_read_only;
  std::uint32_t sys_writable;
  std::int32_t unified_fd;  // index of the cgroup2 folder, or -1
  std::int32_t shm_fd;      // index: a detached mount for /dev/shm, or -1
  List tasks_fds;           // of int32: v1 `tasks` files
  List mounts, devices, cgroup_mounts;
  TextList masked, read_only;
  Text log_path;  // below the log root
  std::int64_t log_max_bytes;
  std::int32_t log_max_files;
  std::uint32_t stdin_open;
};

struct ExecSpec {
  SpecHead head;
  Text container_id;
  TextList argv;
  std::uint32_t terminal;
  std::uint16_t rows, columns;
  std::int32_t stdio_fds[3];  // indexes, or -1: /dev/null
  std::int32_t unified_fd;
  List tasks_fds;
};

static_assert(sizeof(Head) == 16 && sizeof(Text) == 8 && sizeof(List) == 8);
static_assert(sizeof(IdMessage) == 96 && sizeof(Reply) == 304);

}  // namespace keelson::isolation::wire
