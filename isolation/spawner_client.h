// Talks to keelson-spawner: starts containers, runs commands inside, hears of exits. The spawner
// keeps everything; a client that comes later is told what stands.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/system_loop.h"
#include "isolation/container.h"
#include "isolation/spec.h"

namespace keelson::isolation {

struct ExitStatus {
  int exit_code = 0;  // 128 + signal if a signal ended it
  int signal = 0;     // 0: it exited by itself
  bool known = true;  // false: nobody was left to see it end; exit_code is 255
};

struct ContainerState {
  std::string id, sandbox_id, label;
  int pid = 0;
  WallTime started{};
  std::optional<ExitStatus> exit{};  // its log is complete by then
  WallTime finished{};
  std::uint64_t lost_log_bytes = 0;  // the log's disk did not take them
};

struct SandboxState {
  std::string id, label;
  Fd net_namespace = Fd();  // empty: the node's own
};

struct ExecSpec {
  std::string container_id;
  std::vector<std::string> argv;
  std::string cgroup;  // the container's
  // User, environment, folder, rights and filter are the container's own.
  std::optional<TerminalSize> terminal{};                     // then the ends are not used
  Fd stdin_end = Fd(), stdout_end = Fd(), stderr_end = Fd();  // an empty one is /dev/null
};

struct ExecStarted {
  std::uint64_t exec_id = 0;
  Fd terminal;  // the master's end; resize_terminal (terminal.h) works on it
};

// What attach gives: where to write the container's input.
struct Attached {
  Fd input;  // pipe or terminal; empty: it takes none
  bool is_terminal = false;
};

// Loop thread only. Callbacks run on it, never from inside the call; each Done once. Connection
// lost: pending calls end with ServiceUnavailable, the client connects again by itself.
class SpawnerClient {
 public:
  template <typename T>
  using Done = std::move_only_function<void(Result<T>)>;

  struct Listener {
    std::function<void()> ready;  // connected; containers() and sandboxes() are complete from now
    // A container started or ended (also those found at ready, one call each).
    std::function<void(const ContainerState&)> changed;
    std::function<void(const Error&)> lost;
  };

  SpawnerClient(SystemLoop& loop, std::string socket_path, const CgroupTree& cgroups,
                Listener listener);
  ~SpawnerClient();
  SpawnerClient(const SpawnerClient&) = delete;
  SpawnerClient& operator=(const SpawnerClient&) = delete;

  bool is_ready() const;
  const std::map<std::string, ContainerState>& containers() const;
  const std::map<std::string, SandboxState>& sandboxes() const;

  // AlreadyExists: the id is taken.
  void hold_sandbox(Sandbox sandbox, Done<void> done);
  // Drops its namespaces; ends with their last process. Conflict: containers run in it. Nothing
  // there is success.
  void release_sandbox(const std::string& id, Done<void> done);

  // Runs until its exec succeeded. An error has left nothing behind (a log's folder apart); its
  // text is what Kubernetes shows with StartError: `exec: "x": executable file not found in $PATH`.
  void start(PreparedContainer container, Done<ContainerState> done);
  void signal(const std::string& id, int signal, Done<void> done);  // to its first process
  // Of an ended one: its record goes, its id is free again. Conflict: it runs.
  void forget(const std::string& id, Done<void> done);

  // ended is not called if started got an error.
  void exec(ExecSpec spec, Done<ExecStarted> started, Done<ExitStatus> ended);
  void signal_exec(std::uint64_t exec_id, int signal);

  // Copies of its output from now on go to these pipes (an empty one: not wanted) as well, until it
  // ends or they are full (then they are closed). Its terminal is not read by anybody else.
  void attach(const std::string& id, Fd stdout_pipe, Fd stderr_pipe, Done<Attached> done);
  // The spawner becomes this program (launch.h's, of a newer version) and keeps all it has. The
  // connection is lost on the way. A program that cannot be executed changes nothing.
  void upgrade(Fd program, Done<void> done);
  void close_stdin(const std::string& id);  // once all who write to it have closed it, too

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace keelson::isolation
